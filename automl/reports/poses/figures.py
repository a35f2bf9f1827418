"""The figures of poses: precision over overlap, error over circumstances, and the 3D look."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from automl.poses.bootstrap import draws, estimate
from automl.poses.factors import Factor, factors_of, mean_overlap
from automl.poses.sample import Sample
from automl.poses.table import PoseTable
from automl.reports.poses.scores import OverlapCurve, overlap_curve
from automl.reports.poses.tiles import EDGES
from automl.reports.theme import BLUE, GREY, INK, ORANGE, Figure, safe, styled

__all__ = ["curve_figure", "factor_figure", "look_figure"]

_Sides = Sequence[tuple[str, Sample]]
_LOOKS: Final = {"winner": (BLUE, "circle", "solid"), "default": (ORANGE, "diamond", "dash")}


def curve_figure(sides: _Sides) -> Figure:
    """Average precision over the threshold of 3D IoU, of the winner and the default."""
    plot = go.Figure()
    for who, sample in sides:
        colour, _, dash = _LOOKS[who]
        curve = overlap_curve(sample)
        plot.add_trace(_band(curve, colour))
        values = [point.value for point in curve.points]
        line = {"color": colour, "dash": dash, "width": 2}
        plot.add_trace(go.Scatter(x=curve.thresholds, y=values, mode="lines", name=who, line=line))
    styled(plot, 320)
    plot.update_xaxes(title_text="threshold of 3D IoU", range=[0, 1])
    plot.update_yaxes(title_text="average precision", rangemode="tozero")
    n = len(sides[0][1].names)
    caption = (
        f"Precision of boxes that overlap at least so much, over {n} validation images; bands are "
        "95 % intervals over images."
    )
    return Figure("pose-curve", "Average precision over 3D IoU", caption, plot)


def _band(curve: OverlapCurve, colour: str) -> Any:
    known = [
        (t, point)
        for t, point in zip(curve.thresholds, curve.points, strict=True)
        if point.low is not None
    ]
    ends = [*known, *known[::-1]]
    y = [point.high for _, point in known] + [point.low for _, point in known[::-1]]
    return go.Scatter(
        x=[t for t, _ in ends],
        y=y,
        fill="toself",
        mode="lines",
        line={"width": 0, "color": colour},
        opacity=0.25,
        hoverinfo="skip",
        showlegend=False,
    )


def factor_figure(sides: _Sides) -> Figure | None:
    """Mean 3D IoU by distance, azimuth, visibility and truncation; None where nothing differs."""
    factors = factors_of(sides[0][1])
    if not factors:
        return None
    columns = min(2, len(factors))
    rows = -(-len(factors) // columns)
    titles = [safe(factor.title) for factor in factors]
    plot = make_subplots(rows, columns, subplot_titles=titles, vertical_spacing=0.32 / rows)
    for k, factor in enumerate(factors):
        place = {"row": k // columns + 1, "col": k % columns + 1}
        for who, sample in sides:
            plot.add_trace(_means(factor, who, sample, is_first=k == 0), **place)
    styled(plot, 60 + 270 * rows)
    plot.update_yaxes(title_text="mean 3D IoU", rangemode="tozero")
    plot.update_xaxes(type="category", tickangle=0)
    same = [t for t in ("visibility", "truncation") if t not in {f.title for f in factors}]
    caption = (
        "Objects by what may make them hard; one that was not found counts as 0. Bars are 95 % "
        "intervals over images, n the objects."
    )
    if same:
        caption += f" All objects are alike in {' and '.join(same)}."
    return Figure("pose-factors", "Error against what makes an object hard", caption, plot)


def _means(factor: Factor, who: str, sample: Sample, *, is_first: bool) -> Any:
    colour, symbol, dash = _LOOKS[who]
    weights = draws(len(sample.names))
    found = [estimate(mean_overlap(sample, g.members), weights) for g in factor.groups]
    labels = [
        f"{safe(group.label).replace(' to ', ' to<br>')}<br>n = {group.n}"
        for group in factor.groups
    ]
    ends = [(e.value or 0.0, e.low, e.high) for e in found]
    return go.Scatter(
        x=labels,
        y=[value for value, _, _ in ends],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [0.0 if high is None else high - value for value, _, high in ends],
            "arrayminus": [0.0 if low is None else value - low for value, low, _ in ends],
            "thickness": 1,
        },
        mode="lines+markers",
        name=who,
        legendgroup=who,
        showlegend=is_first,
        marker={"color": colour, "symbol": symbol, "size": 8},
        line={"color": colour, "dash": dash, "width": 1},
    )


def look_figure(sides: _Sides, places: Sequence[int]) -> Figure | None:
    """Boxes and camera in three dimensions, one image at a time, chosen in a menu.

    Args:
        sides: Winner first.
        places: Of the images, in the order of the split.
    """
    if not places:
        return None
    plot = go.Figure()
    first = sides[0][1]
    for place in places:
        for trace in _scene(sides, place):
            trace.visible = place == places[0]
            plot.add_trace(trace)
    each = len(sides) + 2
    buttons = [
        {
            "label": first.names[place],
            "method": "update",
            "args": [{"visible": [i // each == k for i in range(each * len(places))]}],
        }
        for k, place in enumerate(places)
    ]
    styled(plot, 520)
    plain = {"backgroundcolor": "rgba(0,0,0,0)", "gridcolor": "rgba(128,128,128,0.3)"}
    axes = {f"{a}axis": {**plain, "title": t} for a, t in zip("xyz", _AXES, strict=True)}
    camera = {"eye": {"x": 0.9, "y": -1.1, "z": 0.5}}
    plot.update_layout(
        scene={**axes, "aspectmode": "data", "camera": camera},
        updatemenus=[{"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.1}],
        # The menu above, the legend below: on a phone they would lie on each other side by side.
        legend={"y": -0.02, "yanchor": "top"},
        margin={"l": 4, "r": 4, "t": 60, "b": 40},
    )
    caption = (
        "The annotated box, the predicted ones and the camera; drag to turn, choose an image in "
        "the menu. A cross marks a box's +x side."
    )
    return Figure("pose-look", "In three dimensions", caption, plot)


_AXES: Final = ("right (m)", "away (m)", "up (m)")


def _scene(sides: _Sides, place: int) -> list[Any]:
    rows = [_rows_of(sample, place) for _, sample in sides]
    truth = _wires(_true_boxes(sides[0][1], place), "ground truth", INK, 2, "solid")
    boxes = []
    for (who, _), own in zip(sides, rows, strict=True):
        colour, _, dash = _LOOKS[who]
        boxes.append(_wires(own.numbers("predicted_3d"), who, colour, 5, dash))
    return [truth, *boxes, _frustum(_target_rows(sides[0][1], place))]


def _rows_of(sample: Sample, place: int) -> PoseTable:
    return sample.detections.take(np.flatnonzero(sample.image == place))


def _target_rows(sample: Sample, place: int) -> PoseTable:
    return sample.targets.take(np.flatnonzero(sample.home == place))


def _true_boxes(sample: Sample, place: int) -> npt.NDArray[np.float64]:
    return _target_rows(sample, place).numbers("true_3d")


def _wires(boxes: npt.NDArray[np.float64], name: str, colour: str, width: int, dash: str) -> Any:
    """Edges of boxes (N, 27), in axes that stand upright: right, away, up."""
    parts: list[npt.NDArray[np.float64]] = [np.zeros((0, 3))]
    gap = np.full((1, 3), np.nan)
    for box in boxes:
        corners = box.reshape(9, 3)[1:]
        for a, b in (*EDGES, (4, 7), (5, 6)):
            parts += [corners[[a, b]], gap]
    return _line3d(np.concatenate(parts), name, {"color": colour, "width": width, "dash": dash})


def _frustum(rows: PoseTable) -> Any:
    """The camera's field of view up to a third of the way to the object."""
    if not len(rows):
        return _line3d(np.zeros((0, 3)), "camera", {"color": GREY})
    fx, fy, cx, cy = rows.numbers("camera")[0]
    width, height = rows.numbers("width")[0], rows.numbers("height")[0]
    depth = float(rows.numbers("distance_m")[0]) / 3.0
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    rays = np.column_stack([(corners - [cx, cy]) / [fx, fy], np.ones(4)]) * depth
    tip, gap = np.zeros((1, 3)), np.full((1, 3), np.nan)
    lines = [np.concatenate([rays, rays[:1]]), gap]
    for ray in rays:
        lines += [tip, ray[None], gap]
    return _line3d(np.concatenate(lines), "camera", {"color": GREY, "width": 2})


def _line3d(points: npt.NDArray[np.float64], name: str, line: dict[str, Any]) -> Any:
    x, y, z = np.round(points, 3).T
    blank = [[None if np.isnan(v) else float(v) for v in values] for values in (x, z, -y)]
    return go.Scatter3d(
        x=blank[0], y=blank[1], z=blank[2], mode="lines", name=name, line=line, hoverinfo="name"
    )
