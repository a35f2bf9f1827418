"""The axes of a figure in pixels: its scale, its ends, its ticks."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from automl.reports.drawing.ticks import linear_ticks, log_ticks, number_text

__all__ = ["Axis", "Box", "axes_of", "values_on"]

_PAD: Final = 0.05


@dataclass(frozen=True, slots=True)
class Box:
    """The part of the picture that figures may fill, in pixels from its upper left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        is_log: Whether its scale is logarithmic.
        categories: The words that stand on it, in order; empty for numbers.
        ends: Lowest and highest value shown; logarithms of base 10 where the scale is logarithmic.
        span: The pixels of those ends.
        ticks: Pixel and label.
        title: What is shown on it.
    """

    is_log: bool
    categories: tuple[str, ...]
    ends: tuple[float, float]
    span: tuple[float, float]
    ticks: tuple[tuple[float, str], ...] = ()
    title: str = ""

    def pixel(self, value: Any) -> float | None:
        """Where a value stands; None for what has no place on the axis."""
        number = self._number(value)
        if number is None:
            return None
        (low, high), (start, end) = self.ends, self.span
        share = (number - low) / (high - low) if high > low else 0.5
        return start + share * (end - start)

    def _number(self, value: Any) -> float | None:
        if self.categories:
            text = str(value)
            return float(self.categories.index(text)) if text in self.categories else None
        return _plain(value, is_log=self.is_log)


def _plain(value: Any, *, is_log: bool) -> float | None:
    if value is None or isinstance(value, str):
        return None
    number = float(value)
    if not math.isfinite(number) or (is_log and number <= 0):
        return None
    return math.log10(number) if is_log else number


def axes_of(plot: Mapping[str, Any], box: Box) -> dict[str, Axis]:
    """Every axis that a trace of the plot stands on, by its short name: ``x``, ``y2``."""
    layout = plot["layout"]
    names = {trace.get(f"{side}axis", side) for trace in plot["data"] for side in "xy"}
    ends = {name: _ends(name, plot) for name in names}
    for name in names:
        partner = _layout_of(name, layout).get("matches")
        if partner in ends and not ends[name][1]:
            alike = [n for n in names if partner in (n, _layout_of(n, layout).get("matches"))]
            joined = [ends[n][0] for n in alike]
            low, high = min(low for low, _ in joined), max(high for _, high in joined)
            ends |= dict.fromkeys(alike, ((low, high), ()))
    return {name: _axis(name, layout, box, *ends[name]) for name in names}


def _layout_of(name: str, layout: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = layout.get(f"{name[0]}axis{name[1:]}", {})
    return found


def values_on(name: str, plot: Mapping[str, Any]) -> Iterator[Any]:
    """All that is drawn on an axis: points, both ends of bars, and lines across."""
    side = name[0]
    for trace in plot["data"]:
        if trace.get(f"{side}axis", side) != name or trace.get("visible") == "legendonly":
            continue
        values = list(_given(trace.get(side)))
        yield from values
        if trace.get("type") == "bar" and side == ("x" if _is_lying(trace) else "y"):
            base = trace.get("base")
            bases = [0.0] * len(values) if base is None else list(_given(base))
            yield from (b + v for b, v in zip(bases, values, strict=True))
            yield from bases
    for shape in plot["layout"].get("shapes", ()):
        if shape.get(f"{side}ref", side) == name:
            yield from (shape.get(f"{side}0"), shape.get(f"{side}1"))


def _given(values: Any) -> Sequence[Any]:
    return () if values is None else list(values)


def _is_lying(trace: Mapping[str, Any]) -> bool:
    return trace.get("orientation") == "h"


def _ends(name: str, plot: Mapping[str, Any]) -> tuple[tuple[float, float], tuple[str, ...]]:
    """Lowest and highest value of an axis, and its categories."""
    axis = _layout_of(name, plot["layout"])
    values = [value for value in values_on(name, plot) if value is not None]
    words = [str(value) for value in values if isinstance(value, str)]
    if axis.get("type") == "category" or words:
        known = [*map(str, axis.get("categoryarray") or ()), *map(str, values)]
        kinds = tuple(dict.fromkeys(known))
        return (-0.6, max(0.0, len(kinds) - 1) + 0.6), kinds
    if axis.get("range") is not None:
        low, high = axis["range"]
        return (float(low), float(high)), ()
    is_log = axis.get("type") == "log"
    numbers = [n for n in (_plain(v, is_log=is_log) for v in values) if n is not None]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    pad = _PAD * (high - low) or 0.5
    if _holds_bars(name, plot):
        pad = 0.5
    is_floored = axis.get("rangemode") == "tozero" and low >= 0
    return (0.0 if is_floored else low - pad, high + pad), ()


def _holds_bars(name: str, plot: Mapping[str, Any]) -> bool:
    """Whether bars stand on the axis, which are as thick as its steps."""
    side = name[0]
    return any(
        trace.get("type") == "bar"
        and trace.get(f"{side}axis", side) == name
        and (side == "y") == _is_lying(trace)
        for trace in plot["data"]
    )


def _axis(
    name: str,
    layout: Mapping[str, Any],
    box: Box,
    ends: tuple[float, float],
    kinds: tuple[str, ...],
) -> Axis:
    own = _layout_of(name, layout)
    begin, end = own.get("domain") or (0.0, 1.0)
    if name[0] == "x":
        span = (box.left + begin * box.width, box.left + end * box.width)
    else:
        span = (box.top + (1 - begin) * box.height, box.top + (1 - end) * box.height)
    axis = Axis(own.get("type") == "log", kinds, ends, span)
    if own.get("showticklabels") is False:
        return axis
    title = (own.get("title") or {}).get("text") or ""
    return Axis(axis.is_log, kinds, ends, span, tuple(_ticks(axis, own)), title)


def _ticks(axis: Axis, own: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    values, labels = own.get("tickvals"), own.get("ticktext")
    if values is None:
        values = axis.categories or _usual(axis, own)
        labels = None
    texts = labels or [v if isinstance(v, str) else number_text(v) for v in values]
    for value, text in zip(values, texts, strict=True):
        pixel = axis.pixel(value)
        low, high = sorted(axis.span)
        if pixel is not None and low - 1 <= pixel <= high + 1:
            yield pixel, str(text)


def _usual(axis: Axis, own: Mapping[str, Any]) -> Sequence[float]:
    low, high = axis.ends
    if axis.is_log:
        return log_ticks(10**low, 10**high)
    if own.get("dtick"):
        step = float(own["dtick"])
        return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return linear_ticks(low, high)
