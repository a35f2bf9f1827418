"""How far apart the poses of two runtimes of one network are, on the same images."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

from automl.centerpose.batches.augment import Views
from automl.centerpose.evaluation.decode import to_pixels
from automl.centerpose.evaluation.detections import Detections
from automl.centerpose.evaluation.pnp import solve_pnp
from automl.centerpose.evaluation.suppress import detect
from automl.data.geometry import Array

__all__ = ["BORDERLINE", "FoundPoses", "Tolerance", "compare_poses", "found_poses"]

BORDERLINE: Final = 0.01
"""By how much a score may exceed the least that suffices, and the other side lack the object."""

_MEASURES: Final = ("pixel", "angle_deg", "distance_percent")
_STEADY: Final = 0.05  # radians, roughly, and a share of the distance
_JOLT: Final = 0.01 * np.random.default_rng(0).choice([-1.0, 1.0], size=(8, 2))  # pixels
_SAME: Final = 0.5  # of a box's longer side: how far apart corners of one object may lie


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The largest differences that are taken for rounding.

    Attributes:
        pixel: Of a corner, pixels of the stored image.
        angle: Between the rotations, degrees.
        distance: Between the translations, per cent of the distance from the camera.
    """

    pixel: float = 0.5
    angle: float = 0.5
    distance: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class FoundPoses:
    """The N objects that were found in one image.

    Attributes:
        floor: The score that a detection must exceed: the threshold, or the last of the K scores
            where all K exceed that.
        scores: (N,) scores after suppression.
        points: (N, 8, 2) corners as the network says them, pixels.
        reach: (N,) longer side of the 2D boxes, pixels.
        rotation: (N, 3, 3) object to camera.
        translation: (N, 3) object to camera.
        solved: (N,) 1 where there is a pose.
        steady: (N,) 1 where a hundredth of a pixel more or less leaves the pose what it is.
    """

    floor: float
    scores: Array
    points: Array
    reach: Array
    rotation: Array
    translation: Array
    solved: Array
    steady: Array

    def __len__(self) -> int:
        return len(self.scores)


def found_poses(
    cells: Detections, sizes: Array, cameras: Sequence[Array], threshold: float, side: int
) -> list[FoundPoses]:
    """The poses in each image of a batch, as ``inference`` makes them, in OpenCV's frame.

    Args:
        cells: (B, K) detections in cells of the maps.
        sizes: (B, 2) width and height of the stored images, pixels.
        cameras: A camera matrix (3, 3) for each image.
        threshold: Score that a detection must exceed.
        side: Side of the maps, cells.
    """
    views = Views.whole(sizes.astype(np.int64))
    center, size = torch.as_tensor(views.center), torch.as_tensor(views.size)
    detected = detect(to_pixels(cells, center, size, side), threshold)
    finite = detected.detections.scale.isfinite().all(dim=1).nonzero()[:, 0]
    kept, image = detected.detections.take(finite), detected.image[finite]
    camera = torch.as_tensor(np.stack(cameras))[image]
    rotation, translation, solved = solve_pnp(kept.points, kept.scale, camera)
    jolted = kept.points + torch.as_tensor(_JOLT)
    turned, shifted, again = solve_pnp(jolted, kept.scale, camera)
    reach = (kept.boxes[:, 2:] - kept.boxes[:, :2]).amax(dim=1)
    moved = (shifted - translation).norm(dim=1) / translation.norm(dim=1)
    chord = (turned - rotation).flatten(1).norm(dim=1)
    steady = solved & again & (moved < _STEADY) & (chord < _STEADY)
    tensors = kept.scores, kept.points, reach, rotation, translation, solved, steady
    fields = [values.double().numpy() for values in tensors]
    rows, floors = image.numpy(), cells.scores[:, -1].clamp(min=threshold).tolist()
    return [
        FoundPoses(floor, *(values[rows == k] for values in fields))
        for k, floor in enumerate(floors)
    ]


def compare_poses(
    ours: Sequence[FoundPoses], theirs: Sequence[FoundPoses], tolerance: Tolerance
) -> dict[str, Any]:
    """How far another runtime's poses are from the reference's.

    Args:
        ours: The reference's, one entry an image.
        theirs: The other's of the same images.
        tolerance: What is taken for rounding.

    Returns:
        ``matched``, ``only_reference`` and ``only_this`` (objects), ``borderline`` (those among
        the last two whose score barely suffices), ``unsteady`` (matched ones whose
        corners determine no pose, as those of a network that has learnt little), ``lost`` (poses
        that the other alone lacks), ``pixel``, ``angle_deg`` and ``distance_percent`` with
        ``median``, ``largest`` and the place of the ``image`` (None where there is no pair), and
        ``within``: whether all is rounding.
    """
    both = [*zip(ours, theirs, strict=True)]
    pairs = [[*_pairs(*each)] for each in both]
    rows = [
        (*_apart(*both[number], pair), number)
        for number, paired in enumerate(pairs)
        for pair in paired
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    differences = {
        name: _spread(table[:, column], table[:, 3]) for column, name in enumerate(_MEASURES)
    }
    alone = [_alone(both, pairs, side) for side in (0, 1)]
    clear = sum(surplus > BORDERLINE for each in alone for surplus in each)
    lost = int(np.isinf(table[:, 1]).sum())
    return {
        "matched": len(rows),
        "only_reference": len(alone[0]),
        "only_this": len(alone[1]),
        "borderline": sum(map(len, alone)) - clear,
        "unsteady": int(np.isnan(table[:, 1]).sum()),
        "lost": lost,
        **differences,
        "within": bool(rows) and not clear and not lost and _is_close(differences, tolerance),
    }


def _is_close(differences: Mapping[str, Any], tolerance: Tolerance) -> bool:
    bounds = (tolerance.pixel, tolerance.angle, tolerance.distance)
    return all(
        each is None or each["largest"] <= bound
        for each, bound in zip(differences.values(), bounds, strict=True)
    )


def _alone(
    both: Sequence[tuple[FoundPoses, FoundPoses]],
    pairs: Sequence[Sequence[tuple[int, int]]],
    side: int,
) -> list[float]:
    """By how much the scores of objects that one side alone has found exceed the least."""
    return [
        float(each[side].scores[k]) - max(each[0].floor, each[1].floor)
        for each, paired in zip(both, pairs, strict=True)
        for k in range(len(each[side]))
        if k not in {pair[side] for pair in paired}
    ]


def _pairs(one: FoundPoses, other: FoundPoses) -> Iterator[tuple[int, int]]:
    """Which of one side's objects is which of the other's: the nearest pairs first."""
    if not len(one) or not len(other):
        return
    apart = np.linalg.norm(one.points[:, None] - other.points[None], axis=3).mean(axis=2)
    reach = np.maximum(one.reach, 1.0)[:, None]
    apart = np.where(apart <= _SAME * reach, apart, np.inf)
    while np.isfinite(apart).any():
        i, j = divmod(int(apart.argmin()), apart.shape[1])
        apart[i], apart[:, j] = np.inf, np.inf
        yield i, j


def _apart(
    one: FoundPoses, other: FoundPoses, pair: tuple[int, int]
) -> tuple[float, float, float]:
    """Pixels of the worst corner, degrees, per cent of the distance.

    The last two are not numbers where the reference has no steady pose, and infinite where the
    other has none.
    """
    i, j = pair
    pixel = float(np.linalg.norm(one.points[i] - other.points[j], axis=1).max())
    if not one.steady[i]:
        return pixel, np.nan, np.nan
    if not other.solved[j]:
        return pixel, np.inf, np.inf
    # By the chord: the arccosine of a trace sees nothing below a hundredth of a degree.
    chord = float(np.linalg.norm(one.rotation[i] - other.rotation[j]))
    angle = float(np.degrees(2.0 * np.arcsin(min(1.0, chord / np.sqrt(8.0)))))
    away = float(np.linalg.norm(one.translation[i]))
    moved = float(np.linalg.norm(one.translation[i] - other.translation[j]))
    return pixel, angle, 100.0 * moved / away


def _spread(values: Array, images: Array) -> dict[str, Any] | None:
    known = np.isfinite(values)
    values, images = values[known], images[known]
    if not len(values):
        return None
    worst = int(values.argmax())
    return {
        "median": float(np.median(values)),
        "largest": float(values[worst]),
        "image": int(images[worst]),
    }
