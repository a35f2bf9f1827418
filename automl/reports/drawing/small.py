"""The small curve of one trial beside the default's, drawn where the trial is looked at alone."""

from collections.abc import Mapping
from typing import Final

from automl.reports.drawing.axes import Axis
from automl.reports.drawing.marks import dots_path, line_path, text_at
from automl.reports.drawing.ticks import linear_ticks, number_text

__all__ = ["small_curve"]

_WIDTH: Final = 440
_HEIGHT: Final = 170
_LEFT: Final = 48
_FOOT: Final = 24


def small_curve(values: Mapping[int, float], default: Mapping[int, float]) -> str:
    """The SVG of a learning curve; empty where nothing was measured.

    Args:
        values: Objective by epoch.
        default: That of trial 0, dashed; empty to leave it out.
    """
    if not values:
        return ""
    epochs = [*values, *default]
    heights = [*values.values(), *default.values()]
    x = _axis(epochs, (_LEFT, _WIDTH - 8.0))
    y = _axis(heights, (_HEIGHT - _FOOT, 8.0))
    grid = "".join(f"M{_LEFT} {y.pixel(t):.1f}H{_WIDTH - 8}" for t in linear_ticks(*y.ends, 4))
    labels = "".join(
        text_at(_LEFT - 6, (y.pixel(t) or 0.0) + 4, number_text(t), text_anchor="end")
        for t in linear_ticks(*y.ends, 4)
    )
    ends = "".join(
        text_at(x.pixel(epoch) or 0.0, _HEIGHT - 6, f"epoch {epoch}", text_anchor=anchor)
        for epoch, anchor in {min(epochs): "start", max(epochs): "end"}.items()
    )
    paths = f'<path class="grid" d="{grid}"/>'
    if default:
        paths += f'<path class="default" d="{_line(default, x, y)}"/>'
    return (
        f'<svg class="curve" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="learning '
        f'curve">{paths}<path d="{_line(values, x, y)}"/>{_dots(values, x, y)}{labels}{ends}</svg>'
    )


def _axis(values: list[int] | list[float], span: tuple[float, float]) -> Axis:
    low, high = float(min(values)), float(max(values))
    pad = 0.04 * (high - low) or 0.5
    return Axis(is_log=False, categories=(), ends=(low - pad, high + pad), span=span)


def _line(values: Mapping[int, float], x: Axis, y: Axis) -> str:
    return line_path((x.pixel(epoch), y.pixel(values[epoch])) for epoch in sorted(values))


def _dots(values: Mapping[int, float], x: Axis, y: Axis) -> str:
    """Points of a curve that is short enough to see them."""
    if len(values) > 30:
        return ""
    places = ((x.pixel(epoch) or 0.0, y.pixel(value) or 0.0) for epoch, value in values.items())
    return f'<path class="dots" d="{dots_path(places)}"/>'
