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
    "best_first",
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
    order, given, _ = _ranked(np.asarray(values, float), groups, None)
    found = np.empty(len(order))
    found[order] = given
    return found


def _ranked(
    values: Array, groups: IntArray | None, order: IntArray | None
) -> tuple[IntArray, Array, IntArray | int]:
    """An order of the values; in it, each one's rank within its group, and the group's size.

    Args:
        values: Finite numbers, shape (n,).
        groups: What each value is ranked within; None for all together.
        order: The places of the values, the lowest first; None to find it.
    """
    # The order of tied values does not matter, and a sort that keeps it takes longer.
    order = values.argsort() if order is None else order
    if groups is not None:
        order = order[_by_group(groups[order])]
    is_other_value = _differs(values[order])
    if groups is None:
        return order, _mean_places(is_other_value), len(values)
    is_other_group = _differs(groups[order])
    if is_other_group.all():
        return order, np.ones(len(order)), 1
    begin, end = _runs(is_other_group)
    return order, _mean_places(is_other_group | is_other_value) - begin, end - begin


def _by_group(groups: IntArray) -> IntArray:
    """The places sorted by group, those of one group in the order in which they stand."""
    is_small = len(groups) and groups.min() >= 0 and groups.max() <= np.iinfo(np.uint16).max
    # Small integers are sorted by counting, in a time that is linear.
    return (groups.astype(np.uint16) if is_small else groups).argsort(kind="stable")


def _mean_places(is_first: NDArray[np.bool_]) -> Array:
    """The place of each of sorted values, from 1; tied ones, in one run, share their mean."""
    if is_first.all():
        return np.arange(1.0, len(is_first) + 1.0)
    begin, end = _runs(is_first)
    places: Array = (begin + 1 + end) / 2
    return places


def _differs(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each value is another one than that before it; true of the first."""
    differs = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=differs[1:])
    return differs


def _runs(is_first: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Where the run of each place begins, and where it has ended."""
    begins = np.flatnonzero(is_first)
    ends = np.append(begins[1:], len(is_first))
    run = np.cumsum(is_first) - 1
    return begins[run], ends[run]


def normal_scores(
    values: ArrayLike, groups: IntArray | None = None, order: IntArray | None = None
) -> Array:
    """The value that a standard normal sample would have in each place (Blom, 1958).

    Tied values get one score; a single value gets 0, as its place says nothing.

    Args:
        values: Finite numbers, shape (n,).
        groups: What each value is ranked within, shape (n,); None for all together.
        order: The places of the values, the lowest first, where it is known; tied ones in any.
    """
    order, given, sizes = _ranked(np.asarray(values, float), groups, order)
    scores = np.empty(len(order))
    scores[order] = ndtri((given - 0.375) / (sizes + 0.25))
    return scores


def best_first(values: Array) -> IntArray:
    """The places of the values, the highest first; of tied ones the earlier first.

    Args:
        values: Finite numbers, shape (n,).
    """
    order = (-values).argsort()
    is_other_value = _differs(values[order])
    if is_other_value.all():
        return order
    # No two of these are equal, so that no sort is needed that keeps the order of equal ones.
    return order[(np.cumsum(is_other_value) * len(order) + order).argsort()]


def tied_share(values: ArrayLike, order: IntArray | None = None) -> float:
    """The share of the values in the largest group of equal ones; 1 where there are none.

    Args:
        values: Finite numbers, shape (n,).
        order: The places of the values in either direction, where it is known.
    """
    given = np.asarray(values, float)
    if not len(given):
        return 1.0
    is_first = _differs(np.sort(given) if order is None else given[order])
    if is_first.all():
        return 0.0
    begins = np.flatnonzero(is_first)
    return int(np.diff(begins, append=len(given)).max()) / len(given)


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
