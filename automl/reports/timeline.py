"""Where the time went: attempts by slot, and the time that failures cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from automl.reports import words
from automl.reports.derive import moment
from automl.reports.model import Summary
from automl.reports.theme import (
    BLUE,
    GREY,
    ORANGE,
    SKY,
    VERMILLION,
    Figure,
    safe,
    styled,
    time_unit,
)
from automl.study.records import Outcome, OutcomeState

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Bar", "bars_of", "failure_figure", "slot_bars", "timeline_figure"]

_LOOK = {
    OutcomeState.OK: (BLUE, ""),
    OutcomeState.PRUNED: (GREY, "/"),
    OutcomeState.PAUSED: (SKY, "/"),
    OutcomeState.FAILED: (VERMILLION, "x"),
    OutcomeState.INTERRUPTED: (ORANGE, "."),
}


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


def timeline_figure(summary: Summary) -> Figure | None:
    """When each attempt ran and how it ended; None before the first has ended."""
    bars = bars_of(summary)
    if not bars:
        return None
    unit = time_unit(max(bar.begin_s + bar.length_s for bar in bars))
    plot = go.Figure([_row(bars, state, unit.seconds) for state in _LOOK])
    plot.update_layout(barmode="overlay", bargap=0.25)
    slots = 1 + max(bar.slot for bar in bars)
    styled(plot, 120 + 46 * slots)
    plot.update_xaxes(title_text=f"time since the first start ({unit.name})", rangemode="tozero")
    plot.update_yaxes(title_text="slot", tickmode="array", tickvals=list(range(slots)))
    return Figure(
        "timeline",
        "Trials over time",
        f"n = {words.count(len(bars), 'attempt')} that ended; the number is the trial's. A slot "
        "is a place for one trial at a time; white between bars is time without training.",
        plot,
    )


def slot_bars(bars: Sequence[Bar], unit_s: float, **look: Any) -> Any:
    """Attempts as bars over time, a row a slot, each with its trial's number inside.

    Args:
        bars: The attempts.
        unit_s: Seconds of one unit of the time axis.
        look: Further arguments of ``plotly.graph_objects.Bar``.
    """
    return go.Bar(
        orientation="h",
        y=[bar.slot for bar in bars],
        base=[bar.begin_s / unit_s for bar in bars],
        x=[bar.length_s / unit_s for bar in bars],
        text=[str(bar.number) for bar in bars],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        **look,
    )


def _row(bars: Sequence[Bar], state: OutcomeState, unit_s: float) -> Any:
    colour, pattern = _LOOK[state]
    chosen = [bar for bar in bars if bar.outcome.state is state]
    return slot_bars(
        chosen,
        unit_s,
        customdata=[[bar.number, _hover(bar)] for bar in chosen],
        hovertemplate="%{customdata[1]}<extra></extra>",
        marker={
            "color": colour,
            "pattern": {"shape": pattern, "fillmode": "overlay", "size": 6},
            "line": {"color": "rgba(255,255,255,0.8)", "width": 1},
        },
        name=str(state),
        visible=True if chosen else "legendonly",
        showlegend=bool(chosen),
    )


def _hover(bar: Bar) -> str:
    outcome = bar.outcome
    cause = f" ({outcome.failure})" if outcome.failure else ""
    text = f"trial {bar.number}.{outcome.attempt}: {outcome.state}{cause}"
    text += f"<br>{words.duration(bar.length_s)}"
    if outcome.evidence:
        text += f"<br>{safe(words.one_line(outcome.evidence, 90))}"
    return text


def failure_figure(summary: Summary) -> Figure | None:
    """The training time that each class of failure cost; None if nothing failed."""
    if not summary.failures:
        return None
    groups = summary.failures[::-1]
    unit = time_unit(max(group.seconds for group in groups))
    plot = go.Figure(
        go.Bar(
            orientation="h",
            x=[group.seconds / unit.seconds for group in groups],
            y=[str(group.failure) for group in groups],
            text=[words.count(len(group.numbers), "trial") for group in groups],
            textposition="auto",
            marker={"color": VERMILLION},
            hovertemplate="%{y}: %{x:.2f} " + unit.name + "<extra></extra>",
        )
    )
    styled(plot, 120 + 40 * len(groups))
    plot.update_xaxes(title_text=f"training time lost ({unit.name})", rangemode="tozero")
    failed = sum(len(group.numbers) for group in groups)
    ended = f"{failed} of {words.count(summary.n_finished, 'ended trial')} failed."
    return Figure("failures", "Time lost to failures", ended, plot)
