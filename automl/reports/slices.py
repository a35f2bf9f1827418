"""What mattered: each parameter against the objective, and importance where n allows it."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from automl.reports import words
from automl.reports.axes import axis_of, place_on
from automl.reports.derive import setting
from automl.reports.importance import Importance, Share
from automl.reports.model import Summary, TrialReport
from automl.reports.theme import BLUE, INK, ORANGE, SKY, VERMILLION, Figure, safe, styled
from automl.space.parameter import Parameter
from automl.space.proposal import sampled
from automl.study.ranking import is_ranked
from automl.study.records import TrialState

__all__ = ["importance_figure", "slice_figure"]

_COLUMNS = 3


def slice_figure(summary: Summary) -> Figure | None:
    """One panel a searched parameter; None without a parameter or without a usable trial."""
    parameters = sampled(summary.space)
    usable = [trial for trial in summary.trials if is_ranked(trial.record)]
    if not parameters or not usable:
        return None
    names = words.short_names([parameter.key for parameter in parameters])
    columns = min(_COLUMNS, len(parameters))
    rows = math.ceil(len(parameters) / columns)
    plot = make_subplots(
        rows=rows, cols=columns, shared_yaxes=True, horizontal_spacing=0.05,
        vertical_spacing=min(0.25, 0.9 / rows * 0.35),
    )  # fmt: skip
    failed = [t for t in summary.trials if t.record.state is TrialState.FAILED]
    for i, parameter in enumerate(parameters):
        row, column = divmod(i, columns)
        for trace in _panel(summary, parameter, usable, failed):
            trace.update(showlegend=i == 0)
            plot.add_trace(trace, row=row + 1, col=column + 1)
    styled(plot, 90 + 250 * rows)
    for i, parameter in enumerate(parameters):
        row, column = divmod(i, columns)
        title = f"{safe(names[parameter.key])} (n = {_tried(usable, parameter.key)})"
        place = {"row": row + 1, "col": column + 1}
        plot.update_xaxes(title_text=title, **axis_of(parameter), **place)
    plot.update_yaxes(title_text=safe(summary.measured), col=1)
    return Figure("slices", "Each parameter against the objective", _CAPTION, plot)


_CAPTION = (
    "Usable trials at their best epoch. The other parameters vary too, so a trend is a hint, "
    "not an effect. Crosses at the foot: trials that failed. Pruned trials are left out, because "
    "their values belong to earlier epochs."
)


def _tried(trials: Sequence[TrialReport], key: str) -> int:
    return sum(setting(trial.record.params, key) is not None for trial in trials)


def _panel(
    summary: Summary,
    parameter: Parameter,
    usable: Sequence[TrialReport],
    failed: Sequence[TrialReport],
) -> list[Any]:
    winner = summary.winner.number if summary.winner is not None else -1
    rest = [t for t in usable if t.number not in (winner, 0)]
    kinds = (
        (rest, "usable trial", {"color": SKY, "size": 8, "line": {"color": BLUE, "width": 1}}),
        ([t for t in usable if t.number == 0 and winner != 0], "default (trial 0)", _DEFAULT),
        ([t for t in usable if t.number == winner], "winner", _WINNER),
    )
    traces = [_points(trials, parameter, name, mark) for trials, name, mark in kinds]
    values = [t.record.best_value for t in usable if t.record.best_value is not None]
    foot = min(values) - 0.06 * ((max(values) - min(values)) or 1.0)
    crosses = _points(failed, parameter, "failed", _FAILED)
    crosses.update(y=[foot] * len(crosses.x))
    return [trace for trace in (*traces, crosses) if len(trace.x)]


_DEFAULT = {"color": INK, "size": 11, "symbol": "diamond"}
_WINNER = {"color": ORANGE, "size": 15, "symbol": "star", "line": {"color": INK, "width": 1}}
_FAILED = {"color": VERMILLION, "size": 8, "symbol": "x-thin-open"}


def _points(
    trials: Sequence[TrialReport], parameter: Parameter, name: str, mark: dict[str, Any]
) -> Any:
    tried = [(setting(trial.record.params, parameter.key), trial) for trial in trials]
    having = [(value, trial) for value, trial in tried if value is not None]
    return go.Scatter(
        x=[place_on(value, parameter) for value, _ in having],
        y=[trial.record.best_value for _, trial in having],
        customdata=[trial.number for _, trial in having],
        mode="markers",
        marker=mark,
        name=name,
        legendgroup=name,
        hovertemplate="trial %{customdata}<br>%{x}<br>%{y:.4f}<extra></extra>",
    )


#: Each measure of importance: its name, the field of a share, colour and symbol of its marks.
_MEASURES = (
    ("decrease of impurity", "mdi", BLUE, "circle"),
    ("fANOVA", "fanova", ORANGE, "diamond"),
    ("PED-ANOVA, best quarter", "ped", SKY, "square"),
    ("within the best half", "ped_top", VERMILLION, "square-open"),
)


def importance_figure(importance: Importance) -> Figure | None:
    """Three measures of each parameter; None where chance gives as much of every one."""
    if not importance.shares:
        return None
    shares = sorted(importance.shares, key=lambda share: share.mdi)
    short = words.short_names([share.key for share in shares])
    names = [safe(short[share.key]) for share in shares]
    measures = [
        _measure(shares, names, place, *measure)
        for place, measure in zip(_PLACES, _MEASURES, strict=True)
    ]
    plot = go.Figure(measures)
    styled(plot, 130 + 64 * len(shares))
    plot.update_xaxes(title_text="share of importance", range=[-0.02, 1.02])
    rows = list(range(len(shares)))
    plot.update_yaxes(tickvals=rows, ticktext=names, range=[-0.5, len(rows) - 0.5])
    return Figure("importance", "Importance", importance.note, plot)


#: Where the marks of each measure stand in a parameter's row.
_PLACES = (0.27, 0.09, -0.09, -0.27)


def _measure(shares: Sequence[Share], names: list[str], place: float, *measure: str) -> Any:
    title, field, colour, symbol = measure
    values = [float(getattr(share, field)) for share in shares]
    known = [share.intervals.get(field) for share in shares]
    ends = [(at, *(own or (at, at))) for at, own in zip(values, known, strict=True)]
    bars = {
        "array": [max(0.0, high - at) for at, _, high in ends],
        "arrayminus": [max(0.0, at - low) for at, low, _ in ends],
        "thickness": 1.2,
        "width": 3,
    }
    return go.Scatter(
        x=values,
        y=[row + place for row in range(len(shares))],
        text=names,
        error_x=bars if any(known) else None,
        mode="markers",
        name=title,
        marker={"color": colour, "size": 10, "symbol": symbol},
        hovertemplate=f"%{{text}}, {title}: %{{x:.2f}}<extra></extra>",
    )
