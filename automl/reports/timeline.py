"""Where the time went: attempts by slot, and the time that failures cost."""

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from automl.reports import words
from automl.reports.model import Summary
from automl.reports.phases import ByAttempt, PhaseName, as_blocks
from automl.reports.slots import Bar, bars_of, slot_bars
from automl.reports.theme import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SKY,
    VERMILLION,
    Figure,
    safe,
    styled,
    time_unit,
)
from automl.reports.waits import Wait
from automl.study.records import OutcomeState

__all__ = ["failure_figure", "timeline_figure"]

_LOOK = {
    OutcomeState.OK: (BLUE, ""),
    OutcomeState.PRUNED: (GREY, "/"),
    OutcomeState.PAUSED: (SKY, "/"),
    OutcomeState.FAILED: (VERMILLION, "x"),
    OutcomeState.INTERRUPTED: (ORANGE, "."),
}


#: Phases of an attempt, below its bar.
_PHASES: Final = {
    PhaseName.START: ("#F0E442", "start: process, data, network, first step"),
    PhaseName.TRAINING: (SKY, "training"),
    PhaseName.VALIDATION: ("#009E73", "validation"),
    PhaseName.END: (INK, "end: checkpoint, process"),
}
_BAR, _STRIP = (0.08, 0.52), (-0.3, 0.2)  # each its place in the slot, and its thickness
#: Phases that a row shows one by one; shorter ones of one kind are one block.
_TOLD_APART: Final = 300
_WAIT: Final = "rgba(138,143,152,0.35)"


def timeline_figure(
    summary: Summary, phases: ByAttempt | None = None, waits: Sequence[Wait] = ()
) -> Figure | None:
    """When each attempt ran, in which phases, and how it ended; None before the first has ended.

    Args:
        summary: The study.
        phases: Of its attempts; None or empty for none.
        waits: Of its slots.
    """
    bars = bars_of(summary)
    if not bars:
        return None
    unit = time_unit(max(bar.begin_s + bar.length_s for bar in bars))
    plot = go.Figure([_row(bars, state, unit.seconds) for state in _LOOK])
    if phases:
        plot.add_traces([_strip(bars, phases, name, unit.seconds) for name in _PHASES])
        plot.add_traces([_waiting(waits, unit.seconds)] if waits else [])
    plot.update_layout(barmode="overlay", bargap=0.25)
    slots = 1 + max(bar.slot for bar in bars)
    styled(plot, 130 + (62 if phases else 46) * slots)
    plot.update_xaxes(title_text=f"time since the first start ({unit.name})", rangemode="tozero")
    plot.update_yaxes(
        title_text="slot", tickmode="array", tickvals=list(range(slots)),
        range=[-0.5, slots - 0.5],
    )  # fmt: skip
    caption = (
        f"n = {words.count(len(bars), 'attempt')} that ended; the number is the trial's. A slot "
        "is a place for one trial at a time; white between bars is time without training."
    )
    if phases:
        caption += (
            " Below each bar its phases, and grey what a slot waited for. Validation is drawn "
            "where the trainer's log times it; else it is part of the training. Epochs too short "
            "to be told apart are one block of training and one of validation."
        )
    return Figure("timeline", "Trials over time", caption, plot)


def _strip(bars: Sequence[Bar], phases: ByAttempt, name: PhaseName, unit_s: float) -> Any:
    """One kind of phase of all attempts."""
    colour, title = _PHASES[name]
    least_s = max(bar.begin_s + bar.length_s for bar in bars) / _TOLD_APART
    parts = [
        (bar, part)
        for bar in bars
        if (own := phases.get((bar.number, bar.outcome.attempt))) is not None
        for part in as_blocks(own.parts, least_s)
        if part.name is name
    ]
    place, thick = _STRIP
    return go.Bar(
        orientation="h",
        y=[bar.slot + place for bar, _ in parts],
        base=[round((bar.begin_s + part.begin_s) / unit_s, 4) for bar, part in parts],
        x=[round(part.length_s / unit_s, 4) for _, part in parts],
        width=thick,
        customdata=[[bar.number, words.duration(part.length_s)] for bar, part in parts],
        hovertemplate=f"trial %{{customdata[0]}}: {name}, %{{customdata[1]}}<extra></extra>",
        marker={"color": colour},
        name=title,
        visible=True if parts else "legendonly",
        showlegend=bool(parts),
    )


def _waiting(waits: Sequence[Wait], unit_s: float) -> Any:
    place, thick = _STRIP
    return go.Bar(
        orientation="h",
        y=[wait.slot + place for wait in waits],
        base=[round(wait.begin_s / unit_s, 4) for wait in waits],
        x=[round(wait.length_s / unit_s, 4) for wait in waits],
        width=thick,
        text=[f"{words.duration(wait.length_s)}: {wait.cause}" for wait in waits],
        textposition="none",
        hovertemplate="waited %{text}<extra></extra>",
        marker={"color": _WAIT},
        name="wait",
    )


def _row(bars: Sequence[Bar], state: OutcomeState, unit_s: float) -> Any:
    place, thick = _BAR
    colour, pattern = _LOOK[state]
    chosen = [bar for bar in bars if bar.outcome.state is state]
    return slot_bars(
        chosen,
        unit_s,
        place=place,
        width=thick,
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
