"""Shapes of SVG: symbols at points, lines through them, and text."""

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

__all__ = ["dash_of", "element", "line_path", "symbol_path", "text_at"]

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
        r = 0.8 * radius
        return f"M{x - r:.1f} {y - r:.1f}l{2 * r:.1f} {2 * r:.1f}m0 {-2 * r:.1f}l{-2 * r:.1f} {2 * r:.1f}"  # noqa: E501
    corners = _CORNERS.get(symbol.removesuffix("-open"))
    if corners is None:
        d = 2 * radius
        return f"M{x - radius:.1f} {y:.1f}a{radius:.1f} {radius:.1f} 0 1 0 {d:.1f} 0a{radius:.1f} {radius:.1f} 0 1 0 {-d:.1f} 0"  # noqa: E501
    points = [f"{x + dx * radius:.1f} {y + dy * radius:.1f}" for dx, dy in corners]
    return f"M{'L'.join(points)}Z"


def line_path(points: Iterable[tuple[float | None, float | None]], shape: str = "linear") -> str:
    """A line through points; it breaks where a point has no place, and steps with ``hv``."""
    path: list[str] = []
    is_begun = False
    for x, y in points:
        if x is None or y is None:
            is_begun = False
            continue
        if not is_begun:
            path.append(f"M{x:.1f} {y:.1f}")
        else:
            path.append(f"H{x:.1f}V{y:.1f}" if shape == "hv" else f"L{x:.1f} {y:.1f}")
        is_begun = True
    return "".join(path)


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
