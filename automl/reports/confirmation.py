"""What the trainings with fresh seeds say of the winner: mean, deviation, and the difference.

The values that chose the winner are left out: the best of many seeds and settings is too good to
be repeated, and would make any winner look better than it is.
"""

import math
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from statistics import fmean, stdev

from automl.reports import words
from automl.study.config import Direction, Objective, StudyConfig
from automl.study.confirmation import differences
from automl.study.expected import is_race
from automl.study.records import FailureClass, TrialRecord
from automl.study.sequential import interval

__all__ = ["Confirmed", "Seeds", "Verdict", "confirmed", "seeds_of", "welch"]

_LEVEL = 0.95
#: Values closer than this, relative to their size, differ by rounding alone.
_ROUNDING = 1e-12


class Verdict(StrEnum):
    """The winner against the default."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SEPARABLE = "not separable"


@dataclass(frozen=True, slots=True)
class Seeds:
    """One configuration trained with several seeds.

    Attributes:
        number: The trial whose settings these are.
        values: The objective at each training's best epoch; failed trainings have none.
        failed: Class of failure to the number of trainings that it ended.
        mean: Of the values; None without one.
        sd: Their standard deviation, of a sample; None below two values.
    """

    number: int
    values: tuple[float, ...]
    failed: Mapping[str, int] = field(default_factory=dict)
    mean: float | None = None
    sd: float | None = None

    @property
    def n_failed(self) -> int:
        """Trainings that ended without a value."""
        return sum(self.failed.values())

    @property
    def n_broken(self) -> int:
        """Those of them that the settings are to blame for."""
        blamed = {str(failure) for failure in FailureClass if failure.is_configs_fault}
        return sum(n for name, n in self.failed.items() if name in blamed)

    @property
    def has_no_variance(self) -> bool:
        """Whether several seeds gave one value."""
        if len(self.values) < 2:
            return False
        spread = max(self.values) - min(self.values)
        return spread <= _ROUNDING * max(map(abs, self.values))

    @property
    def failures(self) -> str:
        """``3 of 5 failed: 2 diverged, 1 oom``; empty where none has failed."""
        if not self.failed:
            return ""
        classes = ", ".join(f"{n} {name}" for name, n in self.failed.items())
        return f"{self.n_failed} of {len(self.values) + self.n_failed} failed: {classes}"

    @property
    def spread(self) -> str:
        """``0.2132 ± 0.0437``: mean and standard deviation."""
        sd = "" if self.sd is None else f" ± {words.value(self.sd)}"
        return f"{words.value(self.mean)}{sd}"

    def __str__(self) -> str:
        failures = f"; {self.failures}" if self.failed else ""
        return f"{self.spread} (n = {len(self.values)}{failures})"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The winner against the default, by trainings that had no part in choosing it.

    Attributes:
        winner: The winner's settings.
        default: Those of trial 0; None if it has no value.
        difference: Of the means, winner minus default; None where one is missing.
        low: Lower end of the difference's 95 % confidence interval by Welch's t, which lets the
            two deviations differ; None below two values on either side. Where the seeds went on
            until the answer was known, that of the confidence sequence over pairs of seeds, which
            is valid whenever it is looked at.
        high: Upper end of it.
        verdict: ``better`` or ``worse`` where the whole interval lies on that side of 0, else
            ``not separable``; None where there is no interval. Settings that broke more trainings
            than the default did are never better.
        is_sequential: Whether the seeds went on until the answer was known.
        n_raced: Trials that raced for being the winner, with seeds that are not among these.
    """

    winner: Seeds
    default: Seeds | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: Verdict | None = None
    is_sequential: bool = False
    n_raced: int = 0

    @property
    def phrase(self) -> str:
        """The verdict in words that go on from the winner's name."""
        if self.verdict is None:
            return "trained with too few fresh seeds to tell"
        verb = {
            Verdict.BETTER: "better than",
            Verdict.WORSE: "worse than",
            Verdict.NOT_SEPARABLE: "not separable from",
        }[self.verdict]
        return f"{verb} the default with fresh seeds"

    @property
    def finding(self) -> str:
        """The verdict, and the winner's trainings that failed."""
        failures = self.winner.failures
        return f"{self.phrase}, and {failures}" if failures else self.phrase

    @property
    def means(self) -> str:
        """Mean and deviation of both: ``0.7333 ± 0.0208 (n = 3) against 0.6233 ± ...``."""
        against = "" if self.default is None else f" against {self.default}"
        return f"{self.winner}{against}"

    @property
    def details(self) -> tuple[str, ...]:
        """What stands behind the verdict, one matter a line: interval, lack of variance."""
        sides = [self.winner] if self.default is None else [self.winner, self.default]
        lines = []
        if self.low is not None and self.high is not None:
            ends = f"{words.signed(self.low)} to {words.signed(self.high)}"
            how = "valid after any pair of seeds" if self.is_sequential else "Welch"
            lines.append(f"difference of the means {ends} (95 % interval, {how})")
        if self.n_raced > 1:
            lines.append(
                f"chosen from the best {self.n_raced} by fresh seeds that do not count here"
            )
        constant = [f"of trial {seeds.number}" for seeds in sides if seeds.has_no_variance]
        if constant:
            whose = " and ".join(constant)
            lines.append(f"zero variance: every fresh seed {whose} gave the same value")
        return tuple(lines)


def confirmed(
    records: Sequence[TrialRecord], winner: int, config: StudyConfig
) -> Confirmed | None:
    """What the trainings that confirm say; None before the winner was trained again.

    Args:
        records: Every trial of the study.
        winner: The number of the trial that the study names as its best.
        config: Which way is better, and whether the seeds go on until the answer is known.
    """
    ours, base = seeds_of(records, winner), seeds_of(records, 0)
    if ours is None or winner == 0:
        return None
    is_sequential = config.limits.is_auto
    raced = {record.confirms for record in records if is_race(record)}
    found = Confirmed(ours, base, is_sequential=is_sequential, n_raced=len(raced))
    if base is None or ours.mean is None or base.mean is None:
        return found
    found = replace(found, difference=ours.mean - base.mean)
    ends = _sequence(records, winner, config) if is_sequential else welch(ours, base)
    if ends is None:
        return found
    verdict = _verdict(ends, config.objective)
    if verdict is Verdict.BETTER and ours.n_broken > base.n_broken:
        verdict = Verdict.NOT_SEPARABLE
    return replace(found, low=ends[0], high=ends[1], verdict=verdict)


def _sequence(
    records: Sequence[TrialRecord], winner: int, config: StudyConfig
) -> tuple[float, float] | None:
    """The confidence sequence of the difference, winner minus default; None before it has ends."""
    known, _ = differences(records, winner, config)
    low, high = interval(known)
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    turn = config.objective.direction is Direction.MINIMIZE
    return (-high, -low) if turn else (low, high)


def seeds_of(records: Sequence[TrialRecord], number: int) -> Seeds | None:
    """A trial's trainings with fresh seeds that had no part in choosing it; None without any."""
    judging = (r for r in records if r.confirms == number and not is_race(r))
    ended = [r for r in judging if r.state.is_finished]
    if not ended:
        return None
    values = tuple(r.best_value for r in ended if r.is_usable and r.best_value is not None)
    failed = Counter(str(r.failure or r.state) for r in ended if not r.is_usable)
    mean = fmean(values) if values else None
    sd = stdev(values) if len(values) > 1 else None
    return Seeds(number, values, dict(failed), mean, sd)


def welch(ours: Seeds, base: Seeds) -> tuple[float, float] | None:
    """The confidence interval of the difference of the means (Welch 1947)."""
    if ours.mean is None or base.mean is None or len(ours.values) < 2 or len(base.values) < 2:
        return None
    if ours.has_no_variance and base.has_no_variance:
        difference = ours.mean - base.mean
        return difference, difference
    from scipy import stats  # a fifth of a second, and only studies with seeds need it

    with warnings.catch_warnings():
        # One side without variance is said in the report; scipy warns of lost digits.
        warnings.simplefilter("ignore", RuntimeWarning)
        test = stats.ttest_ind(ours.values, base.values, equal_var=False)
    low, high = test.confidence_interval(_LEVEL)
    return float(low), float(high)


def _verdict(interval: tuple[float, float], objective: Objective) -> Verdict:
    if all(objective.is_better(end, 0.0) for end in interval):
        return Verdict.BETTER
    if all(objective.is_better(0.0, end) for end in interval):
        return Verdict.WORSE
    return Verdict.NOT_SEPARABLE
