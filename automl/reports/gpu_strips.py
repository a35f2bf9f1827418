"""What the GPUs did while trials ran: strips over time, and how long they were idle, and why."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Any, Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from automl.reports import words
from automl.reports.derive import moment
from automl.reports.energy import GAP_S
from automl.reports.model import Summary
from automl.reports.slots import Bar, bars_of, slot_bars
from automl.reports.theme import (
    BLUE,
    GREY,
    ORANGE,
    SKY,
    VERMILLION,
    Figure,
    styled,
    time_unit,
)
from automl.study.gpu_samples import GpuSample

__all__ = ["IdleTime", "gpu_figure", "idle_of", "missing_samples"]

_IDLE_PERCENT: Final = 5.0
#: Points of one line; neighbours of a longer one are averaged.
_MOST_POINTS: Final = 400
_COLOURS: Final = (BLUE, ORANGE, SKY, VERMILLION, GREY)


@dataclass(frozen=True, slots=True)
class IdleTime:
    """One GPU over the study.

    Attributes:
        index: The driver's number for it.
        seconds: Time that was sampled.
        mean: Mean utilisation over that time, percent; NaN if unknown.
        idle_s: Time below 5 percent.
        causes: Seconds of it by cause, the longest first.
    """

    index: int
    seconds: float
    mean: float
    idle_s: float
    causes: Mapping[str, float]

    @property
    def said(self) -> str:
        """Its causes in words."""
        return "; ".join(f"{words.duration(s)} {cause}" for cause, s in self.causes.items())


def missing_samples(summary: Summary) -> str:
    """Why there are no strips."""
    if not summary.cost.gpu_seconds:
        return "No GPU strips: the trials trained on the CPU."
    return "No GPU strips: nothing was sampled while the study was driven (no gpu.parquet)."


def gpu_figure(summary: Summary, samples: Sequence[GpuSample]) -> Figure | None:
    """Trials, utilisation, memory and power over time; None without samples."""
    bars, start = bars_of(summary), _start(summary)
    if not samples or start is None:
        return None
    unit = time_unit(max(sample.time for sample in samples) - start)
    by_gpu = _by_gpu(samples)
    plot = make_subplots(rows=4, cols=1, shared_xaxes=True, vertical_spacing=0.05,
                         row_heights=[0.2, 0.3, 0.25, 0.25])  # fmt: skip
    plot.add_trace(_trials(bars, unit.seconds), row=1, col=1)
    for i, (index, own) in enumerate(by_gpu.items()):
        colour = _COLOURS[i % len(_COLOURS)]
        times = [(sample.time - start) / unit.seconds for sample in own]
        for row, values in enumerate(_series(own), 2):
            trace = _line(times, values, f"GPU {index}", colour)
            trace.update(showlegend=row == 2, legendgroup=str(index))
            plot.add_trace(trace, row=row, col=1)
    styled(plot, 560)
    plot.update_layout(barmode="overlay")
    for row, title in enumerate(("slot", "utilisation %", "memory GiB", "power W"), 1):
        plot.update_yaxes(title_text=title, rangemode="tozero", row=row, col=1)
    plot.update_xaxes(title_text=f"time since the first start ({unit.name})", row=4, col=1)
    caption = (
        f"n = {words.count(len(samples), 'sample')} of {words.count(len(by_gpu), 'GPU')}, whoever "
        "uses it; above them the trials by slot. Idle: below 5 %."
    )
    return Figure("gpus", "GPUs over time", caption, plot)


def _start(summary: Summary) -> float | None:
    starts = [
        start.timestamp()
        for trial in summary.trials
        for outcome in trial.attempts
        if (start := moment(outcome.started_at)) is not None
    ]
    return min(starts, default=None)


def _by_gpu(samples: Sequence[GpuSample]) -> dict[int, list[GpuSample]]:
    by_gpu: dict[int, list[GpuSample]] = {}
    for sample in sorted(samples, key=lambda each: each.time):
        by_gpu.setdefault(sample.index, []).append(sample)
    return dict(sorted(by_gpu.items()))


def _series(own: Sequence[GpuSample]) -> Iterator[list[float]]:
    yield [sample.utilisation for sample in own]
    yield [sample.memory_used / 2**30 for sample in own]
    yield [sample.power for sample in own]


def _trials(bars: Sequence[Bar], unit_s: float) -> Any:
    return slot_bars(
        bars,
        unit_s,
        customdata=[[bar.number] for bar in bars],
        marker={"color": SKY, "line": {"color": "white", "width": 1}},
        hovertemplate="trial %{customdata[0]}<extra></extra>",
        showlegend=False,
    )


def _line(times: Sequence[float], values: Sequence[float], name: str, colour: str) -> Any:
    stride = max(1, math.ceil(len(times) / _MOST_POINTS))
    parts = [slice(i, i + stride) for i in range(0, len(times), stride)]
    known = [(fmean(times[p]), _mean(values[p])) for p in parts]
    return go.Scatter(
        x=[round(time, 3) for time, _ in known],
        y=[None if value is None else round(value, 2) for _, value in known],
        mode="lines",
        name=name,
        line={"color": colour, "width": 1.2},
        hovertemplate=f"{name}: %{{y:.3g}}<extra></extra>",
    )


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return fmean(known) if known else None


def idle_of(summary: Summary, samples: Sequence[GpuSample]) -> list[IdleTime]:
    """Each GPU's mean utilisation, and how long it was idle by cause."""
    start = _start(summary)
    spans = [(bar.begin_s, bar.begin_s + bar.length_s) for bar in bars_of(summary)]
    if start is None or not spans:
        return []
    return [_idle(index, own, start, spans) for index, own in _by_gpu(samples).items()]


def _idle(
    index: int, own: Sequence[GpuSample], start: float, spans: Sequence[tuple[float, float]]
) -> IdleTime:
    causes: dict[str, float] = {}
    total = busy = 0.0
    for sample, following in pairwise(own):
        seconds = following.time - sample.time
        if math.isnan(sample.utilisation) or seconds > GAP_S:
            continue
        total += seconds
        busy += seconds * sample.utilisation
        if sample.utilisation < _IDLE_PERCENT:
            cause = _cause(sample.time - start, spans)
            causes[cause] = causes.get(cause, 0.0) + seconds
    ordered = dict(sorted(causes.items(), key=lambda pair: -pair[1]))
    mean = busy / total if total else math.nan
    return IdleTime(index, total, mean, sum(causes.values()), ordered)


def _cause(at: float, spans: Sequence[tuple[float, float]]) -> str:
    """What was going on at a moment, in seconds after the first start."""
    if at < min(begin for begin, _ in spans):
        return "before the first trial"
    if at > max(end for _, end in spans):
        return "after the last trial"
    if any(begin <= at <= end for begin, end in spans):
        return "while a trial was under way: its start, its data, its end"
    return "between trials"
