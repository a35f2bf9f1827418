"""The 48 ways to order a box's corners that follow from its axes: turned, mirrored, or both."""

from dataclasses import dataclass
from itertools import permutations, product
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.data.geometry import CORNER_SIGNS, Array

__all__ = ["ORDERS", "CornerOrder", "handedness"]

_FLAT: Final = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class CornerOrder:
    """One order of the nine keypoints.

    Attributes:
        rows: (9,) the row of the file in which each keypoint of the right order stands.
        mirrored: Whether a left-handed frame comes out.
        words: What was done to the axes: ``x and z swapped``, ``y reversed``.
    """

    rows: npt.NDArray[np.intp]
    mirrored: bool
    words: str


def handedness(keypoints: Array) -> float:
    """The volume spanned by the three axes that (9, 3) keypoints say, in units of their lengths.

    1 for a box in the order of this layout, -1 for its mirror image, 0 for a flat one.
    """
    corners = keypoints[1:]
    axes = np.array(
        [
            corners[CORNER_SIGNS[:, axis] > 0].mean(axis=0)
            - corners[CORNER_SIGNS[:, axis] < 0].mean(axis=0)
            for axis in range(3)
        ]
    )
    size = float(np.prod(np.linalg.norm(axes, axis=1)))
    return float(np.linalg.det(axes)) / size if size > _FLAT else 0.0


def _orders() -> tuple[CornerOrder, ...]:
    signs = CORNER_SIGNS.tolist()
    found = []
    for axes, turns in product(permutations(range(3)), product((1, -1), repeat=3)):
        rows = [signs.index([turn * corner[axis] for axis, turn in zip(axes, turns, strict=True)])
                for corner in signs]  # fmt: skip
        matrix = np.eye(3)[list(axes)] * np.array(turns)[:, None]
        words = _words(axes, turns)
        order = CornerOrder(
            np.array([0, *(row + 1 for row in rows)]), float(np.linalg.det(matrix)) < 0, words
        )
        found.append(order)
    # The plain ones first: what is reported is the simplest that fits.
    return tuple(sorted(found, key=lambda each: len(each.words)))


def _words(axes: tuple[int, ...], turns: tuple[int, ...]) -> str:
    moved = ["xyz"[axis] for place, axis in enumerate(axes) if place != axis]
    reversed_ = ["xyz"[axis] for axis, turn in zip(axes, turns, strict=True) if turn < 0]
    said = []
    if moved:
        said.append(
            f"{' and '.join(sorted(moved))} swapped" if len(moved) == 2 else "axes rotated"
        )
    if reversed_:
        said.append(f"{' and '.join(sorted(reversed_))} reversed")
    return ", ".join(said)


ORDERS: Final = _orders()[1:]
"""All orders but the right one, the plainest first."""
