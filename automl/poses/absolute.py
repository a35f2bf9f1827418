"""How far off poses are in metres once a true length of the object is known.

A pose is right up to one factor, so a known height decides it: the predicted box is moved along
its line of sight until it has that height (``metres = predicted x true / predicted height``).
Whatever scaled the box before, such as a ground plane, drops out.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.poses.known_size import KnownSize
from automl.poses.sample import Sample, Statistic
from automl.poses.table import PoseTable

__all__ = ["distance_error", "location_error"]

_Numbers = npt.NDArray[np.float64]

#: Rows of the nine keypoints between which the edges along each axis run: x changes slowest among
#: the eight corners, z fastest.
_EDGES: Final = (
    ((5, 1), (6, 2), (7, 3), (8, 4)),
    ((3, 1), (4, 2), (7, 5), (8, 6)),
    ((2, 1), (4, 3), (6, 5), (8, 7)),
)
_SMALLEST: Final = 1e-12


def distance_error(known: KnownSize | None = None) -> Callable[[Sample], Statistic]:
    """The mean error of the distance from the camera, as a share of the true one.

    Args:
        known: What is taken to be known; None for each object's own height, as annotated.
    """

    def statistic(sample: Sample) -> Statistic:
        found, true = _locations(sample.detections, known)
        right = np.linalg.norm(true, axis=1)
        error = np.abs(np.linalg.norm(found, axis=1) - right) / np.maximum(right, _SMALLEST)
        return sample.over_found(error)

    return statistic


def location_error(known: KnownSize | None = None) -> Callable[[Sample], Statistic]:
    """The mean distance between predicted and true location, metres.

    Args:
        known: What is taken to be known; None for each object's own height, as annotated.
    """

    def statistic(sample: Sample) -> Statistic:
        found, true = _locations(sample.detections, known)
        return sample.over_found(np.linalg.norm(found - true, axis=1))

    return statistic


def _locations(rows: PoseTable, known: KnownSize | None) -> tuple[_Numbers, _Numbers]:
    """(N, 3) centres of N boxes, predicted under the known size and true, metres."""
    found, true = (
        rows.numbers(name).reshape(len(rows), 9, 3) for name in ("predicted_3d", "true_3d")
    )
    factor = _lengths(known, true) / np.maximum(_measured(known, found), _SMALLEST)
    return found[:, 0] * factor[:, None], true[:, 0]


def _lengths(known: KnownSize | None, true: _Numbers) -> _Numbers:
    """(N,) what is known: the height, or the diagonal of known edges."""
    if known is None:
        return _edge(true, 1)
    length = known.height if known.edges is None else float(np.linalg.norm(known.edges))
    return np.full(len(true), length)


def _measured(known: KnownSize | None, found: _Numbers) -> _Numbers:
    """(N,) the same of predicted boxes, in the unit that they have."""
    if known is None or known.edges is None:
        return _edge(found, 1)
    edges = np.stack([_edge(found, axis) for axis in range(3)], axis=1)
    diagonal: _Numbers = np.linalg.norm(edges, axis=1)
    return diagonal


def _edge(points: _Numbers, axis: int) -> _Numbers:
    """(N,) mean length of the edges along an axis."""
    lengths = [np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in _EDGES[axis]]
    mean: _Numbers = np.mean(lengths, axis=0)
    return mean
