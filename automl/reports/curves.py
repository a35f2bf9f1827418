"""Two figures of progress: the incumbent over trials and time, and the learning curves."""

from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from automl.reports import words
from automl.reports.model import Summary, TrialReport
from automl.reports.theme import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SKY,
    Figure,
    line,
    styled,
    time_unit,
    whole_ticks,
)
from automl.study.ranking import running_best
from automl.study.records import TrialState

__all__ = ["incumbent_figure", "learning_figure"]


def incumbent_figure(summary: Summary) -> Figure | None:
    """Best value so far over trials and over training time; None without a usable trial."""
    if not summary.incumbents:
        return None
    plot = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.04)
    unit = time_unit(summary.incumbents[-1].spent_s)
    by_time = [(p.spent_s / unit.seconds, p.number, p.value) for p in summary.incumbents]
    by_number = sorted((float(p.number), p.number, p.value) for p in summary.incumbents)
    for trace in _progress(summary, by_number, show=True):
        plot.add_trace(trace, row=1, col=1)
    for trace in _progress(summary, by_time, show=False):
        plot.add_trace(trace, row=1, col=2)
    _add_baseline(plot, summary)
    styled(plot, 360)
    ticks = whole_ticks(by_number[-1][1])
    plot.update_xaxes(title_text="trial number", **ticks, row=1, col=1)
    plot.update_xaxes(title_text=f"training time of all trials ({unit.name})", row=1, col=2)
    plot.update_yaxes(title_text=summary.objective.metric, row=1, col=1)
    return Figure(
        "incumbent",
        "Best value so far",
        f"n = {words.count(len(by_number), 'usable trial')}, each at its best epoch. Dashed: the "
        "default settings (trial 0). Pruned and failed trials have no point; their time counts on "
        "the right.",
        plot,
    )


def _add_baseline(plot: Any, summary: Summary) -> None:
    baseline = summary.baseline
    if baseline is None or baseline.record.best_value is None:
        return
    plot.add_hline(
        y=baseline.record.best_value,
        line={"color": INK, "width": 1.5, "dash": "dash"},
        annotation={"text": "default", "font": {"size": 11, "color": INK}},
        annotation_position="bottom right",
    )


def _progress(
    summary: Summary, points: Sequence[tuple[float, int, float]], *, show: bool
) -> Iterable[Any]:
    best = running_best([value for _, _, value in points], summary.objective)
    xs = [x for x, _, _ in points]
    yield go.Scatter(
        x=xs,
        y=[value for _, _, value in points],
        customdata=[number for _, number, _ in points],
        mode="markers",
        name="usable trial",
        marker={"color": SKY, "size": 8, "opacity": 0.75, "line": {"color": BLUE, "width": 1}},
        hovertemplate="trial %{customdata}<br>%{y:.4f}<extra></extra>",
        showlegend=show,
    )
    steps = line(xs, best, "best so far", color=BLUE, width=2.5, shape="hv")
    steps.update(hoverinfo="skip", showlegend=show)
    yield steps


def learning_figure(summary: Summary) -> Figure | None:
    """The objective by epoch, one line a trial; None if no trial has an epoch.

    The lines of one kind are a single trace with gaps, so that hundreds of them stay quick.
    """
    measured = [trial for trial in summary.trials if trial.record.values]
    if not measured:
        return None
    plot = go.Figure([trace for kind in _kinds(summary, measured) for trace in kind])
    styled(plot, 380)
    newest = max(max(trial.record.values) for trial in measured)
    plot.update_xaxes(title_text="epoch (zero-based)", **whole_ticks(newest))
    plot.update_yaxes(title_text=summary.objective.metric)
    return Figure(
        "learning",
        "Learning curves",
        f"n = {words.count(len(measured), 'trial')} with at least one validation. "
        "The large dot is the best epoch, whose checkpoint is the one to use.",
        plot,
    )


def _kinds(summary: Summary, measured: Sequence[TrialReport]) -> Iterable[Iterable[Any]]:
    winner = summary.winner.number if summary.winner is not None else -1
    special = {winner, 0}
    ended = [t for t in measured if t.number not in special]
    full = [t for t in ended if t.record.state is TrialState.COMPLETE]
    short = [t for t in ended if t.record.state in (TrialState.PRUNED, TrialState.FAILED)]
    paused = [t for t in ended if t.record.state is TrialState.PAUSED]
    running = [t for t in ended if not t.record.state.is_at_rest]
    yield _curves(short, "pruned or failed", {"color": GREY, "width": 1, "dash": "dot"})
    yield _curves(full, "finished", {"color": "rgba(86,180,233,0.7)", "width": 1.2})
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
