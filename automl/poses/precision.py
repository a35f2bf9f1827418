"""Average precision over images that count several times, or not at all."""

import numpy as np
import numpy.typing as npt

__all__ = ["average_precision", "weighted_precision"]

_Array = npt.NDArray[np.float64]
_AT_ONCE = 4_000_000  # numbers in memory at once, some 30 MiB


def average_precision(scores: _Array, passed: npt.NDArray[np.bool_], n_objects: int) -> _Array:
    """The area under the monotone envelope of precision over recall (VOC's rule for all points).

    Args:
        scores: (N,) detection scores.
        passed: (N, T) whether each detection is right, under each of T rules.
        n_objects: Objects to be found.

    Returns:
        (T,) average precisions; 0 where there is nothing to find or nothing was detected. Above 1
        where more detections pass than there are objects.
    """
    if not n_objects or not len(scores):
        return np.zeros(passed.shape[1])
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_equals = np.append(ordered[1:] != ordered[:-1], True)
    right = np.cumsum(passed[order], axis=0)[last_of_equals]
    precision = right / (np.flatnonzero(last_of_equals) + 1)[:, None]
    envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    steps = np.diff(right / n_objects, axis=0, prepend=0.0)
    return np.asarray((steps * envelope).sum(axis=0))


def weighted_precision(
    scores: _Array,
    passed: npt.NDArray[np.bool_],
    weights: _Array,
    n_objects: _Array,
) -> _Array:
    """``average_precision`` where each detection counts as often as its weight says.

    Args:
        scores: (N,) detection scores.
        passed: (N,) whether each detection is right.
        weights: (B, N) how often each counts, in each of B samples.
        n_objects: (B,) objects to be found in each sample, counted as often.

    Returns:
        (B,) average precisions; 0 where there is nothing to find or nothing was detected.
    """
    if not len(scores):
        return np.zeros(len(weights))
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.append(ordered[1:] != ordered[:-1], True)
    rows = max(1, _AT_ONCE // len(scores))
    parts = []
    for start in range(0, len(weights), rows):
        counted = weights[start : start + rows][:, order]
        right = np.cumsum(counted * passed[order], axis=1)[:, last]
        seen = np.cumsum(counted, axis=1)[:, last]
        # Nothing seen yet has no precision, and adds no recall either.
        precision = np.divide(right, seen, out=np.zeros_like(right), where=seen > 0.0)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        steps = np.diff(right, axis=1, prepend=0.0)
        parts.append((steps * envelope).sum(axis=1))
    area = np.concatenate(parts)
    areas: _Array = np.divide(area, n_objects, out=np.zeros_like(area), where=n_objects > 0.0)
    return areas
