"""Time in which a slot had no trial under way, and what it waited for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from automl.reports.derive import moment
from automl.reports.model import Summary
from automl.reports.slots import Bar
from automl.study import attributes
from automl.study.actions import read_actions
from automl.study.layout import StudyPaths

__all__ = ["Wait", "WaitTotal", "by_cause", "waits_of"]

#: Shorter ones, in seconds and as a share of the whole, are the change from one trial to the next.
_LEAST_S: Final = 1.0
_LEAST_SHARE: Final = 0.002
_MOST: Final = 0.5
_AGAIN: Final = (attributes.SOURCE_RACE, attributes.SOURCE_CONFIRM)

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Wait:
    """A slot without a trial.

    Attributes:
        slot: Which one.
        begin_s: Seconds from the study's first start.
        length_s: Seconds.
        cause: What it waited for.
    """

    slot: int
    begin_s: float
    length_s: float
    cause: str


def waits_of(summary: Summary, bars: Sequence[Bar]) -> tuple[Wait, ...]:
    """The gaps between the attempts of each slot, and before and after them.

    Args:
        summary: The study, whose folder is asked for its evaluations.
        bars: Its attempts over time.
    """
    if not bars:
        return ()
    whole = max(bar.begin_s + bar.length_s for bar in bars)
    evaluations = list(_evaluations(summary))
    return tuple(
        Wait(slot, begin, end - begin, _cause(summary, bars, (begin, end), following, evaluations))
        for slot in range(1 + max(bar.slot for bar in bars))
        for begin, end, following in _gaps([b for b in bars if b.slot == slot], whole)
    )


@dataclass(frozen=True, slots=True)
class WaitTotal:
    """All waits of one cause: how many, and their seconds over all slots."""

    cause: str
    n: int
    seconds: float


def by_cause(waits: Sequence[Wait]) -> list[WaitTotal]:
    """The causes, the longest first."""
    lengths: dict[str, list[float]] = {}
    for wait in waits:
        lengths.setdefault(wait.cause, []).append(wait.length_s)
    totals = [WaitTotal(cause, len(each), sum(each)) for cause, each in lengths.items()]
    return sorted(totals, key=lambda total: -total.seconds)


def _gaps(own: Sequence[Bar], whole: float) -> Iterator[tuple[float, float, Bar | None]]:
    """Begin and end of each gap, and the attempt that ends it."""
    ends = [0.0, *(bar.begin_s + bar.length_s for bar in own)]
    for begin, bar in zip(ends, [*own, None], strict=True):
        end = whole if bar is None else bar.begin_s
        if end - begin > max(_LEAST_S, _LEAST_SHARE * whole):
            yield begin, end, bar


def _evaluations(summary: Summary) -> Iterator[Span]:
    starts = [moment(o.started_at) for trial in summary.trials for o in trial.attempts]
    first = min((start for start in starts if start is not None), default=None)
    for _, record in read_actions(StudyPaths(summary.folder).actions):
        begin = moment(record.started_at)
        if begin is not None and first is not None:
            at = (begin - first).total_seconds()
            yield at, at + record.seconds


def _cause(
    summary: Summary,
    bars: Sequence[Bar],
    gap: Span,
    following: Bar | None,
    evaluations: Sequence[Span],
) -> str:
    length = gap[1] - gap[0]
    if _covered(gap, evaluations) > _MOST * length:
        return "evaluations of checkpoints"
    beside = [(bar.begin_s, bar.begin_s + bar.length_s) for bar in bars]
    if _covered(gap, beside) <= _MOST * length:
        return "no trial under way: the next was chosen, or nobody drove the study"
    if following is None:
        return "nothing left to start while the others end"
    if _source(summary, following) in _AGAIN:
        return "what follows needs the trials beside it"
    return "the next trial was chosen, or had no place yet"


def _source(summary: Summary, bar: Bar) -> str:
    trial = summary.trial(bar.number)
    return "" if trial is None else trial.record.source


def _covered(gap: Span, spans: Sequence[Span]) -> float:
    """Seconds of a gap in which at least one of the spans lies."""
    inside = [(max(a, gap[0]), min(b, gap[1])) for a, b in spans if a < gap[1] and b > gap[0]]
    edges = sorted({*(a for a, _ in inside), *(b for _, b in inside)})
    return sum(
        b - a for a, b in pairwise(edges) if any(begin <= a and b <= end for begin, end in inside)
    )
