"""The objects of a split as tables: what targets are made from, before any augmentation.

Keypoints stay floats all the way: the container cuts them to whole pixels first, which throws the
fine position away that ``reg`` and ``hp_offset`` exist to learn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automl.centerpose.config.dataset import Dataset
from automl.data.geometry import N_CORNERS, Array, project, rotation_about_y, rotation_of
from automl.data.objectron import Annotation, PoseObject

__all__ = ["Objects", "inside", "objects_of", "symmetry_rows"]

_CATEGORY_ROWS = {"chair": 4, "bottle": 12}
_SYMMETRIC_OBJECT_ROWS = 4
_FLAGS_TO_KEEP = 12  # with the centre outside: more than four of eight corners must be inside


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """What targets need of B images, each with at most N objects under S equivalent poses.

    Attributes:
        points: (B, S, N, 9, 2) pixels of the stored image: centre, then the corners.
        present: (B, S, N) whether the object has this equivalent pose and is to be learnt.
        seen: (B, S, N, 8) whether a corner lies inside the stored image.
        scale: (B, N, 3) edge lengths: relative to the height, or metres.
    """

    points: Array
    present: npt.NDArray[np.bool_]
    seen: npt.NDArray[np.bool_]
    scale: Array

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> "Objects":
        """Some of the images."""
        return Objects(self.points[rows], self.present[rows], self.seen[rows], self.scale[rows])


def symmetry_rows(settings: Dataset) -> int:
    """How many equivalent poses targets are made for: the category's own number, if it has one."""
    return _CATEGORY_ROWS.get(settings.category, settings.num_symmetry)


def objects_of(annotations: Sequence[Annotation], settings: Dataset) -> Objects:
    """The pixels of every object of each image under every equivalent pose."""
    rows = symmetry_rows(settings)
    counts = [len(annotation.objects[: settings.max_objs]) for annotation in annotations]
    most = max([1, *counts])
    n = len(annotations)
    points = np.zeros((n, rows, most, N_CORNERS + 1, 2))
    present = np.zeros((n, rows, most), np.bool_)
    scale = np.zeros((n, most, 3))
    for i, annotation in enumerate(annotations):
        for k, item in enumerate(annotation.objects[: settings.max_objs]):
            own_rows = _rows_of(item, rows)
            pixels = _equivalent(annotation, item, own_rows)
            # A turn may bring a corner into the camera's own plane, where it has no pixel.
            has_pixels = np.asarray(np.isfinite(pixels).all(axis=(1, 2), keepdims=True))
            points[i, :own_rows, k] = np.where(has_pixels, pixels, 0.0)
            present[i, :own_rows, k] = has_pixels[:, 0, 0]
            scale[i, k] = np.abs(item.scale)
            if not settings.use_absolute_scale:
                scale[i, k] /= scale[i, k, 1]
    extents = np.array(
        [(annotation.width, annotation.height) for annotation in annotations]
    ).reshape(n, 1, 1, 1, 2)
    within = inside(points, extents)
    flags = N_CORNERS + within[..., 1:].sum(-1)
    kept = present & (within[..., 0] | (flags > _FLAGS_TO_KEEP))
    return Objects(points, kept, within[..., 1:], scale)


def _rows_of(item: PoseObject, rows: int) -> int:
    if item.symmetric is None:
        return rows
    return min(rows, _SYMMETRIC_OBJECT_ROWS if item.symmetric else 1)


def _equivalent(annotation: Annotation, item: PoseObject, rows: int) -> Array:
    """(rows, 9, 2) pixels of an object turned about its own y axis by whole parts of a turn."""
    if rows == 1:
        return item.projected_cuboid[None]
    rotation = rotation_of(item.quaternion_xyzw)
    own = (item.keypoints_3d - item.location) @ rotation  # (9, 3), the object's frame
    turned = []
    for row in range(rows):
        turn = rotation @ rotation_about_y(2.0 * math.pi * row / rows)
        camera = own @ turn.T + item.location
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            turned.append(
                project(camera, annotation.projection, annotation.width, annotation.height)
            )
    return np.stack(turned)


def inside(points: Array, extents: npt.NDArray[Any] | int) -> npt.NDArray[np.bool_]:
    """(...) whether (..., 2) points lie in [0, width) x [0, height)."""
    within = (points >= 0.0) & (points < extents)
    return np.asarray(within.all(-1), dtype=np.bool_)
