"""Shapes of SVG: symbols at points, lines through them, and text."""

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

__all__ = ["dash_of", "dots_path", "element", "line_path", "symbol_path", "text_at"]

#: Corners of each symbol, in radii from its centre.
_CORNERS: Final[Mapping[str, Sequence[tuple[float, float]]]] = {
    "diamond": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "triangle-up": ((0, -1.1), (1.1, 0.9), (-1.1, 0.9)),
    "star": tuple(
        (radius * math.sin(i * math.pi / 5), -radius * math.cos(i * math.pi / 5))
        for i, radius in enumerate((1.2, 0.5) * 5)
    ),
}
_DASHES: Final = {"dot": "1 3", "dash": "6 4", "dashdot": "6 3 1 3"}
_BREAK = re.compile(r"<br\s*/?>")
_TAG = re.compile(r"<[^>]*>")


def element(name: str, values: Mapping[str, object]) -> str:
    """An empty element; attributes without a value are left out."""
    return f"<{name}{_attributes(values)}/>"


def _attributes(values: Mapping[str, object]) -> str:
    """`` name="value"`` of each that has a value, escaped; numbers to a tenth."""
    return "".join(
        f' {name}="{html.escape(_short(value))}"'
        for name, value in values.items()
        if value is not None
    )


def _short(value: object) -> str:
    return (
        f"{value:.3g}"
        if isinstance(value, float) and abs(value) < 10
        else (f"{value:.1f}" if isinstance(value, float) else str(value))
    )


def symbol_path(symbol: str, x: float, y: float, radius: float) -> str:
    """The path of a symbol: ``x-thin-open`` is a cross, what is not known a circle."""
    if symbol.startswith("x"):
        r, d = 0.8 * radius, 1.6 * radius
        return f"M{_pair(x - r, y - r)}l{_pair(d, d)}m0 {_pair(-d)}l{_pair(-d, d)}"
    corners = _CORNERS.get(symbol.removesuffix("-open"))
    if corners is None:
        # All of the circle but a tenth of a pixel at its top, which Z closes.
        r_text = _pair(radius)
        return f"M{_pair(x - 0.05, y - radius)}a{r_text} {r_text} 0 1 0 .1 0Z"
    return f"{line_path((x + dx * radius, y + dy * radius) for dx, dy in corners)}Z"


def dots_path(points: Iterable[tuple[float, float]]) -> str:
    """Points as lines without length, which round caps show as dots as wide as the stroke."""
    return "".join(f"M{_pair(x, y)}h0" for x, y in points)


def line_path(points: Iterable[tuple[float | None, float | None]], shape: str = "linear") -> str:
    """A line through points; it breaks where a point has no place, and steps with ``hv``.

    Places are tenths of a pixel; steps that cannot be seen, or that go on level, take no room.
    """
    path: list[str] = []
    run: list[tuple[int, int]] = []
    for x, y in points:
        if x is None or y is None:
            path.append(_stroke(run))
            run = []
            continue
        at = round(10 * x), round(10 * y)
        if run and shape == "hv" and at[0] != run[-1][0] and at[1] != run[-1][1]:
            _go(run, (at[0], run[-1][1]))
        _go(run, at)
    return "".join([*path, _stroke(run)])


def _go(run: list[tuple[int, int]], at: tuple[int, int]) -> None:
    """Goes on to ``at``; a level step that goes on in the direction of the last extends it."""
    if len(run) > 1:
        (before, level), (last, same) = run[-2:]
        if level == same == at[1] and (last - before) * (at[0] - last) >= 0:
            run[-1] = at
            return
    if not run or run[-1] != at:
        run.append(at)


def _stroke(run: Sequence[tuple[int, int]]) -> str:
    """The path through places in tenths of a pixel."""
    if not run:
        return ""
    steps = ["M", _pair(run[0][0] / 10, run[0][1] / 10)]
    for (x0, y0), (x, y) in pairwise(run):
        if y == y0:
            steps += ["h", _pair((x - x0) / 10)]
        elif x == x0:
            steps += ["v", _pair((y - y0) / 10)]
        else:
            steps += ["l", _pair((x - x0) / 10, (y - y0) / 10)]
    return "".join(steps)


def _pair(*numbers: float) -> str:
    """Numbers to a tenth, as few letters as a path needs: ``3-.5``."""
    texts = [_tenths(number) for number in numbers]
    return texts[0] + "".join(t if t[0] == "-" else f" {t}" for t in texts[1:])


def _tenths(number: float) -> str:
    text = f"{number:.1f}".removesuffix(".0")
    if text in ("-0", "0"):
        return "0"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def dash_of(line: Mapping[str, Any]) -> str | None:
    """A line's dashes as SVG writes them; None for a solid one."""
    return _DASHES.get(line.get("dash") or "")


def text_at(x: float, y: float, text: str, **others: object) -> str:
    """A text whose label is plotly's: it may hold breaks and entities, and no other tag counts."""
    rows = [html.unescape(_TAG.sub("", row)) for row in _BREAK.split(text)]
    place = _attributes(
        {"x": x, "y": y, **{k.rstrip("_").replace("_", "-"): v for k, v in others.items()}}
    )
    if len(rows) == 1:
        return f"<text{place}>{html.escape(rows[0])}</text>"
    spans = "".join(
        f'<tspan x="{x:.1f}" dy="{0 if i == 0 else 15}">{html.escape(row)}</tspan>'
        for i, row in enumerate(rows)
    )
    return f"<text{place}>{spans}</text>"
