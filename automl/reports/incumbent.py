"""The best value so far over trials and time, and what keeps it from being taken for more."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from automl.reports import words
from automl.reports.model import Summary
from automl.reports.random_search import expected_best
from automl.reports.theme import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SKY,
    VERMILLION,
    Figure,
    line,
    safe,
    styled,
    time_unit,
    whole_ticks,
)
from automl.study.expected import expectations, is_race
from automl.study.ranking import running_best

__all__ = ["incumbent_figure"]

Point = tuple[float, int, float]
_BAND: Final = "rgba(0,114,178,0.15)"


def incumbent_figure(summary: Summary) -> Figure | None:
    """Best value so far over trials and over training time; None without a usable trial."""
    if not summary.incumbents:
        return None
    plot = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.04)
    unit = time_unit(summary.incumbents[-1].spent_s)
    by_time = [(p.spent_s / unit.seconds, p.number, p.value) for p in summary.incumbents]
    by_number = sorted((float(p.number), p.number, p.value) for p in summary.incumbents)
    for trace in (*_progress(summary, by_number, show=True), *_context(summary, by_number)):
        plot.add_trace(trace, row=1, col=1)
    for trace in _progress(summary, by_time, show=False):
        plot.add_trace(trace, row=1, col=2)
    _add_baseline(plot, summary)
    styled(plot, 380)
    ticks = whole_ticks(by_number[-1][1])
    plot.update_xaxes(title_text="trial number", **ticks, row=1, col=1)
    plot.update_xaxes(title_text=f"training time of all trials ({unit.name})", row=1, col=2)
    plot.update_yaxes(title_text=safe(summary.measured), row=1, col=1)
    return Figure("incumbent", "Best value so far", _caption(summary, len(by_number)), plot)


def _caption(summary: Summary, n: int) -> str:
    texts = [
        f"n = {words.count(n, 'usable trial')}, each at its best epoch. Dashed: the default "
        "settings (trial 0). Pruned and failed trials have no point; their time counts on the "
        "right."
    ]
    noise = _noise(summary)
    if noise is not None:
        texts.append(f"Band: one standard deviation of a seed's luck, {words.value(noise)}.")
    if n > 1:
        texts.append(
            "Random order: the mean of the best of k of the same trials over all subsets of k "
            "(exact; Tang et al. 2020), what trials drawn blindly from them would have reached."
        )
    if _confirming(summary):
        texts.append("At the right edge: trainings with fresh seeds of winner and default.")
    return " ".join(texts)


def _noise(summary: Summary) -> float | None:
    """The luck of one seed: as all trials together show it, else as the fresh seeds do."""
    winner = summary.winner
    if winner is None:
        return None
    if winner.weighed is not None:
        return winner.weighed.noise
    return None if winner.confirmed is None else winner.confirmed.winner.sd


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


def _progress(summary: Summary, points: Sequence[Point], *, show: bool) -> Iterable[Any]:
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
    noise = _noise(summary)
    if noise is not None:
        yield _band(xs, best, noise)


def _band(xs: Sequence[float], best: Sequence[float], noise: float) -> Any:
    """A seed's luck round the best so far."""
    corners = [(xs[0], best[0])]
    for (_, before), (x, after) in pairwise(zip(xs, best, strict=True)):
        corners += [(x, before), (x, after)]
    ends = [*corners, *corners[::-1]]
    signs = [1] * len(corners) + [-1] * len(corners)
    return go.Scatter(
        x=[x for x, _ in ends],
        y=[value + sign * noise for (_, value), sign in zip(ends, signs, strict=True)],
        fill="toself",
        fillcolor=_BAND,
        mode="lines",
        line={"width": 0, "color": _BAND},
        hoverinfo="skip",
        showlegend=False,
    )


def _context(summary: Summary, points: Sequence[Point]) -> Iterator[Any]:
    """What random order would have reached, what is expected, and what fresh seeds gave."""
    xs = [x for x, _, _ in points]
    if len(points) > 1:
        mean = expected_best([value for _, _, value in points], summary.objective)
        yield line(xs, mean, "random order", color=GREY, width=1.5, dash="dot")
    found = expectations([trial.record for trial in summary.trials], summary.objective)
    if found.noise is not None:
        worth = [(x, e.value) for x, n, _ in points if (e := found.of(n)) is not None]
        best = running_best([value for _, value in worth], summary.objective)
        steps = line(
            [x for x, _ in worth], best, "expected of the best", color=VERMILLION, width=1.5
        )
        steps.update(line={**steps.line.to_plotly_json(), "shape": "hv", "dash": "dashdot"})
        yield steps
    last = xs[-1] + max(1.0, 0.03 * xs[-1])
    for name, of, colour, symbol in _CONFIRMED:
        yield from _seeds(summary, last, name, of(summary), {"color": colour, "symbol": symbol})


def _winner(summary: Summary) -> int:
    return -1 if summary.winner is None or summary.winner.number == 0 else summary.winner.number


_CONFIRMED: Final = (
    ("fresh seeds, default", lambda _: 0, INK, "diamond"),
    ("fresh seeds, winner", _winner, ORANGE, "star"),
)


def _confirming(summary: Summary) -> bool:
    return summary.winner is not None and summary.winner.confirmed is not None


def _seeds(
    summary: Summary, x: float, name: str, number: int, mark: dict[str, Any]
) -> Iterator[Any]:
    own = [
        trial
        for trial in summary.trials
        if trial.record.confirms == number and trial.record.is_usable and not is_race(trial.record)
    ]
    if own and _confirming(summary):
        yield go.Scatter(
            x=[x] * len(own),
            y=[trial.record.best_value for trial in own],
            customdata=[trial.number for trial in own],
            mode="markers",
            name=name,
            marker={**mark, "size": 10},
            hovertemplate="trial %{customdata}<br>%{y:.4f}<extra></extra>",
        )
