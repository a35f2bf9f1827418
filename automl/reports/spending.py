"""Where the time went, as bars and in a sentence: planned, used by state, saved."""

from collections.abc import Iterator, Mapping
from typing import Any

import plotly.graph_objects as go

from automl.reports import words
from automl.reports.findings import Cost
from automl.reports.model import Summary
from automl.reports.theme import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SKY,
    VERMILLION,
    Figure,
    styled,
    time_unit,
)
from automl.study.records import TrialState

__all__ = ["budget_figure", "wall_sentence"]

_COLOURS = {
    TrialState.COMPLETE: BLUE,
    TrialState.PRUNED: GREY,
    TrialState.PAUSED: SKY,
    TrialState.FAILED: VERMILLION,
    TrialState.RUNNING: ORANGE,
}
_HOUR_S = 3600.0


def wall_sentence(cost: Cost) -> str:
    """The wall time and its parts, which add up."""
    rest = cost.wall_s - cost.busy_s
    whole = words.duration(cost.wall_s)
    if rest < 0.05 * cost.wall_s or rest < 1.0:
        return f"{whole} of wall time, a trial under way for all of it."
    return (
        f"{whole} of wall time: {words.duration(cost.busy_s)} with at least one trial under way, "
        f"{words.duration(rest)} with none (Ray's start, the data, choosing, the end)."
    )


def budget_figure(summary: Summary) -> Figure | None:
    """Planned, used and saved; None where there is nothing but what was used."""
    spent = summary.spent
    is_gpu = bool(spent.gpu_seconds)
    used = summary.cost.gpu_seconds_by_state if is_gpu else summary.cost.seconds_by_state
    planned = spent.gpu_hours * _HOUR_S if is_gpu and spent.gpu_hours is not None else None
    price = spent.price if is_gpu else None
    if planned is None and spent.saved_s is None and price is None:
        return None
    unit = time_unit(max(sum(used.values()), planned or 0.0, spent.saved_s or 0.0))
    plot = go.Figure(list(_used(used, unit.seconds, price)))
    if spent.saved_s:
        each = _rate(summary) if is_gpu else 1.0
        length = spent.saved_s * each / unit.seconds
        plot.add_trace(_bar("ended early", "saved", 0.0, length, "#009E73"))
    if planned is not None:
        plot.add_trace(_bar("limit", "planned", 0.0, planned / unit.seconds, INK))
    rows = ["used", *(["saved"] if spent.saved_s else []), *(["planned"] if planned else [])]
    styled(plot, 120 + 44 * len(rows))
    plot.update_layout(barmode="overlay", bargap=0.3)
    kind = "GPU time" if is_gpu else "training time"
    plot.update_xaxes(title_text=f"{kind} ({unit.name})", rangemode="tozero")
    plot.update_yaxes(type="category", categoryorder="array", categoryarray=rows[::-1])
    caption = (
        "Used: by how the trials ended. Saved, an estimate: the epochs that trials ended early "
        "were not trained, at each trial's own pace without its start."
    )
    if price is not None:
        caption += f" In brackets: what it cost at {price:g} a GPU-hour."
    return Figure("budget", "Planned, used, saved", caption, plot)


def _used(
    seconds_by_state: Mapping[TrialState, float], unit_s: float, price: float | None
) -> Iterator[Any]:
    """The bars of what was used, one after the other, each with its cost where there is one."""
    base = 0.0
    for state, seconds in seconds_by_state.items():
        if seconds:
            cost = "" if price is None else f" ({words.money(price * seconds / _HOUR_S)})"
            colour = _COLOURS.get(state, INK)
            yield _bar(f"{state}{cost}", "used", base / unit_s, seconds / unit_s, colour)
            base += seconds


def _rate(summary: Summary) -> float:
    """GPUs that a second of training holds."""
    return summary.cost.gpu_seconds / summary.cost.seconds if summary.cost.seconds else 1.0


def _bar(name: str, row: str, base: float, length: float, colour: str) -> Any:
    return go.Bar(
        orientation="h",
        x=[length],
        y=[row],
        base=[base],
        name=name,
        marker={"color": colour},
        hovertemplate=f"{name}: %{{x:.3g}}<extra></extra>",
    )
