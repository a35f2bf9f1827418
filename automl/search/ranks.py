"""Ranks, and what a rank correlation of few points is worth.

Everything that decides about trials goes by ranks: it is the same for any order-preserving
transform of a metric, and one absurd value moves nothing else.
"""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist, fmean, pstdev

__all__ = [
    "correlation",
    "highest_plausible",
    "normal_scores",
    "ranks",
    "tied_share",
    "unrestricted",
]

_NORMAL = NormalDist()
# Of a rank correlation the variance of Fisher's z is 1.06 / (n - 3) (Fieller, Hartley and Pearson,
# Biometrika 44, 1957).
_SPEARMAN_VARIANCE = 1.06
_NEARLY_ONE = 0.999


def ranks(values: Sequence[float]) -> list[float]:
    """The rank of each value from 1, the lowest first; tied values share their mean rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    given = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            given[place] = (start + 1 + end) / 2
        start = end
    return given


def normal_scores(values: Sequence[float]) -> list[float]:
    """The value that a standard normal sample would have in each place (Blom, 1958).

    Tied values get one score; a single value gets 0, as its place says nothing.
    """
    n = len(values)
    return [_NORMAL.inv_cdf((rank - 0.375) / (n + 0.25)) for rank in ranks(values)]


def tied_share(values: Sequence[float]) -> float:
    """The share of the values in the largest group of equal ones; 1 where there are none."""
    if not values:
        return 1.0
    largest = max(Counter(values).values())
    return largest / len(values) if largest > 1 else 0.0


def correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's rank correlation of two series; 0 where one of them does not move."""
    first, second = ranks(one), ranks(other)
    spread = pstdev(first) * pstdev(second) if len(first) > 1 else 0.0
    if spread == 0.0:
        return 0.0
    means = fmean(first), fmean(second)
    pairs = zip(first, second, strict=True)
    return fmean((a - means[0]) * (b - means[1]) for a, b in pairs) / spread


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
