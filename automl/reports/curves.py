"""The learning curves of all trials."""

from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go

from automl.reports import words
from automl.reports.model import Summary, TrialReport
from automl.reports.theme import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    VERMILLION,
    Figure,
    safe,
    styled,
    whole_ticks,
)
from automl.study.records import TrialState

__all__ = ["learning_figure"]


def learning_figure(summary: Summary) -> Figure | None:
    """The objective by epoch, one line a trial; None if no trial has an epoch.

    The lines of one kind are a single trace with gaps, so that hundreds of them stay quick.
    """
    measured = [trial for trial in summary.trials if trial.record.values]
    if not measured:
        return None
    plot = go.Figure([trace for kind in _kinds(summary, measured) for trace in kind])
    plot.add_traces([*_early(measured), *_rungs(summary, measured)])
    styled(plot, 380)
    newest = max(max(trial.record.values) for trial in measured)
    plot.update_xaxes(title_text="epoch (zero-based)", **whole_ticks(newest))
    plot.update_yaxes(title_text=safe(summary.measured))
    n_again = sum(trial.record.confirms is not None for trial in measured)
    again = f" and {words.count(n_again, 'training')} with fresh seeds" if n_again else ""
    return Figure(
        "learning",
        "Learning curves",
        f"n = {words.count(len(measured) - n_again, 'trial')}{again} with at least one "
        "validation. The large dot is the best epoch, whose checkpoint is the one to use."
        f"{_about_rungs(summary, measured)}",
        plot,
    )


def _ended_early(measured: Sequence[TrialReport]) -> list[TrialReport]:
    early = (TrialState.PRUNED, TrialState.PAUSED)
    return [trial for trial in measured if trial.record.state in early]


def _about_rungs(summary: Summary, measured: Sequence[TrialReport]) -> str:
    """What upright lines and crosses mean; empty where there are none."""
    n = len(_ended_early(measured))
    early = f" A cross marks where one ended early (n = {n})." if n else ""
    rungs = summary.config.search.rungs
    upright = ", ".join(str(rung - 1) for rung in rungs)
    return early + (f" Upright: the rungs, after epoch {upright}." if rungs else "")


def _early(measured: Sequence[TrialReport]) -> Iterable[Any]:
    """A cross at the end of each trial that was ended early."""
    early = _ended_early(measured)
    if not early:
        return
    yield go.Scatter(
        x=[trial.last_epoch for trial in early],
        y=[trial.last_value for trial in early],
        customdata=[[t.number, safe(words.one_line(t.record.evidence, 90))] for t in early],
        mode="markers",
        marker={"color": VERMILLION, "size": 8, "symbol": "x-thin-open"},
        name=f"ended early (n = {len(early)})",
        hovertemplate="trial %{customdata[0]} ended at epoch %{x}<br>%{customdata[1]}"
        "<extra></extra>",
    )


def _rungs(summary: Summary, measured: Sequence[TrialReport]) -> Iterable[Any]:
    """One upright line a rung, as one trace; a rung counts epochs from 1, the axis from 0."""
    rungs = summary.config.search.rungs
    values = [value for trial in measured for value in trial.record.values.values()]
    if not rungs:
        return
    low, high = min(values), max(values)
    yield go.Scatter(
        x=[x for rung in rungs for x in (rung - 1, rung - 1, None)],
        y=[y for _ in rungs for y in (low, high, None)],
        mode="lines",
        line={"color": INK, "width": 1.2, "dash": "dash"},
        name="rung",
        hovertemplate="rung after epoch %{x}<extra></extra>",
    )


def _kinds(summary: Summary, measured: Sequence[TrialReport]) -> Iterable[Iterable[Any]]:
    winner = summary.winner.number if summary.winner is not None else -1
    special = {winner, 0}
    ended = [t for t in measured if t.number not in special and t.record.confirms is None]
    again = [t for t in measured if t.record.confirms is not None]
    full = [t for t in ended if t.record.state is TrialState.COMPLETE]
    short = [t for t in ended if t.record.state in (TrialState.PRUNED, TrialState.FAILED)]
    paused = [t for t in ended if t.record.state is TrialState.PAUSED]
    running = [t for t in ended if not t.record.state.is_at_rest]
    yield _curves(short, "pruned or failed", {"color": GREY, "width": 1, "dash": "dot"})
    yield _curves(full, "finished", {"color": "rgba(86,180,233,0.7)", "width": 1.2})
    yield _curves(again, "fresh seeds", {"color": VERMILLION, "width": 1, "dash": "dot"})
    yield _curves(paused, "paused", {"color": GREY, "width": 1.2, "dash": "dash"})
    yield _curves(running, "running", {"color": BLUE, "width": 1.2, "dash": "dash"})
    first = [t for t in measured if t.number == 0 and winner != 0]
    yield _curves(first, "default (trial 0)", {"color": INK, "width": 2, "dash": "dash"})
    best = [t for t in measured if t.number == winner]
    name = f"winner (trial {winner})" if summary.is_search else f"trial {winner}"
    yield _curves(best, name, {"color": ORANGE, "width": 3.5})
    yield _kept_epoch(best)


def _curves(trials: Sequence[TrialReport], name: str, style: dict[str, Any]) -> Iterable[Any]:
    if not trials:
        return
    xs: list[int | None] = []
    ys: list[float | None] = []
    numbers: list[int] = []
    for trial in trials:
        epochs = sorted(trial.record.values)
        xs += [*epochs, None]
        ys += [*(trial.record.values[epoch] for epoch in epochs), None]
        numbers += [trial.number] * (len(epochs) + 1)
    yield go.Scatter(
        x=xs,
        y=ys,
        customdata=numbers,
        # A curve of one validation is a point: a line alone would not show it.
        mode="lines+markers",
        marker={"size": 4},
        line=style,
        name=f"{name} (n = {len(trials)})" if len(trials) > 1 else name,
        hovertemplate="trial %{customdata}, epoch %{x}<br>%{y:.4f}<extra></extra>",
    )


def _kept_epoch(best: Sequence[TrialReport]) -> Iterable[Any]:
    for trial in best:
        yield go.Scatter(
            x=[trial.record.best_epoch],
            y=[trial.record.best_value],
            mode="markers",
            marker={"color": ORANGE, "size": 11, "line": {"color": "white", "width": 2}},
            hovertemplate="best epoch %{x}<br>%{y:.4f}<extra></extra>",
            showlegend=False,
        )
