"""Training targets of one image, from the pixels of its objects' corners.

Keypoints stay floats all the way: the container cuts them to whole pixels first, which throws the
fine position away that ``reg`` and ``hp_offset`` exist to learn.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from automl.centerpose.config.dataset import Dataset
from automl.data.geometry import N_CORNERS, Array, project, rotation_about_y, rotation_of
from automl.data.objectron import Annotation, PoseObject

__all__ = ["ImageObjects", "draw_targets", "gaussian_radius", "objects_of", "symmetry_rows"]

Arrays = dict[str, npt.NDArray[Any]]

_CATEGORY_ROWS = {"chair": 4, "bottle": 12}
_SYMMETRIC_OBJECT_ROWS = 4
_MIN_OVERLAP = 0.7
_FLAGS_TO_KEEP = 12  # with the centre outside: more than four of eight corners must be inside


@dataclass(frozen=True, slots=True, eq=False)
class ImageObjects:
    """What targets need of an image's N objects under S equivalent poses.

    Attributes:
        points: (S, N, 9, 2) pixels of the stored image: centre, then the corners.
        present: (S, N) whether the object has this equivalent pose and is to be learnt.
        seen: (S, N, 8) whether a corner lies inside the stored image.
        scale: (N, 3) edge lengths: relative to the height, or metres.
    """

    points: Array
    present: npt.NDArray[np.bool_]
    seen: npt.NDArray[np.bool_]
    scale: Array


def symmetry_rows(settings: Dataset) -> int:
    """How many equivalent poses targets are made for: the category's own number, if it has one."""
    return _CATEGORY_ROWS.get(settings.category, settings.num_symmetry)


def objects_of(annotation: Annotation, settings: Dataset) -> ImageObjects:
    """The pixels of every object under every equivalent pose; no augmentation yet."""
    objects = annotation.objects[: settings.max_objs]
    rows = symmetry_rows(settings)
    points = np.zeros((rows, len(objects), N_CORNERS + 1, 2))
    present = np.zeros((rows, len(objects)), dtype=np.bool_)
    scale = np.zeros((len(objects), 3))
    for k, item in enumerate(objects):
        own_rows = _rows_of(item, rows)
        points[:own_rows, k] = _equivalent(annotation, item, own_rows)
        present[:own_rows, k] = True
        scale[k] = np.abs(item.scale)
        if not settings.use_absolute_scale:
            scale[k] /= scale[k, 1]
    inside = _inside(points, annotation.width, annotation.height)
    flags = N_CORNERS + inside[..., 1:].sum(-1)
    kept = np.logical_and(present, inside[..., 0] | (flags > _FLAGS_TO_KEEP))
    return ImageObjects(points, kept, inside[..., 1:], scale)


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
        turned.append(project(camera, annotation.projection, annotation.width, annotation.height))
    return np.stack(turned)


def _inside(points: Array, width: float, height: float) -> npt.NDArray[np.bool_]:
    inside = (points >= 0.0) & (points < [width, height])
    return np.asarray(inside.all(-1), dtype=np.bool_)


def draw_targets(objects: ImageObjects, grid: Array, flipped: bool, settings: Dataset) -> Arrays:
    """All target maps of one view of an image.

    With S symmetry rows, N = ``max_objs`` objects and a grid of G x G cells, positions in cells
    and x before y::

        hm, hm_hp          (S, 1, G, G), (S, 8, G, G)  in [0, 1], exactly 1 at a peak
        ind, reg_mask      (S, N)                      flat cell of the centre; whether it is there
        reg, wh, scale     (S, N, 2), (S, N, 2), (S, N, 3)
        hps, hps_mask      (S, N, 16)                  corners minus the centre's cell
        hp_ind, hp_mask    (S, 8 N)                    flat cell of each corner
        hp_offset          (S, 8 N, 2)                 corner minus its cell

    Args:
        objects: The image's objects.
        grid: (2, 3) affine map from pixels of the stored image to cells.
        flipped: Whether that map mirrors the image, so that corners change their names.
        settings: Grid size, most objects, which corners a mirror swaps.
    """
    rows, count = objects.present.shape
    maps = _empty(rows, settings.max_objs, settings.output_res)
    points = objects.points @ grid[:, :2].T + grid[:, 2]  # (S, N, 9, 2), cells
    seen: npt.NDArray[np.bool_] = objects.seen
    if flipped:
        order = _mirrored_order(settings.flip_idx)
        points[:, :, 1:] = points[:, :, 1:][:, :, order]
        seen = seen[:, :, order]
    for row in range(rows):
        for k in range(count):
            if objects.present[row, k]:
                view = _View(points[row, k], seen[row, k], objects.scale[k])
                _draw(maps, (row, k), view, settings)
    return maps


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    points: Array  # (9, 2) cells
    seen: npt.NDArray[np.bool_]  # (8,)
    scale: Array  # (3,)


def _empty(rows: int, n: int, cells: int) -> Arrays:
    f32 = np.float32
    return {
        "hm": np.zeros((rows, 1, cells, cells), f32),
        "hm_hp": np.zeros((rows, N_CORNERS, cells, cells), f32),
        "ind": np.zeros((rows, n), np.int64),
        "reg": np.zeros((rows, n, 2), f32),
        "wh": np.zeros((rows, n, 2), f32),
        "scale": np.zeros((rows, n, 3), f32),
        "reg_mask": np.zeros((rows, n), np.uint8),
        "hps": np.zeros((rows, n, 2 * N_CORNERS), f32),
        "hps_mask": np.zeros((rows, n, 2 * N_CORNERS), np.uint8),
        "hp_ind": np.zeros((rows, n * N_CORNERS), np.int64),
        "hp_offset": np.zeros((rows, n * N_CORNERS, 2), f32),
        "hp_mask": np.zeros((rows, n * N_CORNERS), np.uint8),
    }


def _mirrored_order(pairs: tuple[tuple[int, ...], ...]) -> npt.NDArray[np.intp]:
    order = np.arange(N_CORNERS)
    for one, other in pairs:  # counted from 1 in the spec
        order[one - 1], order[other - 1] = other - 1, one - 1
    return order


def _draw(maps: Arrays, place: tuple[int, int], view: _View, settings: Dataset) -> None:
    """Draws one object under one equivalent pose, unless none of it is left in the view."""
    cells = settings.output_res
    corners = view.points[1:]
    low, high = corners.min(0).clip(0, cells - 1), corners.max(0).clip(0, cells - 1)
    width, height = high - low
    center = view.points[0] if settings.center_3d else (low + high) / 2.0
    if width <= 0 or height <= 0 or not _inside(center, cells, cells):
        return
    row, k = place
    cell = center.astype(np.int64)
    radius = gaussian_radius(math.ceil(height), math.ceil(width))
    _splat(maps["hm"][row, 0], cell, radius)
    maps["ind"][place] = cell[1] * cells + cell[0]
    maps["reg"][place] = center - cell
    maps["wh"][place] = width, height
    maps["scale"][place] = view.scale
    maps["reg_mask"][place] = 1
    maps["hps"][place] = (corners - cell).ravel()
    drawn = view.seen & _inside(corners, cells, cells)
    maps["hps_mask"][place] = np.repeat(drawn, 2)
    for j in np.flatnonzero(drawn):
        at = row, k * N_CORNERS + int(j)
        corner_cell = corners[j].astype(np.int64)
        _splat(maps["hm_hp"][row, j], corner_cell, radius)
        maps["hp_ind"][at] = corner_cell[1] * cells + corner_cell[0]
        maps["hp_offset"][at] = corners[j] - corner_cell
        maps["hp_mask"][at] = 1


def gaussian_radius(height: float, width: float) -> int:
    """The radius, in cells, of the Gaussian that stands for a box's centre or corner.

    CornerNet's rule (Law and Deng, 2018) as CenterNet spread it and the container has it: the
    least root of three quadratics, one for each way in which two boxes of a size can overlap by
    0.7. The roots leave out a division by the leading coefficient, so the radius is about three
    times what the overlap would ask for; networks are tuned to it by now.
    """
    o = _MIN_OVERLAP
    total, area = height + width, height * width
    quadratics = (
        (total, area * (1.0 - o) / (1.0 + o), 4.0),
        (2.0 * total, (1.0 - o) * area, 16.0),
        (-2.0 * o * total, (o - 1.0) * area, 16.0 * o),
    )
    roots = [(b + math.sqrt(b * b - factor * c)) / 2.0 for b, c, factor in quadratics]
    return max(0, int(min(roots)))


@cache
def _gaussian(radius: int) -> npt.NDArray[np.float32]:
    """(2r+1, 2r+1): a Gaussian of deviation (2r+1)/6 with 1 in its middle."""
    sigma = (2 * radius + 1) / 6.0
    ramp = np.arange(-radius, radius + 1)
    bell = np.exp(-(ramp**2) / (2.0 * sigma * sigma))
    return np.outer(bell, bell).astype(np.float32)


def _splat(heatmap: npt.NDArray[np.float32], cell: npt.NDArray[np.int64], radius: int) -> None:
    """Raises the map to a Gaussian around ``cell``, in place; existing higher values stay."""
    x, y = int(cell[0]), int(cell[1])
    height, width = heatmap.shape
    left, right = min(x, radius), min(width - x, radius + 1)
    top, bottom = min(y, radius), min(height - y, radius + 1)
    patch = heatmap[y - top : y + bottom, x - left : x + right]
    bell = _gaussian(radius)[radius - top : radius + bottom, radius - left : radius + right]
    np.maximum(patch, bell, out=patch)
