"""The formats that are read, and which one a folder is in."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from automl.data.convert.bop import BopSource, is_bop
from automl.data.convert.frames import FrameSource, SourceOptions
from automl.data.convert.isaac import IsaacSource, is_isaac
from automl.data.convert.nvisii import NvisiiSource, is_nvisii
from automl.data.convert.objectron_video import ObjectronSource, is_objectron
from automl.data.convert.reading import json_object
from automl.data.convert.ycb import YcbSource, is_ycb
from automl.errors import FixData

__all__ = ["FORMATS", "SourceFormat", "format_of"]

_LOOKED_AT: Final = 20
"""JSON files that are read to tell formats apart: a frame without objects says nothing."""


@dataclass(frozen=True, slots=True)
class SourceFormat:
    """A format.

    Attributes:
        title: What it is called.
        is_one: Whether a folder is in it.
        open: The reader of a folder.
    """

    title: str
    is_one: Callable[[Path], bool]
    open: Callable[[Path, SourceOptions], FrameSource]


def _by_json(is_one: Callable[[Mapping[str, Any]], bool]) -> Callable[[Path], bool]:
    return lambda root: any(is_one(value) for value in _first_json(root))


FORMATS: Final[Mapping[str, SourceFormat]] = {
    "bop": SourceFormat("BOP", is_bop, BopSource),
    "ycb": SourceFormat("YCB-Video", is_ycb, YcbSource),
    "objectron": SourceFormat("Objectron", is_objectron, ObjectronSource),
    "isaac": SourceFormat("Isaac Sim's pose writer", _by_json(is_isaac), IsaacSource),
    "dope": SourceFormat("DOPE (NVISII, BlenderProc, NDDS)", _by_json(is_nvisii), NvisiiSource),
}


def format_of(root: Path, name: str = "auto") -> str:
    """The key in ``FORMATS`` of a folder's format.

    Args:
        root: The folder.
        name: What the user calls the format; ``auto`` to look.

    Raises:
        FixData: The folder is missing or empty, is in the training layout already, or in no
            format that is known.
    """
    if not root.is_dir():
        got = "a file" if root.exists() else "no such folder"
        raise FixData("the data to convert must be a folder", got=f"{got}: {root}")
    if name != "auto":
        return name
    if any("AR_data" in value for value in _first_json(root)):
        raise FixData(
            "the data to convert must be in another format",
            got="the training layout, which needs no conversion",
            where=str(root),
            fix=f"check it: automl data check {root}",
        )
    for key, known in FORMATS.items():
        if known.is_one(root):
            return key
    empty = not any(root.iterdir())
    raise FixData(
        f"the data to convert must be one of {', '.join(FORMATS)}",
        got="an empty folder" if empty else "a folder in none of these formats",
        where=str(root),
        fix="give the folder of a scene, a split or a sequence; docs/data.md says what each holds",
    )


def _first_json(root: Path) -> Iterator[dict[str, Any]]:
    """What some JSON files below a folder hold, those that are objects."""
    for path in islice(root.rglob("*.json"), _LOOKED_AT):
        try:
            yield json_object(path)
        except FixData:
            continue
