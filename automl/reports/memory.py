"""The memory frontier: which batches fitted, which ran out of memory, which were refused free."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from automl.reports import words
from automl.reports.drawing.ticks import log2_ticks, number_text
from automl.reports.model import Summary
from automl.reports.theme import BLUE, INK, SKY, VERMILLION, Figure, safe, styled
from automl.skill.tree import ParamValue
from automl.study.records import FailureClass

__all__ = ["memory_figure"]

_Tried = tuple[int | None, Mapping[str, ParamValue]]
_LOOKS: Final[Mapping[str, Mapping[str, object]]] = {
    "trained": {"color": SKY, "size": 9, "line": {"color": BLUE, "width": 1}},
    "out of memory": {"color": VERMILLION, "size": 11, "symbol": "x-thin-open"},
    "refused free": {"color": VERMILLION, "size": 9, "symbol": "square-open"},
}


def memory_figure(summary: Summary) -> Figure | None:
    """Batch size by network; None where nothing ran out of memory or no batch was searched."""
    key = next((k for k in summary.config.keys.batch_sizes if k in summary.param_keys), None)
    kinds = _kinds(summary, key)
    failed = [_of(trial) for trial in summary.trials if _is_oom(trial.record.failure)]
    if key is None or not failed:
        return None
    trained = [_of(t) for t in summary.trials if t.record.values]
    groups: Mapping[str, Sequence[_Tried]] = {
        "trained": trained,
        "out of memory": failed,
        "refused free": [(None, params) for params in summary.refused],
    }
    plot = go.Figure([_points(name, own, key, kinds) for name, own in groups.items() if own])
    batches = [
        float(b) for own in groups.values() for _, params in own if (b := _batch(params, key))
    ]
    for name, limit in _limits(failed, key, kinds).items():
        plot.add_trace(_limit(name, limit))
    styled(plot, 320)
    ticks = log2_ticks(min(batches), max(batches))
    shown = {"tickvals": ticks, "ticktext": [number_text(tick) for tick in ticks]}
    plot.update_yaxes(title_text="batch size", type="log", **shown)
    plot.update_xaxes(type="category", title_text=safe(_named(kinds)))
    caption = (
        f"{words.count(len(failed), 'trial')} ran out of memory; "
        f"{words.count(len(summary.refused), 'proposal')} refused before a start, at no cost. The "
        "bar is the smallest batch that ran out of memory: with all else alike, no larger one is "
        "started after it."
    )
    return Figure("memory", "The memory frontier", caption, plot)


def _is_oom(failure: FailureClass | None) -> bool:
    return failure is FailureClass.OOM


def _of(trial: Any) -> _Tried:
    return trial.number, trial.record.params


def _kinds(summary: Summary, batch: str | None) -> list[str]:
    """The searched options in words: the network, before all."""
    first = [trial.record.params for trial in summary.trials]
    return [
        key
        for key in summary.param_keys
        if key != batch and first and all(isinstance(p.get(key), str) for p in first)
    ]


def _named(kinds: Sequence[str]) -> str:
    return ", ".join(key.rpartition(".")[2] for key in kinds)


def _group(params: Mapping[str, ParamValue], kinds: Sequence[str]) -> str:
    return safe(", ".join(str(params.get(key)) for key in kinds) or "all trials")


def _batch(params: Mapping[str, ParamValue], key: str) -> int | None:
    value = params.get(key)
    return value if isinstance(value, int) and value > 0 else None


def _points(name: str, own: Sequence[_Tried], key: str, kinds: Sequence[str]) -> Any:
    known = [(number, params) for number, params in own if _batch(params, key)]
    return go.Scatter(
        x=[_group(params, kinds) for _, params in known],
        y=[_batch(params, key) for _, params in known],
        customdata=[number for number, _ in known],
        mode="markers",
        marker=dict(_LOOKS[name]),
        name=f"{name} (n = {len(known)})",
        hovertemplate="trial %{customdata}: %{x}, batch %{y}<extra></extra>",
    )


def _limits(failed: Sequence[_Tried], key: str, kinds: Sequence[str]) -> dict[str, int]:
    limits: dict[str, int] = {}
    for _, params in failed:
        batch, name = _batch(params, key), _group(params, kinds)
        if batch is not None:
            limits[name] = min(batch, limits.get(name, batch))
    return limits


def _limit(name: str, limit: int) -> Any:
    return go.Scatter(
        x=[name],
        y=[limit / math.sqrt(1.12)],
        mode="text",
        text=[f"── {limit} ──"],
        textfont={"color": INK, "size": 11},
        hoverinfo="skip",
        showlegend=False,
    )
