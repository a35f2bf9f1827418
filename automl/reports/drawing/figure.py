"""A whole figure as one still SVG, from the same plot that the script draws."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from automl.reports.drawing.axes import Axis, Box, axes_of
from automl.reports.drawing.marks import dash_of, element, text_at
from automl.reports.drawing.traces import shapes_of, swatch

__all__ = ["WIDTH", "svg_of"]

WIDTH: Final = 1060
"""Units across; the height is the plot's own."""
_LETTER: Final = 7.2  # average width of a letter of the legend


def svg_of(plot: Any, label: str) -> str:
    """The SVG of a plotly figure; empty for one in three dimensions.

    Args:
        plot: The figure.
        label: What a screen reader says of it.
    """
    whole = plot.to_plotly_json()
    if any(trace.get("type", "").endswith("3d") for trace in whole["data"]):
        return ""
    height = int(whole["layout"]["height"])
    margin = whole["layout"]["margin"]
    box = Box(
        margin["l"],
        margin["t"],
        WIDTH - margin["l"] - margin["r"],
        height - margin["t"] - margin["b"],
    )
    axes = axes_of(whole, box)
    shapes = "".join(_parts(whole, axes, box))
    size = f'viewBox="0 0 {WIDTH} {height}"'
    return f'<svg class="still" {size} role="img" aria-label="{escape(label)}">{shapes}</svg>'


def _parts(whole: Mapping[str, Any], axes: Mapping[str, Axis], box: Box) -> Iterator[str]:
    layout = whole["layout"]
    for x, y in dict.fromkeys(_place(trace) for trace in whole["data"]):
        yield from _frame(axes[x], axes[y])
    for trace in whole["data"]:
        x, y = _place(trace)
        yield from shapes_of(trace, axes[x], axes[y])
    for shape in layout.get("shapes", ()):
        yield _shape(shape, axes, box)
    for note in layout.get("annotations", ()):
        yield _annotation(note, axes, box)
    yield from _legend(whole, box)


def _place(trace: Mapping[str, Any]) -> tuple[str, str]:
    return trace.get("xaxis", "x"), trace.get("yaxis", "y")


def _frame(x: Axis, y: Axis) -> Iterator[str]:
    """Grid, ticks and titles of one panel."""
    left, right = x.span
    foot, top = y.span
    upright = "".join(f"M{at:.1f} {top:.1f}V{foot:.1f}" for at, _ in x.ticks)
    flat = "".join(f"M{left:.1f} {at:.1f}H{right:.1f}" for at, _ in y.ticks)
    yield f'<path class="grid" d="{upright}{flat}M{left:.1f} {foot:.1f}H{right:.1f}"/>'
    for at, label in x.ticks:
        yield text_at(at, foot + 17, label, text_anchor="middle")
    for at, label in y.ticks:
        yield text_at(left - 8, at + 4, label, text_anchor="end")
    if x.title:
        yield text_at((left + right) / 2, foot + 38, x.title, text_anchor="middle")
    if y.title:
        middle = (foot + top) / 2
        turned = f"rotate(-90 {left - 48:.1f} {middle:.1f})"
        yield text_at(left - 48, middle, y.title, text_anchor="middle", transform=turned)


def _at(
    side: str, given: Mapping[str, Any], name: str, axes: Mapping[str, Axis], box: Box
) -> float:
    """The pixel of a place that is given on an axis, or as a share of the whole or of a panel."""
    value = given.get(name) or 0.0
    axis, _, is_share = str(given.get(f"{side}ref") or "paper").partition(" ")
    if axis in axes and is_share:
        start, end = axes[axis].span
        return float(start + value * (end - start))
    if axis in axes:
        return axes[axis].pixel(value) or 0.0
    if side == "x":
        return box.left + float(value) * box.width
    return box.top + (1 - float(value)) * box.height


def _shape(shape: Mapping[str, Any], axes: Mapping[str, Axis], box: Box) -> str:
    x0, x1, y0, y1 = (_at(side, shape, f"{side}{i}", axes, box) for side in "xy" for i in (0, 1))
    if shape.get("type") == "rect":
        named = {"x": min(x0, x1), "y": min(y0, y1), "width": abs(x1 - x0), "height": abs(y1 - y0)}
        look = {"fill": shape.get("fillcolor"), "opacity": shape.get("opacity")}
        return element("rect", {**named, **look})
    line = shape.get("line") or {}
    look = {"stroke": line.get("color"), "stroke-width": line.get("width")}
    path = f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"
    return element("path", {"d": path, **look, "stroke-dasharray": dash_of(line)})


_ANCHOR: Final = {"left": "start", "right": "end"}


def _annotation(note: Mapping[str, Any], axes: Mapping[str, Axis], box: Box) -> str:
    x, y = (_at(side, note, side, axes, box) for side in "xy")
    anchor = _ANCHOR.get(note.get("xanchor") or "", "middle")
    shift = 12.0 if note.get("yanchor") == "top" else -4.0
    size = (note.get("font") or {}).get("size")
    return text_at(x, y + shift, note.get("text") or "", text_anchor=anchor, font_size=size)


def _legend(whole: Mapping[str, Any], box: Box) -> Iterator[str]:
    """Names of the traces in a row above the plot."""
    named = [
        trace
        for trace in whole["data"]
        if trace.get("name")
        and trace.get("showlegend", True) is not False
        and trace.get("visible", True) is True
    ]
    if len(named) < 2 and not any(trace.get("showlegend") for trace in named):
        return
    x = box.left
    for trace in named:
        yield from swatch(trace, x, box.top - 16)
        yield text_at(x + 28, box.top - 16, str(trace["name"]))
        x += 44 + _LETTER * len(str(trace["name"]))
