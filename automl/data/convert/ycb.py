"""YCB-Video: ``-meta.mat`` with poses, ``-box.txt`` with names, ``-label.png``, ``points.xyz``.

Poses are from the model to the OpenCV camera, in metres, and the origin of a model is not the
middle of its box. Nothing says how much of an object is seen: it is worked out from the label
image, as the share of the outline of the model's points that its pixels cover.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from automl.data.convert.axes import rotation_from, upright
from automl.data.convert.cuboid_fit import pixels_of
from automl.data.convert.frames import (
    BrokenFrame,
    FrameRef,
    SourceBox,
    SourceFrame,
    SourceOptions,
    camera_of,
    numbers,
)
from automl.data.convert.matlab import read_arrays
from automl.data.geometry import Array, Intrinsics
from automl.data.opencv import cv2, labels
from automl.errors import FixData
from automl.inside import read_file

__all__ = ["YcbSource", "is_ycb"]

_META: Final = "-meta.mat"
_IMAGES: Final = ("-color.jpg", "-color.png")
_CLASSES: Final = "image_sets/classes.txt"
_LEVELS_UP: Final = 3
_UP: Final = "z"
_ARRAYS: Final = ("cls_indexes", "intrinsic_matrix", "poses")
_MOST_BYTES: Final = 256 << 20
_LEAST_NUMBERS: Final = 12  # four points span a box


def is_ycb(root: Path) -> bool:
    """Whether a folder holds a YCB-Video sequence, or sequences one or two levels below."""
    return any(any(root.glob(f"{'*/' * depth}*{_META}")) for depth in range(3))


class YcbSource:
    """Sequences in the layout of YCB-Video.

    Args:
        root: Folder of one sequence or of several.
        options: What the user says of it.

    Raises:
        FixData: It holds no ``-meta.mat``, or the folder of the models is missing.
    """

    def __init__(self, root: Path, options: SourceOptions) -> None:
        self._paths = sorted(root.rglob(f"*{_META}"))
        if not self._paths:
            raise FixData(
                f"a YCB-Video set must hold files named *{_META}", got="none", where=str(root)
            )
        self._models = options.models or _models_of(root)
        self._names = _class_names(self._models)
        self._points = cache(_points)
        self._up = options.up or _UP
        self._metres = options.metres or 1.0

    def frames(self) -> Sequence[FrameRef]:
        """Every frame that has a ``-meta.mat``."""
        return [
            FrameRef(path.parent.name, path.name.removesuffix(_META), path) for path in self._paths
        ]

    def read(self, ref: FrameRef) -> SourceFrame:
        """One image with its poses.

        Raises:
            BrokenFrame: Image, camera or a pose is missing or broken, or a model is unknown.
        """
        meta = _meta(ref.path)
        matrix = numbers(meta.get("intrinsic_matrix"), (3, 3), "intrinsic_matrix")
        camera = camera_of(matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])
        listed = meta.get("cls_indexes", ())
        classes = numbers(listed, (np.size(listed),), "cls_indexes")
        poses = numbers(meta.get("poses"), (3, 4, classes.size), "poses")
        seen = labels(_beside(ref, "-label.png"))
        names = self._named(ref, [int(number) for number in classes])
        boxes = [
            self._box(
                name, poses[:, :, k], camera, None if seen is None else int((seen == n).sum())
            )
            for k, (n, name) in enumerate(names)
        ]
        for suffix in _IMAGES:
            if (image := _beside(ref, suffix)).is_file():
                return SourceFrame(image, camera, tuple(boxes))
        raise BrokenFrame(f"{' or '.join(_IMAGES)} must lie beside {_META}", "neither")

    def notes(self) -> Sequence[str]:
        """How visibility was found."""
        return ["visibility is worked out from the label images (see docs/data.md)"]

    def _named(self, ref: FrameRef, numbered: list[int]) -> list[tuple[int, str]]:
        """Number and name of each object; the names of ``-box.txt`` are in the same order."""
        path = _beside(ref, "-box.txt")
        lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
        said = [line.split()[0] for line in lines if line.split()]
        if len(said) == len(numbered):
            return list(zip(numbered, said, strict=True))
        for number in numbered:
            if not 1 <= number <= len(self._names):
                rule = f"cls_indexes must be classes from 1 to {len(self._names)}"
                raise BrokenFrame(rule, str(number))
        return [(number, self._names[number - 1]) for number in numbered]

    def _box(self, kind: str, pose: Array, camera: Intrinsics, seen: int | None) -> SourceBox:
        points = self._points(self._models, kind)
        low, high = points.min(axis=0), points.max(axis=0)
        rotation = rotation_from(pose[:, :3], "poses")
        centre = rotation @ (low + high) / 2 + pose[:, 3]
        share = None
        if seen is not None:
            share = _visible(points @ rotation.T + pose[:, 3], camera, seen)
        turned, size = upright(rotation, high - low, self._up)
        return SourceBox(kind, turned, centre * self._metres, size * self._metres, share)


def _visible(points: Array, camera: Intrinsics, seen: int) -> float | None:
    """The share of the outline of the points that so many pixels cover, at most 1."""
    if (points[:, 2] <= 0).any():
        return None
    outline = cv2.convexHull(pixels_of(points, camera).astype(np.float32))
    return float(min(1.0, seen / max(1.0, cv2.contourArea(outline))))


def _meta(path: Path) -> dict[str, Array]:
    try:
        with read_file(path, follow=True) as file:
            return read_arrays(file.read(_MOST_BYTES), _ARRAYS)
    except OSError as error:
        raise BrokenFrame(f"{path.name} must be readable", str(error.strerror)) from error
    except ValueError as error:
        raise BrokenFrame(f"{path.name} must be a MATLAB file", str(error)) from error


def _beside(ref: FrameRef, suffix: str) -> Path:
    return ref.path.with_name(f"{ref.name}{suffix}")


def _models_of(root: Path) -> Path:
    place = root.absolute()
    for folder in (place, *place.parents)[: _LEVELS_UP + 1]:
        if any((folder / "models").glob("*/points.xyz")):
            return folder / "models"
    raise FixData(
        "the sizes of the models must be known from models/*/points.xyz",
        got="none beside the sequences",
        where=str(root),
        fix="give the folder of the models with --models",
    )


def _class_names(models: Path) -> list[str]:
    """The classes in the order of their numbers, from 1."""
    path = models.parent / _CLASSES
    if path.is_file():
        return path.read_text(errors="replace").split()
    return sorted(folder.parent.name for folder in models.glob("*/points.xyz"))


def _points(models: Path, kind: str) -> Array:
    """(N, 3): the points of a model.

    Raises:
        BrokenFrame: There is none of that name, or its file holds something else.
    """
    path = models / kind / "points.xyz"
    rule = f"{kind} must be a model with {path.name}"
    try:
        if "/" in kind or kind.startswith("."):
            raise ValueError("a name of a folder is meant")
        words = path.read_text().split()
    except (OSError, ValueError) as error:
        raise BrokenFrame(rule, "none that can be read", str(error)[:80]) from error
    if len(words) < _LEAST_NUMBERS or len(words) % 3:
        raise BrokenFrame(rule, f"{len(words)} numbers: x, y and z of each point are needed")
    return numbers(words, (len(words) // 3, 3), f"{path.name} of {kind}")
