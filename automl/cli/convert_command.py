"""``automl data convert``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.cli.json_out import print_json
from automl.cli.terminal import beneath
from automl.visible import visible

if TYPE_CHECKING:
    from automl.data.convert.conversion import Converted

__all__ = ["convert"]

_SHOWN = 5


def convert(arguments: argparse.Namespace) -> int:
    """Converts a data set and says what came of it."""
    from automl.app.convert import convert_request, preview_path, write_preview
    from automl.data.convert.conversion import convert as run

    request = convert_request(vars(arguments))
    preview = preview_path(arguments.preview, request)
    made = run(request, _show_progress)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if preview is not None:
        write_preview(preview, made)
    if arguments.json:
        print_json("automl.data-convert/1", _values(made, preview))
        return 0
    _say(made, preview)
    return 0


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done}/{total} frames", end="", flush=True, file=beneath(sys.stderr))


def _values(made: "Converted", preview: Path | None) -> dict[str, Any]:
    counts = made.counts
    return {
        "format": made.format,
        "splits": {
            split: {"folder": str(folder), "images": made.images[split]}
            for split, folder in made.folders.items()
        },
        "objects": dict(sorted(counts.kept.items())),
        "left_out": {
            "frames_without_objects": made.empty,
            "objects_of_other_kinds": dict(sorted(counts.other.items())),
            "objects_hidden": counts.faint,
            "objects_out_of_view": counts.outside,
        },
        "objects_without_visibility": counts.unsaid,
        "turns": dict(sorted(counts.turns.items())),
        "broken_frames": [{"frame": one.frame, "why": one.why} for one in made.skipped],
        "notes": list(made.notes),
        "preview": None if preview is None else str(preview),
    }


def _say(made: "Converted", preview: Path | None) -> None:
    from automl.app.convert import left_out, warnings_of

    for split, folder in made.folders.items():
        print(f"{split:<6} {made.images[split]:>6} images  {folder}")
    kept = ", ".join(f"{kind} {count}" for kind, count in sorted(made.counts.kept.items()))
    print(f"objects: {visible(kept, keep='')}")
    if told := left_out(made):
        print(f"left out: {visible(told, keep='')}")
    for one in made.skipped[:_SHOWN]:
        print(f"broken: {visible(f'{one.frame}: {one.why}', keep='')}")
    if len(made.skipped) > _SHOWN:
        print(f"broken: {len(made.skipped) - _SHOWN} more, which convert.json names")
    for warning in warnings_of(made):
        print(f"note: {visible(warning, keep='')}")
    if preview is not None:
        print(f"preview: {preview}")
