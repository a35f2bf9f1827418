"""The rules of one annotation file, checked without arrays.

Training loads annotations with :mod:`automl.data.objectron`; this module answers, on a machine
that has neither NumPy nor OpenCV, whether that would succeed.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from automl.jsontext import read_json

__all__ = ["AnnotationFacts", "AnnotationProblem", "check_annotation"]

_Shape: TypeAlias = tuple[int, ...]

_N_JOINTS: Final = 8
_CUBOIDS: Final[Mapping[str, _Shape]] = {
    "projected_cuboid": (_N_JOINTS + 1, 2),
    "keypoints_3d": (_N_JOINTS + 1, 3),
}
_OBJECT: Final[Mapping[str, _Shape]] = {
    "scale": (3,),
    "location": (3,),
    "quaternion_xyzw": (4,),
    "visibility": (),
}
_TOP: Final[Mapping[tuple[str, ...], _Shape]] = {
    ("camera_data", "width"): (),
    ("camera_data", "height"): (),
    ("camera_data", "intrinsics", "fx"): (),
    ("camera_data", "intrinsics", "fy"): (),
    ("camera_data", "intrinsics", "cx"): (),
    ("camera_data", "intrinsics", "cy"): (),
    ("camera_data", "camera_projection_matrix"): (4, 4),
    ("camera_data", "camera_view_matrix"): (4, 4),
    ("AR_data", "plane_center"): (3,),
    ("AR_data", "plane_normal"): (3,),
}


@dataclass(frozen=True, slots=True)
class AnnotationProblem:
    """A broken rule.

    Attributes:
        rule: What should hold.
        got: What was found.
        where: The file.
        fix: How to mend it; empty where the rule says it.
    """

    rule: str
    got: str
    where: Path
    fix: str = ""


@dataclass(frozen=True, slots=True)
class AnnotationFacts:
    """What one annotation file says.

    Attributes:
        size: Width and height of the image in pixels; None if the file does not say.
        categories: Class to number of objects.
        problems: The rules it breaks; empty if training can read it.
    """

    size: tuple[int, int] | None = None
    categories: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[AnnotationProblem, ...] = ()


def check_annotation(path: Path) -> AnnotationFacts:
    """What an annotation file says, and which rules it breaks."""
    try:
        values = read_json(path)
    except OSError as error:
        return _one_problem("an annotation can be read", str(error.strerror), path)
    except (ValueError, RecursionError) as error:
        return _one_problem("an annotation is JSON", str(error), path)
    if not isinstance(values, dict):
        got = type(values).__name__
        return _one_problem("an annotation is a JSON object", got, path)
    objects = values.get("objects")
    if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
        return _one_problem("objects is a list of JSON objects", _short(objects), path)
    problems = [*_top_problems(values, path), *_object_problems(objects, path)]
    categories = Counter(str(item["class"]) for item in objects if "class" in item)
    return AnnotationFacts(_size(values), categories, tuple(problems))


def _one_problem(rule: str, got: str, path: Path) -> AnnotationFacts:
    return AnnotationFacts(problems=(AnnotationProblem(rule, got, path),))


def _top_problems(values: Mapping[str, Any], path: Path) -> Iterator[AnnotationProblem]:
    for keys, shape in _TOP.items():
        found: Any = values
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if _shape(found) != shape:
            yield AnnotationProblem(f"{'.'.join(keys)} is {_words(shape)}", _short(found), path)


def _object_problems(objects: list[dict[str, Any]], path: Path) -> Iterator[AnnotationProblem]:
    for index, item in enumerate(objects):
        for key, shape in _CUBOIDS.items():
            found = item.get(key)
            if _shape(found) != shape:
                yield _cuboid_problem(f"objects[{index}].{key}", shape, found, path)
        for key, shape in _OBJECT.items():
            if _shape(item.get(key)) != shape:
                place = f"objects[{index}].{key}"
                yield AnnotationProblem(f"{place} is {_words(shape)}", _short(item.get(key)), path)
        for key in ("class", "name"):
            if not isinstance(item.get(key), str):
                yield AnnotationProblem(
                    f"objects[{index}].{key} is text", _short(item.get(key)), path
                )


def _cuboid_problem(place: str, shape: _Shape, found: object, path: Path) -> AnnotationProblem:
    """A wrong number of rows has a name of its own, the one that the container's users know."""
    rule = f"{place} is {_words(shape)}: the centre and the 8 corners (num_joints 8)"
    fix = "annotate the box with 8 corners; other numbers of joints cannot be trained"
    if isinstance(found, list) and len(found) != shape[0]:
        got = f"num_joints mismatch: {len(found)} rows, so {len(found) - 1} joints"
        return AnnotationProblem(rule, got, path, fix)
    return AnnotationProblem(rule, _short(found), path, fix)


def _shape(value: object) -> _Shape | None:
    """The shape of a number or of nested lists of numbers; None if ragged, or not finite."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return () if math.isfinite(value) else None
    if not isinstance(value, list) or not value:
        return None
    inner = {_shape(item) for item in value}
    first = inner.pop()
    return None if inner or first is None else (len(value), *first)


def _words(shape: _Shape) -> str:
    return f"{' x '.join(map(str, shape))} finite numbers" if shape else "a finite number"


def _short(value: object) -> str:
    """A value as an error shows it."""
    if value is None:
        return "nothing"
    if isinstance(value, list):
        shape = _shape(value)
        kind = "a list with something else in it" if shape is None else _words(shape)
        return f"{len(value)} entries: {kind}"
    return repr(value)[:60]


def _size(values: Mapping[str, Any]) -> tuple[int, int] | None:
    camera = values.get("camera_data")
    if not isinstance(camera, dict):
        return None
    sides = camera.get("width"), camera.get("height")
    if any(_shape(side) != () for side in sides):
        return None
    return int(camera["width"]), int(camera["height"])
