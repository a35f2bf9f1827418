"""What is wrong with a predicted pose, in words."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from automl.poses.table import PoseTable

__all__ = ["circumstances", "pose_error"]

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


def circumstances(row: PoseTable) -> str:
    """What may excuse it: where the object is, how much of it is seen."""
    facts = [f"{row.numbers('distance_m')[0]:.2f} m away"]
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
