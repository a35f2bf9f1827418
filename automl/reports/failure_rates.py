"""Which values of a parameter broke more trainings than others, and whether that is chance."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb
from typing import Final

from automl.reports import words
from automl.reports.axes import is_doubling
from automl.reports.derive import is_number, setting
from automl.reports.model import Summary, TrialReport
from automl.space.parameter import Parameter
from automl.space.proposal import sampled
from automl.study.records import TrialState

__all__ = ["Rate", "failure_rates"]

_PARTS: Final = 3
_SHOWN: Final = 8
_LEVEL: Final = 0.05
_Z: Final = 1.959964  # two-sided 95 % of a normal distribution


@dataclass(frozen=True, slots=True)
class Rate:
    """Trials with values of one kind, and how many of them failed of their configuration.

    Attributes:
        key: The parameter.
        values: The values, in words.
        n: Trials that had them.
        n_failed: Those that failed.
        p: How often so many failures or more fall on these trials by chance (Fisher's exact test,
            one-sided), times the number of comparisons left (Holm 1979); at most 1.
    """

    key: str
    values: str
    n: int
    n_failed: int
    p: float

    @property
    def percent(self) -> str:
        """``25 %``."""
        return f"{100 * self.n_failed / self.n:.0f} %"

    @property
    def interval(self) -> str:
        """The 95 % interval of the rate (Wilson 1927)."""
        share, n = self.n_failed / self.n, self.n
        centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
        return f"{100 * max(0.0, centre - half):.0f} to {100 * min(1.0, centre + half):.0f} %"

    @property
    def said(self) -> str:
        """Whether it is more than chance, in words."""
        shown = f"p = {self.p:.2g}" if self.p < 1 else "p = 1"
        return f"{'yes' if self.p <= _LEVEL else 'not separable from chance'} ({shown})"


def failure_rates(summary: Summary) -> list[Rate]:
    """The clearest excess of failures first; none where no configuration failed."""
    ended = [
        trial
        for trial in summary.trials
        if trial.record.confirms is None and trial.record.state.is_at_rest
    ]
    total = sum(map(_has_failed, ended))
    groups = [
        (parameter.key, values, members)
        for parameter in sampled(summary.space)
        for values, members in _groups(parameter, ended)
        if 0 < len(members) < len(ended)
    ]
    if not total or not groups:
        return []
    rates = []
    for key, values, members in groups:
        n, k = len(members), sum(map(_has_failed, members))
        p = _at_least(k, n, total, len(ended))
        rates.append(Rate(key, values, n, k, p))
    rates.sort(key=lambda rate: rate.p)
    return [rate for rate in _holm(rates) if rate.n_failed][:_SHOWN]


def _at_least(k: int, n: int, n_failed: int, n_all: int) -> float:
    """Probability of ``k`` or more of the failures among ``n`` of all (hypergeometric)."""
    most = min(n, n_failed)
    cases = (comb(n_failed, i) * comb(n_all - n_failed, n - i) for i in range(k, most + 1))
    return sum(cases) / comb(n_all, n)


def _holm(rates: Sequence[Rate]) -> Iterator[Rate]:
    """The same with each p-value corrected for how many there are; rising ones are given."""
    highest = 0.0
    for i, rate in enumerate(rates):
        highest = max(highest, min(1.0, rate.p * (len(rates) - i)))
        yield Rate(rate.key, rate.values, rate.n, rate.n_failed, highest)


def _has_failed(trial: TrialReport) -> bool:
    failure = trial.record.failure
    return (
        trial.record.state is TrialState.FAILED
        and failure is not None
        and failure.is_configs_fault
    )


def _groups(
    parameter: Parameter, trials: Sequence[TrialReport]
) -> Iterator[tuple[str, list[TrialReport]]]:
    """Options one by one; a range in thirds of what was tried."""
    given = [(setting(trial.record.params, parameter.key), trial) for trial in trials]
    kinds = {words.param(value) for value, _ in given if value is not None}
    if parameter.options or (len(kinds) <= 2 * _PARTS and is_doubling(parameter)):
        for text in sorted(kinds):
            yield text, [trial for value, trial in given if words.param(value) == text]
        return
    known = sorted(
        ((float(value), trial) for value, trial in given if is_number(value)),
        key=lambda pair: pair[0],
    )
    for i in range(_PARTS):
        part = known[i * len(known) // _PARTS : (i + 1) * len(known) // _PARTS]
        if part:
            ends = f"{words.param(part[0][0])} to {words.param(part[-1][0])}"
            yield ends, [trial for _, trial in part]
