"""What the trainings with other seeds say of the winner: mean, deviation, and the difference.

The values that chose the winner are left out: the best of many seeds and settings is too good to
be repeated, and would make any winner look better than it is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from automl.reports import words
from automl.study.config import Objective
from automl.study.records import TrialRecord

__all__ = ["Confirmed", "Seeds", "confirmed"]

_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Seeds:
    """One configuration trained with several seeds.

    Attributes:
        number: The trial whose settings these are.
        values: The objective at each training's best epoch; failed trainings have none.
        failed: Trainings without a value.
        mean: Of the values; None without one.
        sd: Their standard deviation, of a sample; None below two values.
    """

    number: int
    values: tuple[float, ...]
    failed: int
    mean: float | None
    sd: float | None

    def __str__(self) -> str:
        spread = "" if self.sd is None else f" ± {words.value(self.sd)}"
        return f"{words.value(self.mean)}{spread} (n = {len(self.values)})"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The winner against the default, by trainings that had no part in choosing it.

    Attributes:
        winner: The winner's settings.
        default: Those of trial 0; None if it has no value.
        difference: Of the means, winner minus default; None where one is missing.
        low: Lower end of the difference's 95 % confidence interval by Welch's t, which lets the
            two deviations differ; None below two values on either side.
        high: Upper end of it.
        is_better: Whether the whole interval lies on the better side of 0; None if unknown.
    """

    winner: Seeds
    default: Seeds | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    is_better: bool | None = None

    @property
    def finding(self) -> str:
        """What it comes to, in a few words."""
        if self.is_better is None:
            return "trained again with too few seeds to tell"
        verb = "better than" if self.is_better else "not separable from"
        return f"with other seeds {verb} the default"

    @property
    def lines(self) -> tuple[str, ...]:
        """The numbers behind it, one matter a line."""
        means = [f"trial {self.winner.number}: {self.winner}"]
        if self.default is not None:
            means.append(f"trial 0: {self.default}")
        told = (f"{'; '.join(means)}; mean ± sd of fresh seeds",)
        if self.low is None or self.high is None:
            return told
        ends = f"{words.signed(self.low)} to {words.signed(self.high)}"
        return (*told, f"difference of the means {ends} (95 % interval, Welch)")


def confirmed(
    records: Sequence[TrialRecord], winner: int, objective: Objective
) -> Confirmed | None:
    """What the trainings that confirm say; None before the winner was trained again.

    Args:
        records: Every trial of the study.
        winner: The number of the best trial of the search.
        objective: Which way is better.
    """
    ours, base = _seeds(records, winner), _seeds(records, 0)
    if ours is None or winner == 0:
        return None
    if base is None or ours.mean is None or base.mean is None:
        return Confirmed(ours, base)
    difference = ours.mean - base.mean
    ends = _welch(ours, base)
    if ends is None:
        return Confirmed(ours, base, difference)
    low, high = ends
    return Confirmed(ours, base, difference, low, high, _all_better(low, high, objective))


def _seeds(records: Sequence[TrialRecord], number: int) -> Seeds | None:
    ended = [one for one in records if one.confirms == number and one.state.is_finished]
    if not ended:
        return None
    values = tuple(one.best_value for one in ended if one.is_usable and one.best_value is not None)
    mean = fmean(values) if values else None
    sd = stdev(values) if len(values) > 1 else None
    return Seeds(number, values, len(ended) - len(values), mean, sd)


def _welch(one: Seeds, other: Seeds) -> tuple[float, float] | None:
    """The interval of the difference of the means (Welch 1947)."""
    if one.mean is None or other.mean is None or one.sd is None or other.sd is None:
        return None
    difference = one.mean - other.mean
    parts = [each.sd**2 / len(each.values) for each in (one, other) if each.sd is not None]
    total = sum(parts)
    if total == 0.0:
        return difference, difference
    freedom = total**2 / sum(
        part**2 / (len(each.values) - 1) for part, each in zip(parts, (one, other), strict=True)
    )
    from scipy import stats  # a fifth of a second, and only studies with seeds need it

    reach = float(stats.t.ppf(0.5 + _LEVEL / 2.0, freedom)) * math.sqrt(total)
    return difference - reach, difference + reach


def _all_better(low: float, high: float, objective: Objective) -> bool:
    return objective.is_better(low, 0.0) and objective.is_better(high, 0.0)
