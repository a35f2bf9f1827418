"""Traces of a figure as shapes: lines, points, bars and maps of cells."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, TypeAlias

from automl.reports.drawing.axes import Axis
from automl.reports.drawing.colours import mixed
from automl.reports.drawing.marks import (
    dash_of,
    dots_path,
    element,
    line_path,
    symbol_path,
    text_at,
)

__all__ = ["shapes_of", "swatch"]

Trace: TypeAlias = Mapping[str, Any]
Point: TypeAlias = tuple[float | None, float | None]


def shapes_of(trace: Trace, x: Axis, y: Axis) -> Iterator[str]:
    """The shapes of one trace; none of a kind that is not drawn without a script."""
    draw = _KINDS.get(trace.get("type", "scatter"))
    if draw is not None and trace.get("visible", True) is True:
        yield from draw(trace, x, y)


def _scatter(trace: Trace, x: Axis, y: Axis) -> Iterator[str]:
    points = [
        (x.pixel(a), y.pixel(b)) for a, b in zip(_of(trace, "x"), _of(trace, "y"), strict=True)
    ]
    mode, line = trace.get("mode") or "lines", trace.get("line") or {}
    opacity = trace.get("opacity")
    if trace.get("fill") == "toself":
        path = line_path(points)
        yield element("path", {"d": path, "fill": _fill_of(trace), "opacity": opacity})
    elif "lines" in mode:
        yield _line(line_path(points, line.get("shape") or "linear"), line, opacity)
    if trace.get("error_y"):
        yield _errors(trace, points, y)
    if trace.get("error_x"):
        yield _flat_errors(trace, points, x)
    if "markers" in mode:
        is_full = "lines" in mode and len(points) > _MOST_ON_LINES
        yield from _markers(trace, _alone(points) if is_full else points)
    if "text" in mode:
        yield from _labels(trace, points)


#: Points of a trace up to which those on its lines are drawn; of more only those beside no other.
_MOST_ON_LINES: Final = 2_000


def _alone(points: Sequence[Point]) -> list[Point]:
    """The points that no line would show; the others without a place."""
    gap: Point = (None, None)
    around = zip([gap, *points], points, [*points[1:], gap], strict=False)
    return [at if None in before and None in after else gap for before, at, after in around]


def _fill_of(trace: Trace) -> str:
    return str(trace.get("fillcolor") or (trace.get("line") or {}).get("color") or "currentColor")


def _line(path: str, line: Trace, opacity: Any) -> str:
    look = {
        "d": path,
        "fill": "none",
        "stroke": line.get("color") or "currentColor",
        "stroke-width": float(line.get("width", 2)),
        "stroke-dasharray": dash_of(line),
        "opacity": opacity,
    }
    return element("path", look)


def _errors(trace: Trace, points: Sequence[Point], y: Axis) -> str:
    bars = trace["error_y"]
    above = list(bars.get("array") or ())
    below = list(bars.get("arrayminus") or above)
    path = []
    for (at, _), value, up, down in zip(points, _of(trace, "y"), above, below, strict=True):
        if at is None or value is None:
            continue
        top, foot = y.pixel(value + up), y.pixel(value - down)
        path.append(f"M{at:.1f} {top:.1f}V{foot:.1f}")
    colour = (trace.get("marker") or {}).get("color")
    return element("path", {"d": "".join(path), "stroke": colour, "stroke-width": 1.0})


def _flat_errors(trace: Trace, points: Sequence[Point], x: Axis) -> str:
    bars = trace["error_x"]
    ahead, behind = list(bars["array"]), list(bars["arrayminus"])
    path = []
    for (_, at), value, more, less in zip(points, _of(trace, "x"), ahead, behind, strict=True):
        if at is not None and value is not None:
            start, end = x.pixel(value - less), x.pixel(value + more)
            path.append(f"M{start:.1f} {at:.1f}H{end:.1f}")
    colour = (trace.get("marker") or {}).get("color")
    return element("path", {"d": "".join(path), "stroke": colour, "stroke-width": 1.2})


def _markers(trace: Trace, points: Sequence[Point]) -> Iterator[str]:
    """Points of one look are one path."""
    by_look: dict[tuple[Any, str, float], list[tuple[float, float]]] = {}
    marker = {"color": (trace.get("line") or {}).get("color"), **(trace.get("marker") or {})}
    looks = zip(
        *(_each(marker.get(k), len(points)) for k in ("color", "symbol", "size")), strict=True
    )
    for (px, py), (colour, symbol, size) in zip(points, looks, strict=True):
        if px is not None and py is not None:
            look = colour, symbol or "circle", float(size or 6)
            by_look.setdefault(look, []).append((px, py))
    opacity = marker.get("opacity", trace.get("opacity"))
    for (colour, symbol, size), places in by_look.items():
        if symbol == "circle" and not marker.get("line"):
            dots = {"stroke": colour or "currentColor", "stroke-width": size}
            path = {"d": dots_path(places), **dots, "stroke-linecap": "round"}
        else:
            drawn = "".join(symbol_path(symbol, px, py, size / 2) for px, py in places)
            path = {**_look(marker, colour, symbol), "d": drawn}
        yield element("path", {**path, "opacity": opacity})


def _look(marker: Trace, colour: Any, symbol: str) -> dict[str, object]:
    colour = colour or "currentColor"
    if symbol.endswith("open"):
        return {"fill": "none", "stroke": colour, "stroke-width": 1.6}
    edge = marker.get("line") or {}
    return {"fill": colour, "stroke": edge.get("color"), "stroke-width": edge.get("width")}


def _each(value: Any, n: int) -> list[Any]:
    is_one = value is None or isinstance(value, str | int | float)
    return [value] * n if is_one else list(value)


def _of(trace: Trace, name: str) -> list[Any]:
    values = trace.get(name)
    return [] if values is None else list(values)


_ANCHORS: Final = {"left": "end", "right": "start", "center": "middle"}


def _labels(trace: Trace, points: Sequence[Point]) -> Iterator[str]:
    place = str(trace.get("textposition") or "middle center")
    anchor = _ANCHORS.get(place.split()[-1], "middle")
    shift = {"top": -8.0, "bottom": 16.0}.get(place.split()[0], 4.0)
    size = (trace.get("textfont") or {}).get("size")
    for (px, py), text in zip(points, _each(trace.get("text"), len(points)), strict=True):
        if px is not None and py is not None and text:
            yield text_at(px, py + shift, str(text), text_anchor=anchor, font_size=size)


def _bars(trace: Trace, x: Axis, y: Axis) -> Iterator[str]:
    is_lying = trace.get("orientation") == "h"
    along, across = (x, y) if is_lying else (y, x)
    lengths, places = (_of(trace, name) for name in ("xy" if is_lying else "yx"))
    bases = _each(trace.get("base", 0.0) or 0.0, len(lengths))
    colours = _each((trace.get("marker") or {}).get("color"), len(lengths))
    texts = _each(trace.get("text"), len(lengths))
    thick = _thickness(across, trace.get("width"))
    for base, length, place, colour, text in zip(
        bases, lengths, places, colours, texts, strict=True
    ):
        at, start, end = across.pixel(place), along.pixel(base), along.pixel(base + length)
        if at is None or start is None or end is None:
            continue
        low, size = min(start, end), abs(end - start)
        box = (
            (low, at - thick / 2, size, thick) if is_lying else (at - thick / 2, low, thick, size)
        )
        named = dict(zip(("x", "y", "width", "height"), box, strict=True))
        yield element("rect", {**named, "fill": colour, "opacity": trace.get("opacity")})
        if text and is_lying and size > 14:
            yield text_at(low + size / 2, at + 4, str(text), text_anchor="middle", class_="on-bar")


def _thickness(across: Axis, width: Any) -> float:
    """Pixels of a bar's thickness."""
    low, high = across.ends
    a_unit = abs(across.span[1] - across.span[0]) / ((high - low) or 1.0)
    share = float(width) if isinstance(width, int | float) else 0.75
    return max(1.0, min(share * a_unit, 40.0))


def _cells(trace: Trace, x: Axis, y: Axis) -> Iterator[str]:
    """A map as cells of one colour each."""
    xs, ys = (_edges(axis, _of(trace, side)) for axis, side in ((x, "x"), (y, "y")))
    rows = [list(row) for row in trace["z"]]
    known = [value for row in rows for value in row if value is not None and value == value]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    scale = [(float(at), str(colour)) for at, colour in trace["colorscale"]]
    for row, (y0, y1) in zip(rows, pairwise(ys), strict=True):
        for value, (x0, x1) in zip(row, pairwise(xs), strict=True):
            if value is None or value != value:
                continue
            colour = mixed(scale, (value - low) / ((high - low) or 1.0))
            box = {"x": min(x0, x1), "y": min(y0, y1)}
            box |= {"width": abs(x1 - x0) + 0.5, "height": abs(y1 - y0) + 0.5}
            yield element("rect", {**box, "fill": colour})


def _edges(axis: Axis, values: Sequence[Any]) -> list[float]:
    """The pixels between cells, and the outer ends."""
    centres = [pixel for value in values if (pixel := axis.pixel(value)) is not None]
    if len(centres) < 2:
        half = _thickness(axis, 1.0) / 2
        return [centres[0] - half, centres[0] + half] if centres else []
    middles = [(a + b) / 2 for a, b in pairwise(centres)]
    first, last = 2 * centres[0] - middles[0], 2 * centres[-1] - middles[-1]
    return [first, *middles, last]


_KINDS: Final[Mapping[str, Callable[[Trace, Axis, Axis], Iterator[str]]]] = {
    "scatter": _scatter,
    "bar": _bars,
    "heatmap": _cells,
    "contour": _cells,
}


def swatch(trace: Trace, x: float, y: float) -> Iterator[str]:
    """What stands before a trace's name in the legend, 22 pixels wide."""
    mode, line = trace.get("mode") or "lines", trace.get("line") or {}
    if trace.get("type") == "bar":
        colour = _each((trace.get("marker") or {}).get("color"), 1)[0]
        place = {"x": x + 4, "y": y - 9, "width": 14, "height": 10}
        yield element("rect", {**place, "fill": colour})
        return
    if "lines" in mode:
        yield _line(f"M{x:.1f} {y - 4:.1f}h22", line, None)
    if "markers" in mode:
        marker = trace.get("marker") or {}
        colour, symbol, size = (_each(marker.get(k), 1) for k in ("color", "symbol", "size"))
        radius = min(float(size[0] or 6), 12) / 2
        path = symbol_path(symbol[0] or "circle", x + 11, y - 4, radius)
        yield element("path", {**_look(marker, colour[0], symbol[0] or "circle"), "d": path})
