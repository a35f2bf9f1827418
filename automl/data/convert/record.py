"""What a conversion leaves beside its splits, by which a later one knows what it may replace."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from automl.errors import FixInput
from automl.files import write_json
from automl.jsontext import read_json

if TYPE_CHECKING:
    from automl.data.convert.conversion import Converted, ConvertRequest

__all__ = ["check_free", "replace_splits"]

_RECORD: Final = "convert.json"
_SCHEMA: Final = "automl.data-conversion/1"


def check_free(out: Path, splits: Sequence[str], *, overwrite: bool) -> None:
    """Refuses to write over what is there.

    Raises:
        FixInput: The folder is a file, or holds one of the splits and that may not be replaced.
    """
    if out.exists() and not out.is_dir():
        raise FixInput("--out must be a folder", got=f"a file: {out}")
    ours = _splits_of(out)
    for split in splits:
        folder = out / split
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            continue
        if overwrite and split in ours:
            continue
        raise FixInput(
            "a conversion must make its splits anew",
            got=f"a folder that holds {split} already",
            where=str(folder),
            fix="give another --out, or --overwrite to replace it"
            if split in ours
            else "give another --out: nothing says that a conversion made it",
        )


def replace_splits(folder: Path, request: "ConvertRequest", made: "Converted") -> dict[str, Path]:
    """Moves the splits to where they belong and writes the record; gives their folders.

    Args:
        folder: Where they were made.
        request: What was asked for.
        made: What came of it.
    """
    placed = {}
    for split in made.images:
        target = request.out / split
        if target.exists():
            if any(target.iterdir()):
                made.notes = (*made.notes, f"{split} replaces what a conversion made there before")
            target.rename(folder / f"{split}.replaced")
        (folder / split).rename(target)
        shutil.rmtree(folder / f"{split}.replaced", ignore_errors=True)
        placed[split] = target
    splits = {**_splits_of(request.out), **{name: _entry(request, made, name) for name in placed}}
    write_json(request.out / _RECORD, {"schema": _SCHEMA, "splits": splits})
    return placed


def _entry(request: "ConvertRequest", made: "Converted", split: str) -> dict[str, Any]:
    return {
        "source": str(request.source.absolute()),
        "format": made.format,
        "images": made.images[split],
        "objects_of_all_splits": dict(sorted(made.counts.kept.items())),
        "turns": dict(sorted(made.counts.turns.items())),
        "frames_without_objects": made.empty,
        "broken_frames": [{"frame": one.frame, "why": one.why} for one in made.skipped],
        "notes": list(made.notes),
    }


def _splits_of(out: Path) -> dict[str, Any]:
    """The splits that conversions made in a folder."""
    try:
        record = read_json(out / _RECORD)
    except (OSError, ValueError):
        return {}
    splits = record.get("splits") if isinstance(record, dict) else None
    return splits if isinstance(splits, dict) else {}
