"""When pairs of trainings have shown enough: a test that may be looked at after every pair.

Winner and default are trained with the same fresh seeds, one pair after the other, and it is asked
after each pair whether the answer is known. A usual interval would be wrong then: looked at often
enough, chance crosses it. What is used here is valid at any moment:

- The evidence against "no difference" is a mixture likelihood ratio of the pairs' differences,
  normal with any variance: the effect, in standard deviations, is N(0, ``_EFFECT``²) under the
  alternative, and the variance has the right Haar prior. It is an e-process: whatever decides when
  to stop, the chance that it ever reaches 1/alpha without a difference is at most alpha (Ville
  1939; Lai 1976, "On Confidence Sequences"; Hendriksen, de Heide and Grünwald 2021, "Optional
  Stopping with Bayes Factors"; Wang and Ramdas 2025, "Anytime-Valid t-Tests and Confidence
  Sequences for Gaussian Means with Unknown Variance").
- The differences that it does not refute are a confidence sequence; its intersection over time is
  one too.
- Giving up needs no such care, as it claims nothing: it is hopeless once the chance that the
  remaining pairs show the winner to be better is small (stochastic curtailment; Lan, Simon and
  Halperin 1982).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from automl.study.limits import AUTO, Limits

__all__ = [
    "FEWEST_PAIRS",
    "LEVEL",
    "MOST_PAIRS",
    "Answer",
    "chance_of_better",
    "decide",
    "interval",
    "pairs_for",
    "pairs_likely",
]

#: Confidence of the interval, whenever it is looked at.
LEVEL = 0.95
#: Pairs below which nothing is decided, and after which nothing further is tried.
FEWEST_PAIRS, MOST_PAIRS = 3, Limits(confirm=AUTO).most_seeds
_EFFECT = 3.0
_HOPELESS = 0.1
_LIKELY = 0.5
_ROUNDING = 1e-12


class Answer(StrEnum):
    """What the pairs say."""

    OPEN = "open"
    BETTER = "better"
    WORSE = "worse"
    HOPELESS = "hopeless"


@dataclass(frozen=True, slots=True)
class _Moments:
    n: int
    mean: float
    sd: float

    @classmethod
    def of(cls, differences: Sequence[float]) -> "_Moments":
        n, largest = len(differences), max(map(abs, differences))
        mean = math.fsum(differences) / n
        sd = math.sqrt(math.fsum((each - mean) ** 2 for each in differences) / (n - 1))
        return cls(n, mean, sd if sd > _ROUNDING * largest else 0.0)


def _threshold(n: int) -> float:
    """The t of n differences at which the evidence reaches 1/alpha; infinite where none does."""
    spread = 1.0 + n * _EFFECT**2
    needed = (math.sqrt(spread) / (1.0 - LEVEL)) ** (2.0 / n)
    if n < 2 or needed >= spread:
        return math.inf
    return math.sqrt((n - 1) * (needed - 1.0) / (1.0 - needed / spread))


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """The confidence sequence after these differences, in the order of the seeds.

    Returns:
        Its two ends, of the intersection over all pairs so far; infinite while nothing is refuted.
        Where the intersection is empty, as chance may have it once in twenty, the newest interval.
    """
    low, high = -math.inf, math.inf
    newest = (low, high)
    for n in range(2, len(differences) + 1):
        seen = _Moments.of(differences[:n])
        threshold = _threshold(n)
        half = math.inf if math.isinf(threshold) else threshold * seen.sd / math.sqrt(n)
        newest = (seen.mean - half, seen.mean + half)
        low, high = max(low, newest[0]), min(high, newest[1])
    return (low, high) if low <= high else newest


def decide(differences: Sequence[float], most: int = MOST_PAIRS) -> Answer:
    """Whether the pairs so far have answered, or never will.

    Args:
        differences: Winner minus default by pair, in the order of the seeds, turned so that more
            is better; pairs that lack a value are left out.
        most: Pairs after which nothing further is tried.
    """
    for n in range(FEWEST_PAIRS, len(differences) + 1):
        answer = _after(differences[:n], most)
        if answer is not Answer.OPEN:
            return answer  # what was decided stays so, whatever pairs were under way
    return Answer.OPEN


def _after(differences: Sequence[float], most: int) -> Answer:
    low, high = interval(differences)
    if low > 0.0:
        return Answer.BETTER
    if high < 0.0:
        return Answer.WORSE
    is_over = len(differences) >= most or chance_of_better(differences, most) < _HOPELESS
    return Answer.HOPELESS if is_over else Answer.OPEN


def chance_of_better(differences: Sequence[float], most: int) -> float:
    """The chance that the winner is shown to be better by the time of ``most`` pairs.

    Judged by the mean and deviation so far, and what they leave open of the pairs to come
    (Student's t).
    """
    from scipy import special

    seen = _Moments.of(differences)
    threshold = _threshold(most)
    if most <= seen.n or math.isinf(threshold):
        return 0.0
    if seen.sd == 0.0:
        return 1.0 if seen.mean > 0.0 else 0.0
    needed = threshold * seen.sd / math.sqrt(most)
    open_sd = seen.sd * math.sqrt(1.0 / seen.n - 1.0 / most)
    return float(special.stdtr(seen.n - 1, (seen.mean - needed) / open_sd))


def pairs_likely(differences: Sequence[float], most: int = MOST_PAIRS) -> int:
    """How many pairs in all will more likely than not have answered; at most ``most``."""
    n = len(differences)
    if n < FEWEST_PAIRS:
        return FEWEST_PAIRS
    for total in range(n + 1, most):
        if chance_of_better(differences, total) >= _LIKELY:
            return total
    return most


def pairs_for(
    difference: float, sd: float, power: float = 0.9, most: int = MOST_PAIRS
) -> int | None:
    """How many pairs show a difference with a given chance.

    Args:
        difference: The true difference of the two means, positive.
        sd: Standard deviation of one training's value; that of a pair's difference is the root of
            2 times it.
        power: The chance.
        most: Pairs after which nothing further is tried.

    Returns:
        None where ``most`` pairs are too few.
    """
    from scipy import special

    if difference <= 0.0:
        return None
    of_pair = math.sqrt(2.0) * sd
    for n in range(FEWEST_PAIRS, most + 1):
        threshold = _threshold(n)
        if math.isinf(threshold):
            continue
        if of_pair <= _ROUNDING * difference:
            return n
        effect = difference * math.sqrt(n) / of_pair
        if 1.0 - float(special.nctdtr(n - 1, effect, threshold)) >= power:
            return n
    return None
