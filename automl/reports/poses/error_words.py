"""What is wrong with a predicted pose, in words."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.poses.table import PoseTable

__all__ = ["circumstances", "nearest_of", "pose_error", "why_lost"]

_TURNED_DEG: Final = 10.0
_SHIFTED: Final = 0.05  # of the object's diameter
_SCALED: Final = 0.1
_MOST: Final = 3
_SIDES: Final[Mapping[str, tuple[str, str]]] = {
    "x": ("too far right", "too far left"),
    "y": ("too low", "too high"),
    "z": ("too far away", "too near"),
}


def pose_error(row: PoseTable) -> str:
    """The largest errors of one row, the gravest first: ``turned 93° (...), 0.12 m too near``.

    Args:
        row: A table of one row.
    """
    if not np.isfinite(row.numbers("score")[0]):
        return "not found"
    said = sorted([_turn(row), *_shifts(row), _size(row)], reverse=True)
    worst = [text for weight, text in said if weight >= 1.0][:_MOST]
    return ", ".join(worst) or "no error stands out"


def nearest_of(row: PoseTable, detections: PoseTable) -> int | None:
    """The detection that covers most of a lost object's box in the image; None without any.

    Where none touches it, the one whose centre is nearest in space.

    Args:
        row: A table of one row.
        detections: Those of its image.
    """
    if not len(detections):
        return None
    overlaps, away = _overlaps(row, detections), _away(row, detections)
    return int(np.lexsort((away, -overlaps))[0])


def why_lost(row: PoseTable, detections: PoseTable) -> str:
    """What there was in place of an object that was not found.

    Args:
        row: A table of one row.
        detections: Those of its image.
    """
    place = nearest_of(row, detections)
    if place is None:
        return "nothing was detected in the image"
    overlap, away = _overlaps(row, detections)[place], _away(row, detections)[place]
    is_anothers = detections.numbers("object")[place] >= 0
    whose = "another object's" if is_anothers else "of one hardly visible"
    return f"nearest detection ({whose}) {away:.2f} m off, 2D IoU {overlap:.2f}"


def _overlaps(row: PoseTable, detections: PoseTable) -> npt.NDArray[np.float64]:
    """(N,) intersection over union of each detection's upright box in the image with the row's."""
    (own,) = _uprights(row.numbers("true_2d"))
    others = _uprights(detections.numbers("predicted_2d"))
    low, high = np.maximum(own[0], others[:, 0]), np.minimum(own[1], others[:, 1])
    both = np.prod(np.clip(high - low, 0.0, None), axis=1)
    sizes = np.prod(others[:, 1] - others[:, 0], axis=1) + np.prod(own[1] - own[0])
    return np.asarray(both / np.maximum(sizes - both, 1e-9))


def _uprights(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(N, 2, 2) upper left and lower right ends of (N, 18) projected points."""
    corners = points.reshape(len(points), 9, 2)[:, 1:]
    return np.stack([corners.min(axis=1), corners.max(axis=1)], axis=1)


def _away(row: PoseTable, detections: PoseTable) -> npt.NDArray[np.float64]:
    """(N,) metres from each detection's centre to the row's."""
    found = detections.numbers("predicted_3d").reshape(-1, 9, 3)[:, 0]
    true = row.numbers("true_3d").reshape(9, 3)[0]
    return np.asarray(np.linalg.norm(found - true, axis=1))


def circumstances(row: PoseTable) -> str:
    """What may excuse it: how far it is, how large in the image, how much of it is seen."""
    size = f"{row.numbers('box_px')[0]:.0f} px long"
    facts = [f"{row.numbers('distance_m')[0]:.2f} m away", size]
    visible, outside = row.numbers("visibility")[0], row.numbers("truncation")[0]
    if visible < 0.995:
        facts.append(f"{100 * visible:.0f} % visible")
    if outside >= 0.005:
        facts.append(f"{100 * outside:.0f} % outside the image")
    return ", ".join(facts)


def _turn(row: PoseTable) -> tuple[float, str]:
    """Each error comes with its weight: 1 is what is worth a word."""
    angle = float(row.numbers("rotation_error_deg")[0])
    about = {axis: abs(row.numbers(f"rotation_{axis}_deg")[0]) for axis in "xyz"}
    upright = about["y"] >= 0.9 * angle
    how = " about its up axis" if upright else ""
    return angle / _TURNED_DEG, f"turned {angle:.0f}°{how}"


def _shifts(row: PoseTable) -> list[tuple[float, str]]:
    unit = _SHIFTED * float(row.numbers("diameter_m")[0])
    shifts = []
    for axis, (more, less) in _SIDES.items():
        shift = float(row.numbers(f"translation_{axis}_m")[0])
        shifts.append((abs(shift) / unit, f"{abs(shift):.2f} m {more if shift > 0 else less}"))
    return shifts


def _size(row: PoseTable) -> tuple[float, str]:
    spans = []
    for name in ("predicted_3d", "true_3d"):
        corners = row.numbers(name)[0].reshape(9, 3)[1:]
        spans.append(float(np.linalg.norm(corners[-1] - corners[0])))
    ratio = spans[0] / spans[1] - 1.0 if spans[1] > 0.0 else 0.0
    size = "large" if ratio > 0 else "small"
    return abs(ratio) / _SCALED, f"{100 * abs(ratio):.0f} % too {size}"
