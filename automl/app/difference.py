"""The difference of two trials, with an interval where there is one.

It rests on the study's own confirmation, else on trainings with fresh seeds (Welch), else on what
all trials of the study together say of the two.
"""

import math
from dataclasses import dataclass, replace

from automl.app.side_by_side import Difference, Side
from automl.reports.confirmation import welch
from automl.reports.model import Summary
from automl.study.config import Objective
from automl.study.expected import Expectations, Expected, expectations

__all__ = ["JudgedStudy", "difference_of"]

#: Standard deviations of a normal distribution to either side of its mean that hold 95 % of it.
_Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class JudgedStudy:
    """A study, and what its trials together say of each."""

    summary: Summary
    expectations: Expectations

    @classmethod
    def of(cls, summary: Summary) -> "JudgedStudy":
        """A study with what its trials say."""
        records = [each.record for each in summary.trials]
        return cls(summary, expectations(records, summary.objective))

    def expected(self, number: int) -> Expected | None:
        """What another seed would give; None where too few trials have a value to say."""
        found = self.expectations.of(number)
        return None if found is None or found.sd is None else found


def difference_of(
    first: Side, side: Side, study: JudgedStudy | None, objective: Objective
) -> Difference:
    """One trial minus another.

    Args:
        first: The one that is subtracted.
        side: The other one.
        study: That of both; None if they have two.
        objective: Which way is better.
    """
    between = None if study is None else _between(first, side, study)
    better = None if between is None else _better(*between, objective)
    if better is None:
        better = _better_by_seeds(first, side, objective)
    seen = None if study is None else _confirmed(first, side, study.summary)
    found = seen or _by_seeds(first, side) or _by_model(side, between)
    if found is not None:
        return replace(found, better=better)
    missing = first.value is None or side.value is None
    value = None if missing else (side.value or 0.0) - (first.value or 0.0)
    by = "no value" if missing else "one seed each, so that there is no interval"
    return Difference(side.name, value, None, None, better, by)


def _confirmed(first: Side, side: Side, summary: Summary) -> Difference | None:
    """What the study's own confirmation says, where the two are its winner and the default."""
    winner = summary.winner
    told = None if winner is None else winner.confirmed
    if winner is None or told is None or {first.number, side.number} != {winner.number, 0}:
        return None
    if told.difference is None or told.low is None or told.high is None:
        return None
    how = "valid after any pair of seeds" if told.is_sequential else "Welch"
    by = f"fresh seeds ({how})"
    if side.number == winner.number:
        return Difference(side.name, told.difference, told.low, told.high, None, by)
    return Difference(side.name, -told.difference, -told.high, -told.low, None, by)


def _by_seeds(first: Side, side: Side) -> Difference | None:
    if first.seeds is None or side.seeds is None:
        return None
    ends = welch(side.seeds, first.seeds)
    if ends is None or side.seeds.mean is None or first.seeds.mean is None:
        return None
    return Difference(
        side.name, side.seeds.mean - first.seeds.mean, *ends, None, "fresh seeds (Welch)"
    )


def _by_model(side: Side, between: tuple[float, float] | None) -> Difference | None:
    if between is None:
        return None
    difference, sd = between
    low, high = difference - _Z95 * sd, difference + _Z95 * sd
    by = "what another seed would give, by all trials of the study"
    return Difference(side.name, difference, low, high, None, by)


def _between(first: Side, side: Side, study: JudgedStudy) -> tuple[float, float] | None:
    """Difference and its standard deviation, by all trials of the study."""
    if side.expected is None or first.expected is None:
        return None
    sd = study.expectations.sd_between(first.number, side.number)
    return None if sd is None else (side.expected - first.expected, sd)


def _better_by_seeds(first: Side, side: Side, objective: Objective) -> float | None:
    """The same by the fresh seeds of the two alone: Welch's t with nothing known before."""
    if first.seeds is None or side.seeds is None or welch(side.seeds, first.seeds) is None:
        return None
    if side.seeds.has_no_variance and first.seeds.has_no_variance:
        return None
    from scipy import stats

    ours, base = ([-objective.loss(v) for v in s.values] for s in (side.seeds, first.seeds))
    return float(stats.ttest_ind(ours, base, equal_var=False, alternative="less").pvalue)


def _better(difference: float, sd: float, objective: Objective) -> float | None:
    """The probability that the difference is an improvement."""
    gain = -objective.loss(difference)
    return None if sd <= 0 else 0.5 * (1.0 + math.erf(gain / sd / math.sqrt(2.0)))
