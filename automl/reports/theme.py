"""The look that all figures share: colours that colour-blind readers can tell apart, quiet axes.

Colours are those of Okabe and Ito, "Color Universal Design" (2008). No meaning is carried by a
colour alone: symbols, dashes and names repeat it. Backgrounds are transparent, so that the page
decides.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

__all__ = [
    "BLUE",
    "GREY",
    "INK",
    "ORANGE",
    "SKY",
    "VERMILLION",
    "Figure",
    "TimeUnit",
    "line",
    "safe",
    "styled",
    "time_unit",
    "whole_ticks",
]

BLUE = "#0072B2"
SKY = "#56B4E9"
ORANGE = "#E69F00"
VERMILLION = "#D55E00"
GREY = "#8A8F98"
# One ink for axes and the baseline that reads on a white and on a dark page alike.
INK = "#6B7280"

_GRID = "rgba(128,128,128,0.18)"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the page.

    Attributes:
        name: Identifier of its element on the page.
        title: What it shows.
        caption: How to read it, with the number of trials behind it.
        plot: The plotly figure.
        least: Pixels below which it is not squeezed but looked at piece by piece; 0 for any.
    """

    name: str
    title: str
    caption: str
    plot: Any
    least: int = 0


@dataclass(frozen=True, slots=True)
class TimeUnit:
    """The unit in which a time axis is readable."""

    name: str
    seconds: float


def time_unit(seconds: float) -> TimeUnit:
    """The unit for an axis that reaches up to ``seconds``."""
    if seconds < 180:
        return TimeUnit("s", 1.0)
    return TimeUnit("min", 60.0) if seconds < 3 * 3600 else TimeUnit("h", 3600.0)


def safe(text: object) -> str:
    """``text`` for a plotly label, which reads a small part of HTML."""
    return html.escape(str(text))


def styled(plot: Any, height: int) -> Any:
    """``plot`` with the shared look, ``height`` pixels high and as wide as the page lets it."""
    plot.update_layout(
        template="none",
        height=height,
        autosize=True,
        margin={"l": 64, "r": 20, "t": 40, "b": 56},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13, "color": INK},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        hoverlabel={"align": "left"},
    )
    axis = {
        "gridcolor": _GRID,
        "linecolor": _GRID,
        "zeroline": False,
        "automargin": True,
        "exponentformat": "power",
        "title": {"font": {"size": 13}, "standoff": 10},
    }
    plot.update_xaxes(**axis)
    plot.update_yaxes(**axis)
    return plot


def whole_ticks(highest: int) -> dict[str, int]:
    """Ticks on round whole numbers from 0, at most eleven of them up to ``highest``."""
    rounds = (digit * 10**power for power in range(9) for digit in (1, 2, 5))
    return {"tick0": 0, "dtick": next(step for step in rounds if step * 10 >= highest)}


def line(x: Sequence[Any], y: Sequence[Any], name: str, **style: Any) -> Any:
    """A line trace; ``style`` goes to its ``line`` as it is."""
    return go.Scatter(x=list(x), y=list(y), mode="lines", name=name, line=style)
