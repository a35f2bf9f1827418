"""Parallel coordinates: each usable trial as a line over its settings to its objective."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from automl.reports import words
from automl.reports.axes import axis_of, share_on
from automl.reports.derive import setting
from automl.reports.drawing.colours import SCALE, mixed
from automl.reports.drawing.ticks import linear_ticks, number_text
from automl.reports.model import Summary, TrialReport
from automl.reports.theme import ORANGE, Figure, safe, styled
from automl.space.parameter import Parameter
from automl.space.proposal import sampled
from automl.study.ranking import is_ranked

__all__ = ["parallel_figure"]

#: Lines of one colour are one trace, so that hundreds of them stay quick.
_COLOURS: Final = 8
_A_COLUMN: Final = 86


def parallel_figure(summary: Summary) -> Figure | None:
    """One axis a parameter, the objective last; None below two usable trials or parameters."""
    usable = [trial for trial in summary.trials if is_ranked(trial.record)]
    parameters = sampled(summary.space)
    if len(usable) < 2 or len(parameters) < 2:
        return None
    usable.sort(key=lambda t: -summary.objective.loss(t.record.best_value or 0.0))
    values = [t.record.best_value or 0.0 for t in usable]
    plot = go.Figure(list(_lines(usable, parameters, (min(values), max(values)))))
    plot.add_trace(_labels(parameters, (min(values), max(values))))
    names = words.short_names([parameter.key for parameter in parameters])
    titles = [*(safe(names[p.key]) for p in parameters), safe(summary.measured)]
    n = len(parameters)
    styled(plot, 380)
    plot.update_xaxes(
        tickvals=list(range(n + 1)), ticktext=titles, range=[-0.45, n + 0.3], showgrid=True
    )
    plot.update_yaxes(range=[-0.06, 1.06], showticklabels=False, showgrid=False)
    plot.update_layout(showlegend=False, margin={"l": 20, "r": 30, "t": 20, "b": 44})
    caption = (
        f"n = {len(usable)} usable trials; the brighter, the better, the thick one is the winner. "
        "Each axis has its parameter's own scale; options stand in their own order."
    )
    return Figure("parallel", "Settings of each trial", caption, plot, _A_COLUMN * (n + 1))


def _lines(
    trials: Sequence[TrialReport], parameters: Sequence[Parameter], ends: tuple[float, float]
) -> Iterator[Any]:
    """The worst first, so that the best lie on top; the winner once more."""
    n = min(_COLOURS, len(trials))
    for i in range(n):
        own = trials[i * len(trials) // n : (i + 1) * len(trials) // n]
        colour = mixed(SCALE, i / max(1, n - 1))
        yield _trace(own, parameters, ends, {"color": colour, "width": 1.6})
    yield _trace(trials[-1:], parameters, ends, {"color": ORANGE, "width": 4.0})


def _trace(
    trials: Sequence[TrialReport],
    parameters: Sequence[Parameter],
    ends: tuple[float, float],
    line: dict[str, Any],
) -> Any:
    xs: list[int | None] = []
    ys: list[float | None] = []
    data: list[int] = []
    texts: list[str] = []
    for trial in trials:
        given = [setting(trial.record.params, parameter.key) for parameter in parameters]
        shares = [share_on(v, p) for v, p in zip(given, parameters, strict=True)]
        xs += [*range(len(parameters) + 1), None]
        ys += [*shares, _share_of(trial.record.best_value, ends), None]
        data += [trial.number] * (len(parameters) + 2)
        texts += [*(safe(words.param(v)) for v in given), words.value(trial.record.best_value), ""]
    return go.Scatter(
        x=xs,
        y=[None if y is None else round(y, 4) for y in ys],
        customdata=data,
        text=texts,
        mode="lines+markers",
        marker={"size": 4, "color": line["color"]},
        line=line,
        connectgaps=False,
        hovertemplate="trial %{customdata}<br>%{text}<extra></extra>",
    )


def _share_of(value: float | None, ends: tuple[float, float]) -> float | None:
    low, high = ends
    if value is None:
        return None
    return (value - low) / (high - low) if high > low else 0.5


def _labels(parameters: Sequence[Parameter], ends: tuple[float, float]) -> Any:
    """The ticks of every axis as words beside it."""
    places = [
        (column, share, text)
        for column, parameter in enumerate(parameters)
        for share, text in _ticks(parameter)
    ]
    places += [
        (len(parameters), _share_of(tick, ends) or 0.0, number_text(tick))
        for tick in linear_ticks(*ends, 5)
    ]
    return go.Scatter(
        x=[column - 0.05 for column, _, _ in places],
        y=[share for _, share, _ in places],
        text=[text for _, _, text in places],
        mode="text",
        textposition="middle left",
        textfont={"size": 10},
        hoverinfo="skip",
    )


def _ticks(parameter: Parameter) -> Iterator[tuple[float, str]]:
    if not parameter.has_order:
        for option in parameter.options:
            share = share_on(option, parameter)
            yield share or 0.0, safe(words.one_line(words.param(option), 14))
        return
    axis = axis_of(parameter)
    for value, text in zip(axis["tickvals"], axis["ticktext"], strict=True):
        share = share_on(value, parameter)
        if share is not None and -0.01 <= share <= 1.01:
            yield share, text
