"""How many turns about its up axis leave an object as it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from automl.data.geometry import Array

__all__ = ["CONTINUOUS_TURNS", "UprightSymmetry", "upright_symmetry"]

CONTINUOUS_TURNS: Final = 12
"""Turns that stand for any angle, as the TAO container takes for a bottle."""
_SAME: Final = 0.999
_LEAST_RAD: Final = 1e-2


@dataclass(frozen=True, slots=True)
class UprightSymmetry:
    """What of an object's symmetries the training layout can say.

    Attributes:
        turns: Turns about the up axis that look the same, 1 for one alone.
        others: Whether it looks the same from below or lying down too, which the layout cannot
            say.
    """

    turns: int = 1
    others: bool = False


def upright_symmetry(
    up: Array, discrete: Sequence[Array], continuous: Sequence[Array]
) -> UprightSymmetry:
    """The turns about one axis among an object's symmetries.

    Args:
        up: (3,) unit vector of the object's frame.
        discrete: (3, 3) rotations onto itself.
        continuous: (3,) axes about which any angle looks the same.
    """
    axes = [axis / np.linalg.norm(axis) for axis in continuous]
    about_up = [abs(float(axis @ up)) > _SAME for axis in axes]
    upright = [rotation for rotation in discrete if float(up @ rotation @ up) > _SAME]
    angles = [_angle(rotation) for rotation in upright]
    turned = [angle for angle in angles if angle > _LEAST_RAD]
    turns = round(2 * np.pi / min(turned)) if turned else 1
    others = len(upright) < len(discrete) or not all(about_up)
    return UprightSymmetry(CONTINUOUS_TURNS if any(about_up) else turns, others)


def _angle(rotation: Array) -> float:
    """In [0, pi]."""
    return float(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
