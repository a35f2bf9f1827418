"""How long the rest of a study takes: by trials that ended, and by the pace of those that run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import fmean, median, stdev

from automl.reports import words
from automl.study.clock import moment_of
from automl.study.config import StudyConfig
from automl.study.confirmation import n_asked, searched
from automl.study.limits import Limits
from automl.study.live import LiveAttempt
from automl.study.records import TrialRecord, TrialState

__all__ = ["Outlook", "SecondsRange", "remaining"]

_Z80 = 1.2816  # of a normal distribution, 80 % lies within so many standard deviations
#: Below three lengths their spread is not known; then it is taken to be this share of their mean.
_KNOWN_FROM, _SPREAD = 3, 0.3
#: Of the trials that rest at a rung at most so many go on: halving keeps one in three.
_GO_ON = 1 / 3


@dataclass(frozen=True, slots=True)
class SecondsRange:
    """A range of seconds.

    Attributes:
        low_s: The shorter end.
        high_s: The longer end.
        is_cut: Whether the study's time is up before all its trials would have ended.
    """

    low_s: float
    high_s: float
    is_cut: bool = False

    def after(self, seconds: float) -> "SecondsRange":
        """What is left of it after so many further seconds."""
        low, high = (max(0.0, end - seconds) for end in (self.low_s, self.high_s))
        return replace(self, low_s=low, high_s=high)

    def __str__(self) -> str:
        low, high = words.duration(self.low_s), words.duration(self.high_s)
        span = low if low == high else f"{low} to {high}"
        return f"{span}, when its time is up" if self.is_cut else f"{span}, by the trials so far"


@dataclass(frozen=True, slots=True)
class Outlook:
    """A study at one moment, as far as its rest depends on it.

    Attributes:
        config: What was asked.
        records: Every trial.
        live: The live attempts.
        now_s: Unix seconds.
        wall_s: Seconds that the study's drivers have run.
        epochs: Epochs of one full training; None if not known.
    """

    config: StudyConfig
    records: Sequence[TrialRecord]
    live: Sequence[LiveAttempt]
    now_s: float
    wall_s: float
    epochs: int | None = None


@dataclass(frozen=True, slots=True)
class _Sum:
    """The length of several trainings together: mean and variance."""

    mean: float = 0.0
    variance: float = 0.0


def remaining(outlook: Outlook) -> SecondsRange | None:
    """How long the rest takes, confirmation included.

    Trials that wait take as long as those that ended, at whatever epoch these did; fresh seeds are
    full trainings. Paused trials stay where they are in the low end, and as many go on in the high
    end as halving lets. What is left of the study's time bounds both.

    Returns:
        The range in which it lies with 80 % by the spread of the lengths so far; None once all is
        done, and as long as no trial has ended and no training has a pace.
    """
    config, records, live = outlook.config, outlook.records, outlook.live
    asked = n_asked(records, config)
    at_rest = sum(record.state.is_at_rest for record in records)
    waiting = max(0, asked - at_rest - len(live))
    if not waiting and not live:
        return None
    full, ended = _lengths(outlook)
    if not ended:
        return None
    found = sum(r.state.is_at_rest for r in searched(records))
    running = sum(each.confirms is None for each in records if _runs(each, live))
    search = min(waiting, max(0, config.limits.trials - found - running))
    parts = [_sum(search, ended), _sum(waiting - search, full)]
    left = [_left(each, outlook, full) for each in live]
    work = sum(left) + sum(part.mean for part in parts)
    spread = _Z80 * sqrt(sum(part.variance for part in parts))
    slots = max(1, config.resources.max_concurrent)
    # Not even one slot each makes it shorter than the longest single piece.
    longest = max([*left, min(ended) if waiting else 0.0])
    low = max(longest, (work - spread) / slots)
    high = max(low, (work + spread + _resting(records, full)) / slots)
    bound = _time_left(config.limits, outlook)
    return SecondsRange(min(low, bound), min(high, bound), is_cut=high > bound)


def _lengths(outlook: Outlook) -> tuple[list[float], list[float]]:
    """Seconds of full trainings, and of all trainings of the search that are at rest."""
    full = [r.seconds for r in outlook.records if r.is_usable and r.seconds > 0]
    at_rest = [
        r.seconds for r in searched(outlook.records) if r.state.is_at_rest and r.seconds > 0
    ]
    if len(full) < _KNOWN_FROM:
        full += [
            outlook.now_s - each.began_s + left
            for each in outlook.live
            if not each.first_epoch
            and (left := each.left_s(outlook.now_s, outlook.epochs)) is not None
        ]
    return full or at_rest, at_rest or full


def _runs(record: TrialRecord, live: Sequence[LiveAttempt]) -> bool:
    return any(each.number == record.number for each in live)


def _sum(n: int, lengths: Sequence[float]) -> _Sum:
    """The sum of ``n`` further lengths; their mean is known from those so far alone."""
    if not n:
        return _Sum()
    mean = fmean(lengths)
    sd = stdev(lengths) if len(lengths) >= _KNOWN_FROM else _SPREAD * mean
    return _Sum(n * mean, sd**2 * n * (1 + n / len(lengths)))


def _left(live: LiveAttempt, outlook: Outlook, full: Sequence[float]) -> float:
    by_pace = live.left_s(outlook.now_s, outlook.epochs)
    if by_pace is not None:
        return by_pace
    return max(0.0, median(full) - max(0.0, outlook.now_s - live.began_s))


def _resting(records: Sequence[TrialRecord], full: Sequence[float]) -> float:
    """Seconds that paused trials may still take."""
    whole = median(full)
    paused = [r for r in records if r.state is TrialState.PAUSED]
    return _GO_ON * sum(max(0.0, whole - record.seconds) for record in paused)


def _time_left(limits: Limits, outlook: Outlook) -> float:
    """Seconds until the study's time is up."""
    left = [float("inf")]
    if limits.max_wall_s is not None:
        left.append(limits.max_wall_s - outlook.wall_s)
    if limits.deadline is not None:
        left.append(moment_of(limits.deadline).timestamp() - outlook.now_s)
    return max(0.0, min(left))
