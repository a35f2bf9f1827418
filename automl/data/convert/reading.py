"""JSON files of other formats, and the images beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from automl.data.convert.frames import BrokenFrame, FrameRef
from automl.errors import FixData
from automl.jsontext import read_json

__all__ = [
    "first_object",
    "image_beside",
    "json_frames",
    "json_object",
    "object_in",
    "objects_in",
]

_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".bmp", ".PNG", ".JPG", ".JPEG")


def json_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        FixData: It is missing, cannot be read, or is something else.
    """
    try:
        value = read_json(path)
    except OSError as error:
        got = str(error.strerror)
        raise FixData(f"{path.name} must be readable", got=got, where=str(path)) from error
    except ValueError as error:
        raise FixData(f"{path.name} must be JSON", got=str(error), where=str(path)) from error
    if not isinstance(value, dict):
        got = type(value).__name__
        raise FixData(f"{path.name} must be a JSON object", got=got, where=str(path))
    return value


def object_in(values: Mapping[str, Any], key: str, what: str) -> dict[str, Any]:
    """A JSON object within another.

    Raises:
        BrokenFrame: It is missing or something else.
    """
    value = values.get(key)
    if not isinstance(value, dict):
        raise BrokenFrame(f"{what} must have {key}", "nothing" if value is None else "no object")
    return value


def objects_in(value: Any, what: str) -> list[dict[str, Any]]:
    """A list of JSON objects.

    Raises:
        BrokenFrame: It is something else.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BrokenFrame(
            f"{what} must be a list of JSON objects",
            "nothing" if value is None else repr(value)[:60],
        )
    return value


def first_object(value: Mapping[str, Any]) -> dict[str, Any]:
    """The first object of a frame, by which its format is known; empty if there is none."""
    objects = value.get("objects")
    first = objects[0] if isinstance(objects, list) and objects else None
    return first if isinstance(first, dict) else {}


def json_frames(root: Path) -> list[FrameRef]:
    """A frame for each JSON file below a folder; names that begin with ``_`` are settings.

    Raises:
        FixData: There is none.
    """
    paths = sorted(path for path in root.rglob("*.json") if not path.name.startswith(("_", ".")))
    if not paths:
        raise FixData(
            "a data set must hold a JSON file for each image", got="none", where=str(root)
        )
    refs = []
    for path in paths:
        below = path.parent.relative_to(root).parts
        refs.append(FrameRef("-".join(below) or root.absolute().name, path.stem, path))
    return refs


def image_beside(path: Path) -> Path:
    """The image of the same stem as a JSON file.

    Raises:
        BrokenFrame: There is none.
    """
    for suffix in _SUFFIXES:
        image = path.with_suffix(suffix)
        if image.is_file():
            return image
    rule = "an image of the same stem must lie beside each JSON file"
    raise BrokenFrame(rule, f"none beside {path.name}")
