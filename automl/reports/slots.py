"""Attempts over time, each in the first slot that was free when it began."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from automl.reports.derive import moment
from automl.reports.model import Summary
from automl.study.records import Outcome

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Bar", "bars_of", "slot_bars"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One attempt on the timeline.

    Attributes:
        slot: Row in which it ran, from 0; attempts of one row do not overlap.
        number: The trial.
        outcome: How the attempt ended.
        begin_s: Seconds from the study's first start.
        length_s: Its length.
    """

    slot: int
    number: int
    outcome: Outcome
    begin_s: float
    length_s: float


def bars_of(summary: Summary) -> tuple[Bar, ...]:
    """Every attempt with both moments, each in the first slot that was free when it began."""
    timed = [
        (start, end, trial.number, outcome)
        for trial in summary.trials
        for outcome in trial.attempts
        if (start := moment(outcome.started_at)) and (end := moment(outcome.ended_at))
    ]
    timed.sort(key=lambda entry: (entry[0], entry[2]))
    free_from: list[datetime] = []
    bars = []
    for start, end, number, outcome in timed:
        slot = next((i for i, free in enumerate(free_from) if free <= start), len(free_from))
        free_from[slot : slot + 1] = [end]
        begin = (start - timed[0][0]).total_seconds()
        bars.append(Bar(slot, number, outcome, begin, (end - start).total_seconds()))
    return tuple(bars)


def slot_bars(bars: Sequence[Bar], unit_s: float, place: float = 0.0, **look: Any) -> Any:
    """Attempts as bars over time, a row a slot, each with its trial's number inside.

    Args:
        bars: The attempts.
        unit_s: Seconds of one unit of the time axis.
        place: Where in the slot, from its middle.
        look: Further arguments of ``plotly.graph_objects.Bar``.
    """
    return go.Bar(
        orientation="h",
        y=[bar.slot + place for bar in bars],
        base=[bar.begin_s / unit_s for bar in bars],
        x=[bar.length_s / unit_s for bar in bars],
        text=[str(bar.number) for bar in bars],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        **look,
    )
