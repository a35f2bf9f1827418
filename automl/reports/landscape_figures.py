"""The map of the two parameters that matter most, and trials by rank over pairs of parameters."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from automl.reports import words
from automl.reports.axes import axis_of, is_doubling, place_on, share_on
from automl.reports.derive import setting
from automl.reports.drawing.colours import SCALE, mixed
from automl.reports.landscape import Landscape
from automl.reports.model import Summary, TrialReport
from automl.reports.theme import INK, ORANGE, Figure, safe, styled
from automl.space.parameter import Parameter
from automl.study.ranking import is_ranked

__all__ = ["map_figure", "rank_figure"]

_CELLS: Final = 20
_MOST_PAIRED: Final = 3
#: Steps of colour from the worst to the best; more are not told apart.
_SHADES: Final = 100


def map_figure(summary: Summary, landscape: Landscape) -> Figure:
    """What is expected over the two parameters that matter most, all others as the winner's."""
    first, second = landscape.order[:2]
    x, y = landscape.parameters[first], landscape.parameters[second]
    xs, ys = _grid(x), _grid(y)
    places = [landscape.at_winner({first: a, second: b}) for b, _ in ys for a, _ in xs]
    expected = landscape.expected(places).reshape(len(ys), len(xs))
    plot = go.Figure(
        go.Heatmap(
            x=[value for _, value in xs],
            y=[value for _, value in ys],
            z=[[round(float(value), 5) for value in row] for row in expected],
            colorscale=[list(stop) for stop in SCALE],
            colorbar={"title": {"text": "expected"}, "thickness": 12, "outlinewidth": 0},
            hovertemplate="%{x}, %{y}<br>expected %{z:.4f}<extra></extra>",
        )
    )
    usable = [trial for trial in summary.trials if is_ranked(trial.record)]
    plot.add_trace(_tried(usable, x, y, {"size": 8, "color": "white", "line": _EDGE}))
    winner = [t for t in usable if summary.winner and t.number == summary.winner.number]
    plot.add_trace(_tried(winner, x, y, {**_STAR, "line": _EDGE}))
    styled(plot, 420)
    names = words.short_names([p.key for p in landscape.parameters])
    plot.update_xaxes(title_text=safe(names[x.key]), **axis_of(x))
    plot.update_yaxes(title_text=safe(names[y.key]), **axis_of(y))
    plot.update_layout(showlegend=False)
    caption = (
        f"What a model of {len(landscape.places)} usable trials expects if these two change "
        "and every other setting stays the winner's (star). They are the two whose change moves "
        "its expectation most. Dots: what was tried, with other settings of the rest."
    )
    title = f"The two that matter most: {names[x.key]} and {names[y.key]}"
    return Figure("map", title, caption, plot)


_EDGE: Final = {"color": INK, "width": 1.2}
_STAR: Final = {"size": 16, "symbol": "star", "color": ORANGE}


def _grid(parameter: Parameter) -> list[tuple[float, float | str]]:
    """Shares of the axis and the values there."""
    if parameter.options:
        n = len(parameter.options)
        values = [place_on(option, parameter) for option in parameter.options]
        return [(_share(i, n, parameter), value) for i, value in enumerate(values)]
    low, high = map(float, parameter.ends)
    shares = [i / (_CELLS - 1) for i in range(_CELLS)]
    if parameter.distribution.log or is_doubling(parameter):
        return [(share, low * (high / low) ** share) for share in shares]
    return [(share, low + share * (high - low)) for share in shares]


def _share(i: int, n: int, parameter: Parameter) -> float:
    found = share_on(parameter.options[i], parameter)
    return i / max(1, n - 1) if found is None else found


def _tried(trials: Sequence[TrialReport], x: Parameter, y: Parameter, mark: dict[str, Any]) -> Any:
    return go.Scatter(
        x=[place_on(setting(t.record.params, x.key), x) for t in trials],
        y=[place_on(setting(t.record.params, y.key), y) for t in trials],
        customdata=[t.number for t in trials],
        text=[words.value(t.record.best_value) for t in trials],
        mode="markers",
        marker=mark,
        hovertemplate="trial %{customdata}: %{text}<br>%{x}, %{y}<extra></extra>",
    )


def rank_figure(summary: Summary, landscape: Landscape) -> Figure:
    """Where the best and the worst trials lie, over pairs of the parameters that matter most."""
    usable = [trial for trial in summary.trials if is_ranked(trial.record)]
    usable.sort(key=lambda t: -summary.objective.loss(t.record.best_value or 0.0))
    top = [landscape.parameters[i] for i in landscape.order[:_MOST_PAIRED]]
    pairs = list(combinations(top, 2))
    last = max(1, len(usable) - 1)
    shades = min(last, _SHADES)
    colours = [mixed(SCALE, round(shades * i / last) / shades) for i in range(len(usable))]
    plot = make_subplots(rows=1, cols=len(pairs), horizontal_spacing=0.1)
    for i, (x, y) in enumerate(pairs):
        mark = {"size": 10, "color": colours, "line": _EDGE}
        plot.add_trace(_tried(usable, x, y, mark), row=1, col=i + 1)
    styled(plot, 330)
    names = words.short_names([p.key for p in landscape.parameters])
    for i, (x, y) in enumerate(pairs):
        plot.update_xaxes(title_text=safe(names[x.key]), **axis_of(x), row=1, col=i + 1)
        plot.update_yaxes(title_text=safe(names[y.key]), **axis_of(y), row=1, col=i + 1)
    plot.update_layout(showlegend=False)
    caption = (
        f"n = {len(usable)} usable trials by rank, from the worst (dark) to the best (yellow): "
        "ranks alone, so that no outlier sets the scale."
    )
    return Figure("ranks", "Trials by rank", caption, plot)
