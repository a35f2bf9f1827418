"""How fast trials trained, by batch size and network."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from automl.reports import words
from automl.reports.drawing.ticks import log2_ticks, number_text
from automl.reports.model import Summary, TrialReport
from automl.reports.poses.evaluations import TRAINING, n_images_of
from automl.reports.theme import BLUE, GREY, ORANGE, SKY, VERMILLION, Figure, safe, styled

__all__ = ["pace_of", "throughput_figure"]

_LOOKS: Final = (
    (BLUE, "circle"),
    (ORANGE, "diamond"),
    (SKY, "square"),
    (VERMILLION, "triangle-up"),
)


def pace_of(trial: TrialReport) -> float | None:
    """Seconds an epoch; None where none was timed.

    Of a trial that was measured once, its start is in it.
    """
    if trial.epoch_s is not None:
        return trial.epoch_s
    ends = [m.elapsed_s / (m.epoch + 1) for m in trial.measurements if m.elapsed_s > 0]
    return ends[-1] if ends else None


def throughput_figure(summary: Summary) -> Figure | None:
    """Images a second, or epochs a minute where nobody counted the images; None without any."""
    paced = [(trial, pace) for trial in summary.trials if (pace := pace_of(trial)) is not None]
    if not paced:
        return None
    images = n_images_of(summary.provenance, TRAINING)
    key = next((k for k in summary.config.keys.batch_sizes if k in summary.param_keys), None)
    plot = go.Figure(
        [
            _points(name, own, key, images, look)
            for (name, own), look in zip(
                _by_network(summary, paced, key).items(), _LOOKS * len(paced), strict=False
            )
        ]
    )
    styled(plot, 300)
    given = [t.record.params.get(key) for t, _ in paced if key is not None]
    batches = [float(value) for value in given if isinstance(value, int) and value > 0]
    if batches:
        ticks = log2_ticks(min(batches), max(batches))
        shown = {"tickvals": ticks, "ticktext": [number_text(tick) for tick in ticks]}
        plot.update_xaxes(title_text="batch size", type="log", **shown)
    else:
        plot.update_xaxes(title_text="trial number")
    unit = "images a second" if images else "epochs a minute"
    plot.update_yaxes(title_text=unit, rangemode="tozero")
    caption = (
        f"n = {words.count(len(paced), 'trial')}, each by the median of its epochs after the "
        "first measured one, validations included."
    )
    return Figure("throughput", "Throughput", caption, plot)


def _is_batch(trial: TrialReport, key: str) -> bool:
    value = trial.record.params.get(key)
    return isinstance(value, int) and value > 0


def _by_network(
    summary: Summary, paced: Sequence[tuple[TrialReport, float]], batch: str | None
) -> Mapping[str, list[tuple[TrialReport, float]]]:
    """The trials by their options in words, the network before all."""
    kinds = [
        key
        for key in summary.param_keys
        if key != batch and all(isinstance(t.record.params.get(key), str) for t, _ in paced)
    ]
    groups: dict[str, list[tuple[TrialReport, float]]] = {}
    for trial, pace in paced:
        name = ", ".join(str(trial.record.params[key]) for key in kinds) or "trial"
        groups.setdefault(name, []).append((trial, pace))
    return groups


def _points(
    name: str,
    own: Sequence[tuple[TrialReport, float]],
    key: str | None,
    images: int | None,
    look: tuple[str, str],
) -> Any:
    if key is not None:
        own = [(trial, pace) for trial, pace in own if _is_batch(trial, key)]
    return go.Scatter(
        x=[t.number if key is None else t.record.params[key] for t, _ in own],
        y=[round(images / pace if images else 60.0 / pace, 3) for _, pace in own],
        customdata=[trial.number for trial, _ in own],
        text=[f"{words.duration(pace)} an epoch" for _, pace in own],
        mode="markers",
        name=safe(name),
        marker={"color": look[0] if name != "trial" else BLUE, "symbol": look[1], "size": 9,
                "line": {"color": GREY, "width": 1}},
        hovertemplate="trial %{customdata}<br>%{y:.3g}, %{text}<extra></extra>",
    )  # fmt: skip
