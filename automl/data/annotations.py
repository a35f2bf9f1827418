"""The rules of one annotation file.

They are checked without arrays, on a machine that has neither NumPy nor OpenCV;
:mod:`automl.data.objectron` makes arrays of what passes here, so that what this module accepts is
what training reads.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from automl.errors import FixData
from automl.jsontext import read_json

__all__ = [
    "AnnotationFacts",
    "AnnotationProblem",
    "check_annotation",
    "load_annotation",
    "visibility_missing",
]

_Shape: TypeAlias = tuple[int, ...]

_N_JOINTS: Final = 8
_CUBOIDS: Final[Mapping[str, _Shape]] = {
    "projected_cuboid": (_N_JOINTS + 1, 2),
    "keypoints_3d": (_N_JOINTS + 1, 3),
}
_OBJECT: Final[Mapping[str, _Shape]] = {"scale": (3,), "location": (3,), "quaternion_xyzw": (4,)}
_POSITIVE: Final = (
    ("camera_data", "width"),
    ("camera_data", "height"),
    ("camera_data", "intrinsics", "fx"),
    ("camera_data", "intrinsics", "fy"),
)
_TOP: Final[Mapping[tuple[str, ...], _Shape]] = {
    **dict.fromkeys(_POSITIVE, ()),
    ("camera_data", "intrinsics", "cx"): (),
    ("camera_data", "intrinsics", "cy"): (),
    ("camera_data", "camera_projection_matrix"): (4, 4),
    ("camera_data", "camera_view_matrix"): (4, 4),
    ("AR_data", "plane_center"): (3,),
    ("AR_data", "plane_normal"): (3,),
}
_SYMMETRIC: Final = ("True", "False")
#: Pixels, metres and matrices stay far below; beyond it, products of them overflow.
_LARGEST: Final = 1e9
#: Of an edge in metres, of a quaternion's length, of a depth: what is smaller divides nothing.
_SMALLEST: Final = 1e-9


@dataclass(frozen=True, slots=True)
class AnnotationProblem:
    """A broken rule.

    Attributes:
        rule: What must hold.
        got: What was found.
        where: The file.
        fix: How to fix it; empty where the rule says it.
    """

    rule: str
    got: str
    where: Path
    fix: str = ""

    def error(self, others: Sequence[Path] = ()) -> FixData:
        """The problem as an error.

        Args:
            others: Files that are broken too.
        """
        fix = self.fix or "fix the file or take the frame out"
        if others:
            fix += f"; also broken: {', '.join(map(str, others))}"
        return FixData(self.rule, got=self.got, where=str(self.where), fix=fix)


@dataclass(frozen=True, slots=True)
class AnnotationFacts:
    """What one annotation file says.

    Attributes:
        size: Width and height of the image in pixels; None if the file does not say.
        categories: Class to number of objects.
        problems: The rules it breaks; empty if training can read it.
        n_without_visibility: Objects of which the file does not say how much can be seen;
            training does without, scoring does not.
    """

    size: tuple[int, int] | None = None
    categories: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[AnnotationProblem, ...] = ()
    n_without_visibility: int = 0


def visibility_missing(path: Path) -> AnnotationProblem:
    """The problem of a file that leaves out a visibility, where something is scored on it."""
    return AnnotationProblem(
        "an object that is scored must say how much of it can be seen",
        "one without visibility",
        path,
        "add visibility (1.0 if nothing hides it); a train split does without",
    )


def check_annotation(path: Path) -> AnnotationFacts:
    """What an annotation file says, and which rules it breaks."""
    return load_annotation(path)[1]


def load_annotation(path: Path) -> tuple[dict[str, Any], AnnotationFacts]:
    """The JSON of an annotation file, and what it says.

    Returns:
        The file's own value, which holds all that the rules ask for if there is no problem, and
        its facts.
    """
    try:
        values = read_json(path)
    except OSError as error:
        return _one_problem("an annotation must be readable", str(error.strerror), path)
    except ValueError as error:
        return _one_problem("an annotation must be JSON", str(error), path)
    if not isinstance(values, dict):
        got = type(values).__name__
        return _one_problem("an annotation must be a JSON object", got, path)
    objects = values.get("objects")
    if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
        return _one_problem("objects must be a list of JSON objects", _short(objects), path)
    facts = AnnotationFacts(
        _size(values),
        Counter(str(item["class"]) for item in objects if "class" in item),
        (
            *_top_problems(values, path),
            *_object_problems(objects, path),
            *_depth_problems(values, objects, path),
        ),
        sum("visibility" not in item for item in objects),
    )
    return values, facts


def _one_problem(rule: str, got: str, path: Path) -> tuple[dict[str, Any], AnnotationFacts]:
    return {}, AnnotationFacts(problems=(AnnotationProblem(rule, got, path),))


def _top_problems(values: Mapping[str, Any], path: Path) -> Iterator[AnnotationProblem]:
    for keys, shape in _TOP.items():
        value: Any = values
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        place = ".".join(keys)
        if _shape(value) != shape:
            yield AnnotationProblem(f"{place} must be {_words(shape)}", _short(value), path)
        elif keys in _POSITIVE and not value > 0:
            yield AnnotationProblem(f"{place} must be positive", _short(value), path)


def _object_problems(objects: list[dict[str, Any]], path: Path) -> Iterator[AnnotationProblem]:
    for index, item in enumerate(objects):
        place = f"objects[{index}]"
        for key, shape in _CUBOIDS.items():
            if _shape(item.get(key)) != shape:
                yield _cuboid_problem(f"{place}.{key}", shape, item.get(key), path)
        for key, shape in _OBJECT.items():
            if _shape(item.get(key)) != shape:
                yield AnnotationProblem(
                    f"{place}.{key} must be {_words(shape)}", _short(item.get(key)), path
                )
        for key in ("class", "name"):
            if not isinstance(item.get(key), str):
                yield AnnotationProblem(f"{place}.{key} must be text", _short(item.get(key)), path)
        yield from _odd_values(item, place, path)


def _odd_values(item: Mapping[str, Any], place: str, path: Path) -> Iterator[AnnotationProblem]:
    """Values of the right form that no object has."""
    scale, turn = _numbers(item.get("scale"), 3), _numbers(item.get("quaternion_xyzw"), 4)
    if scale and min(map(abs, scale)) < _SMALLEST:
        rule = f"{place}.scale must be three edge lengths other than 0"
        yield AnnotationProblem(rule, repr(scale), path)
    if turn and math.hypot(*turn) < _SMALLEST:
        yield AnnotationProblem(f"{place}.quaternion_xyzw must be a rotation", repr(turn), path)
    if "visibility" in item and _shape(item["visibility"]) != ():
        rule = f"{place}.visibility must be a finite number, or be left out of a train split"
        yield AnnotationProblem(rule, _short(item["visibility"]), path)
    symmetric = item.get("symmetric")
    if not (symmetric is None or isinstance(symmetric, bool) or symmetric in _SYMMETRIC):
        rule = f"{place}.symmetric must be 'True' or 'False'"
        yield AnnotationProblem(rule, _short(symmetric), path)


def _numbers(value: object, count: int) -> list[float]:
    """A list of so many numbers; an empty one where it is something else."""
    return value if isinstance(value, list) and _shape(value) == (count,) else []


def _depth_problems(
    values: Mapping[str, Any], objects: list[dict[str, Any]], path: Path
) -> Iterator[AnnotationProblem]:
    """Keypoints without a pixel: those that the camera's matrix puts into its own plane."""
    camera = values.get("camera_data")
    matrix = camera.get("camera_projection_matrix") if isinstance(camera, dict) else None
    if not isinstance(matrix, list) or _shape(matrix) != (4, 4):
        return
    for index, item in enumerate(objects):
        points = item.get("keypoints_3d")
        if not isinstance(points, list) or _shape(points) != _CUBOIDS["keypoints_3d"]:
            continue
        depths = (
            sum(factor * value for factor, value in zip(matrix[3], (*point, 1.0), strict=True))
            for point in points
        )
        if any(abs(depth) < _SMALLEST for depth in depths):
            rule = f"objects[{index}].keypoints_3d must lie before or behind the camera"
            yield AnnotationProblem(rule, "one in the camera's own plane", path)


def _cuboid_problem(place: str, shape: _Shape, value: object, path: Path) -> AnnotationProblem:
    """A wrong number of rows has a name of its own, the one that the container's users know."""
    rule = f"{place} must be {_words(shape)}: the centre and the 8 corners (num_joints 8)"
    fix = "annotate the box with 8 corners; other numbers of joints cannot be trained"
    if isinstance(value, list) and len(value) != shape[0]:
        got = f"num_joints mismatch: {len(value)} rows, so {len(value) - 1} joints"
        return AnnotationProblem(rule, got, path, fix)
    return AnnotationProblem(rule, _short(value), path, fix)


def _shape(value: object) -> _Shape | None:
    """The shape of a number or of nested lists of numbers; None if ragged, or not finite."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return () if _is_measure(value) else None
    if not isinstance(value, list) or not value:
        return None
    inner = {_shape(item) for item in value}
    first = inner.pop()
    return None if inner or first is None else (len(value), *first)


def _is_measure(value: float) -> bool:
    return -_LARGEST <= value <= _LARGEST  # which NaN is not


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
    if isinstance(value, int | float) and _LARGEST < abs(value) < math.inf:
        return "a number too large for any measure"
    return repr(value)[:60]


def _size(values: Mapping[str, Any]) -> tuple[int, int] | None:
    camera = values.get("camera_data")
    if not isinstance(camera, dict):
        return None
    sides = camera.get("width"), camera.get("height")
    if any(_shape(side) != () for side in sides):
        return None
    return int(camera["width"]), int(camera["height"])
