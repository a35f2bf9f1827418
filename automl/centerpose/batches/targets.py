"""Training targets of a batch of views.

Positions are computed on the host in double precision, for all objects of a batch at once, so
that they do not depend on the device; the heatmaps, which are the bulk, are drawn where they are
needed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from automl.centerpose.batches.augment import AxisMaps
from automl.centerpose.batches.objects import Objects, inside
from automl.centerpose.batches.splat import splat
from automl.centerpose.config.dataset import Dataset
from automl.data.geometry import N_CORNERS, Array

__all__ = ["Arrays", "Marks", "draw_heatmaps", "draw_targets", "gaussian_radius", "place_marks"]

Arrays = dict[str, npt.NDArray[Any]]

_MIN_OVERLAP = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Targets of B images but for the heatmaps, and what those are drawn from.

    Attributes:
        arrays: All targets of ``draw_targets`` but ``hm`` and ``hm_hp``.
        peaks: (4, K) map, column, row and radius of each Gaussian. Maps are counted through
            ``hm``, then through ``hm_hp``.
        largest: The largest radius.
    """

    arrays: Arrays
    peaks: npt.NDArray[np.int64]
    largest: int


def draw_targets(
    objects: Objects, grids: AxisMaps, flipped: npt.NDArray[np.bool_], settings: Dataset
) -> dict[str, Tensor]:
    """All target maps of one view of each of B images.

    With S symmetry rows, N = ``max_objs`` objects and a grid of G x G cells, positions in cells
    and x before y::

        hm, hm_hp          (B, S, 1, G, G), (B, S, 8, G, G)  in [0, 1], exactly 1 at a peak
        ind, reg_mask      (B, S, N)                 flat cell of the centre; whether it is there
        reg, wh, scale     (B, S, N, 2), (B, S, N, 2), (B, S, N, 3)
        hps, hps_mask      (B, S, N, 16)             corners minus the centre's cell
        hp_ind, hp_mask    (B, S, 8 N)               flat cell of each corner
        hp_offset          (B, S, 8 N, 2)            corner minus its cell

    Args:
        objects: The images' objects.
        grids: From pixels of the stored images to cells.
        flipped: (B,) whether that mirrors the image, so that corners change their names.
        settings: Grid size, most objects, which corners a mirror swaps.
    """
    marks = place_marks(objects, grids, flipped, settings)
    small = {name: torch.from_numpy(array) for name, array in marks.arrays.items()}
    return small | draw_heatmaps(
        torch.from_numpy(marks.peaks), small["ind"], settings, marks.largest
    )


def draw_heatmaps(
    peaks: Tensor, ind: Tensor, settings: Dataset, largest: int
) -> dict[str, Tensor]:
    """The targets ``hm`` and ``hm_hp``, on the device of the peaks.

    Args:
        peaks: (4, K) of ``Marks``.
        ind: (B, S, N), for the shape.
        settings: Grid size.
        largest: The largest radius.
    """
    n, rows, _ = ind.shape
    cells = settings.output_res
    maps = splat(peaks, n * rows * (1 + N_CORNERS), cells, largest)
    return {
        "hm": maps[: n * rows].view(n, rows, 1, cells, cells),
        "hm_hp": maps[n * rows :].view(n, rows, N_CORNERS, cells, cells),
    }


def place_marks(
    objects: Objects, grids: AxisMaps, flipped: npt.NDArray[np.bool_], settings: Dataset
) -> Marks:
    """Where the objects of B views are, for ``draw_targets``, whose arguments these are."""
    zoom, shift = (values[:, None, None, None] for values in (grids.zoom, grids.shift))
    points = objects.points * zoom + shift  # (B, S, N, 9, 2), cells
    order = np.where(flipped[:, None], _mirrored_order(settings.flip_idx), np.arange(N_CORNERS))
    order = order[:, None, None]
    corners = np.take_along_axis(points[..., 1:, :], order[..., None], axis=-2)
    seen = np.take_along_axis(objects.seen, order, axis=-1)
    cells = settings.output_res
    low, high = (end.clip(0, cells - 1) for end in (corners.min(-2), corners.max(-2)))
    size = high - low
    center = points[..., 0, :] if settings.center_3d else (low + high) / 2.0
    drawn = objects.present & (size > 0).all(-1) & inside(center, cells)
    placed = _PlacedObjects(
        drawn=drawn,
        center=np.where(drawn[..., None], center, 0.0),
        size=np.where(drawn[..., None], size, 1.0),
        corners=np.where(drawn[..., None, None], corners, 0.0),
        marked=drawn[..., None] & seen & inside(corners, cells),
    )
    return _marks(placed, objects.scale, settings)


@dataclass(frozen=True, slots=True, eq=False)
class _PlacedObjects:
    """Objects in B views, in cells; zeros (a size of 1) stand for what is not drawn."""

    drawn: npt.NDArray[np.bool_]  # (B, S, N)
    center: Array  # (B, S, N, 2)
    size: Array  # (B, S, N, 2)
    corners: Array  # (B, S, N, 8, 2)
    marked: npt.NDArray[np.bool_]  # (B, S, N, 8), the corners that are drawn


def _marks(placed: _PlacedObjects, scale: Array, settings: Dataset) -> Marks:
    cells, (n, rows, count) = settings.output_res, placed.drawn.shape
    cell, corner_cell = placed.center.astype(np.int64), placed.corners.astype(np.int64)
    drawn, marked = placed.drawn[..., None], placed.marked[..., None]
    flat = np.array([1, cells])
    filled: Arrays = {
        "ind": cell @ flat,
        "reg": placed.center - cell,
        "wh": placed.size * drawn,
        "scale": scale[:, None] * drawn,
        "reg_mask": placed.drawn,
        "hps": ((placed.corners - cell[..., None, :]) * drawn[..., None]).reshape(
            n, rows, count, -1
        ),
        "hps_mask": np.repeat(placed.marked, 2, axis=-1),
        "hp_ind": (corner_cell @ flat * placed.marked).reshape(n, rows, -1),
        "hp_offset": ((placed.corners - corner_cell) * marked).reshape(n, rows, -1, 2),
        "hp_mask": placed.marked.reshape(n, rows, -1),
    }
    arrays = _empty(n, rows, settings.max_objs)
    for name, values in filled.items():
        arrays[name][:, :, : values.shape[2]] = values
    peaks = _peaks(placed, gaussian_radius(placed.size))
    return Marks(arrays, peaks, int(peaks[3].max(initial=0)))


def _empty(n: int, rows: int, most: int) -> Arrays:
    f32 = np.float32
    return {
        "ind": np.zeros((n, rows, most), np.int64),
        "reg": np.zeros((n, rows, most, 2), f32),
        "wh": np.zeros((n, rows, most, 2), f32),
        "scale": np.zeros((n, rows, most, 3), f32),
        "reg_mask": np.zeros((n, rows, most), np.uint8),
        "hps": np.zeros((n, rows, most, 2 * N_CORNERS), f32),
        "hps_mask": np.zeros((n, rows, most, 2 * N_CORNERS), np.uint8),
        "hp_ind": np.zeros((n, rows, most * N_CORNERS), np.int64),
        "hp_offset": np.zeros((n, rows, most * N_CORNERS, 2), f32),
        "hp_mask": np.zeros((n, rows, most * N_CORNERS), np.uint8),
    }


def _mirrored_order(pairs: tuple[tuple[int, ...], ...]) -> npt.NDArray[np.int64]:
    order = np.arange(N_CORNERS)
    for one, other in pairs:  # counted from 1 in the spec
        order[one - 1], order[other - 1] = other - 1, one - 1
    return order


def _peaks(placed: _PlacedObjects, radius: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(4, K): the Gaussians of centres, then those of corners, as ``Marks`` has them."""
    n, rows, _ = placed.drawn.shape
    image, row, item = placed.drawn.nonzero()
    centers = placed.center[image, row, item].astype(np.int64).T
    some = np.stack([image * rows + row, *centers, radius[image, row, item]])
    image, row, item, corner = placed.marked.nonzero()
    corners = placed.corners[image, row, item, corner].astype(np.int64).T
    place = n * rows + (image * rows + row) * N_CORNERS + corner
    return np.concatenate([some, np.stack([place, *corners, radius[image, row, item]])], axis=1)


def gaussian_radius(size: Array) -> npt.NDArray[np.int64]:
    """(...): the radius, in cells, of the Gaussians that stand for boxes' centres and corners.

    CornerNet's rule (Law and Deng, 2018) as CenterNet spread it and the container has it: the
    least root of three quadratics, one for each way in which two boxes of a size can overlap by
    0.7. The roots leave out a division by the leading coefficient, so the radius is about three
    times what the overlap would ask for; networks are tuned to it by now.

    Args:
        size: (..., 2) sides of the boxes in cells, rounded up to whole ones here.
    """
    o = _MIN_OVERLAP
    width, height = np.moveaxis(np.ceil(size), -1, 0)
    total, area = height + width, height * width
    quadratics = (
        (total, area * (1.0 - o) / (1.0 + o), 4.0),
        (2.0 * total, (1.0 - o) * area, 16.0),
        (-2.0 * o * total, (o - 1.0) * area, 16.0 * o),
    )
    roots = [(b + np.sqrt(b * b - factor * c)) / 2.0 for b, c, factor in quadratics]
    least = np.minimum.reduce(roots)
    return np.asarray(np.maximum(least, 0.0), dtype=np.int64)
