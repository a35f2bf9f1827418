"""Ranks, and what a rank correlation of few points is worth.

Everything that decides about trials goes by ranks: it is the same for any order-preserving
transform of a metric, and one absurd value moves nothing else.
"""

import math
from statistics import NormalDist
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

__all__ = [
    "Array",
    "IntArray",
    "correlation",
    "highest_plausible",
    "normal_scores",
    "ranks",
    "tied_share",
    "unrestricted",
]

Array: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.intp]

_NORMAL = NormalDist()
# Of a rank correlation the variance of Fisher's z is 1.06 / (n - 3) (Fieller, Hartley and Pearson,
# Biometrika 44, 1957).
_SPEARMAN_VARIANCE = 1.06
_NEARLY_ONE = 0.999


def ranks(values: ArrayLike, groups: IntArray | None = None) -> Array:
    """The rank of each value from 1, the lowest first; tied values share their mean rank.

    Args:
        values: Finite numbers, shape (n,).
        groups: What each value is ranked within, shape (n,); None for all together.
    """
    return _ranked(np.asarray(values, float), groups)[0]


def _ranked(values: Array, groups: IntArray | None) -> tuple[Array, IntArray]:
    """The rank of each value within its group, and the size of the group."""
    among = np.zeros(len(values), np.intp) if groups is None else groups
    # The order of tied values does not matter, and a sort that keeps it takes longer.
    order = values.argsort() if groups is None else np.lexsort((values, among))
    is_other_group = _differs(among[order])
    begin, end = _runs(is_other_group)
    tied_begin, tied_end = _runs(is_other_group | _differs(values[order]))
    given, sizes = np.empty(len(values)), np.empty(len(values), np.intp)
    given[order] = (tied_begin + 1 + tied_end) / 2 - begin
    sizes[order] = end - begin
    return given, sizes


def _differs(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each value is another one than that before it; true of the first."""
    differs = np.ones(len(values), bool)
    differs[1:] = values[1:] != values[:-1]
    return differs


def _runs(is_first: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Where the run of each place begins, and where it has ended."""
    begins = np.flatnonzero(is_first)
    ends = np.append(begins[1:], len(is_first))
    run = np.cumsum(is_first) - 1
    return begins[run], ends[run]


def normal_scores(values: ArrayLike, groups: IntArray | None = None) -> Array:
    """The value that a standard normal sample would have in each place (Blom, 1958).

    Tied values get one score; a single value gets 0, as its place says nothing.

    Args:
        values: Finite numbers, shape (n,).
        groups: What each value is ranked within, shape (n,); None for all together.
    """
    given, sizes = _ranked(np.asarray(values, float), groups)
    scores: Array = ndtri((given - 0.375) / (sizes + 0.25))
    return scores


def tied_share(values: ArrayLike) -> float:
    """The share of the values in the largest group of equal ones; 1 where there are none."""
    given = np.asarray(values, float)
    if not len(given):
        return 1.0
    largest = int(np.unique(given, return_counts=True)[1].max())
    return largest / len(given) if largest > 1 else 0.0


def correlation(one: ArrayLike, other: ArrayLike) -> float:
    """Spearman's rank correlation of two series; 0 where one of them does not move."""
    first, second = ranks(one), ranks(other)
    spread = float(first.std() * second.std()) if len(first) > 1 else 0.0
    if spread == 0.0:
        return 0.0
    return float(np.mean((first - first.mean()) * (second - second.mean()))) / spread


def highest_plausible(r: float, n: int, confidence: float) -> float:
    """The upper bound of a one-sided interval for a rank correlation, by Fisher's z.

    Args:
        r: As it was measured.
        n: From how many points; fewer than 4 bound nothing.
        confidence: Of the interval, in (0, 1).
    """
    if n < 4:
        return 1.0
    z = math.atanh(max(-_NEARLY_ONE, min(_NEARLY_ONE, r)))
    width = _NORMAL.inv_cdf(confidence) * math.sqrt(_SPEARMAN_VARIANCE / (n - 3))
    return math.tanh(z + width)


def unrestricted(r: float, spread: float) -> float:
    """The correlation among all, from that among those whom the predictor itself selected.

    Only trials that were ranked high go on, which narrows the range of what they are ranked by and
    so lowers the correlation that is seen (Thorndike, *Personnel Selection*, 1949, case 2).

    Args:
        r: Among the selected.
        spread: Standard deviation of the predictor among all, as a multiple of that among the
            selected; positive.
    """
    return r * spread / math.sqrt(1.0 + r * r * (spread * spread - 1.0))
