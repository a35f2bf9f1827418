"""Still figures: ticks that people read, shapes where the live figure has them, labels escaped."""

import math
import re
from pathlib import Path
from xml.etree import ElementTree

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.reports.drawing.axes import Box, axes_of
from automl.reports.drawing.colours import SCALE, mixed
from automl.reports.drawing.figure import svg_of
from automl.reports.drawing.marks import line_path
from automl.reports.drawing.small import small_curve
from automl.reports.drawing.ticks import linear_ticks, log2_ticks, log_ticks, number_text
from automl.reports.figures import figures_of
from automl.reports.summary import read_summary
from automl.reports.theme import styled


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (1e-5, 1e-3, ["1e-5", "3e-5", "1e-4", "3e-4", "1e-3"]),
        (0.05, 1.0, ["0.05", "0.1", "0.2", "0.5", "1"]),
        (1e-9, 1.0, ["1e-8", "1e-6", "1e-4", "0.01", "1"]),
        (2.2, 2.4, ["2.2", "2.4"]),
    ],
)
def test_ticks_of_a_rate_are_written_as_rates_are(
    low: float, high: float, labels: list[str]
) -> None:
    assert [number_text(tick) for tick in log_ticks(low, high)] == labels


def test_batch_sizes_stand_at_powers_of_two() -> None:
    assert log2_ticks(1, 16) == [1, 2, 4, 8, 16]
    assert log2_ticks(6, 100) == [8, 16, 32, 64]
    assert log2_ticks(5, 7) == [5, 7]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_linear_ticks_lie_between_the_ends(low: float, span: float) -> None:
    ticks = linear_ticks(low, low + span)
    assert 1 <= len(ticks) <= 8
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)


def _plot(*traces: go.Scatter) -> go.Figure:
    return styled(go.Figure(list(traces)), 300)


def test_a_point_stands_where_its_axes_say() -> None:
    plot = _plot(go.Scatter(x=[1, 10, 100], y=[0, 1, 2]))
    plot.update_xaxes(type="log")
    box = Box(0, 0, 1000, 200)
    axes = axes_of(plot.to_plotly_json(), box)
    places = [axes["x"].pixel(value) for value in (1, 10, 100)]
    assert None not in places
    left, middle, right = (place or 0.0 for place in places)
    assert middle == pytest.approx(500)
    assert right - middle == pytest.approx(middle - left)
    assert (axes["y"].pixel(0) or 0.0) > (axes["y"].pixel(2) or 0.0)
    assert axes["x"].pixel(0) is None


def test_words_stand_in_their_order_and_only_known_ones() -> None:
    plot = _plot(go.Scatter(x=["b", "a"], y=[1, 2], mode="markers"))
    plot.update_xaxes(type="category", categoryarray=["a", "b", "c"])
    axis = axes_of(plot.to_plotly_json(), Box(0, 0, 300, 100))["x"]
    assert [label for _, label in axis.ticks] == ["a", "b", "c"]
    assert axis.pixel("d") is None


def test_every_figure_of_a_study_is_drawn_and_is_xml(full_study: Path) -> None:
    for name, figure in figures_of(read_summary(full_study)).by_name.items():
        svg = svg_of(figure.plot, figure.title)
        root = ElementTree.fromstring(svg)  # noqa: S314 - our own
        assert root.tag == "svg", name
        assert len(root) > 5, name


def test_a_label_of_a_user_stays_text() -> None:
    plot = _plot(go.Scatter(x=["&lt;b&gt;x", "<script>"], y=[1, 2], name="a<script>&amp;"))
    svg = svg_of(plot, '"><script>')
    assert "<script" not in svg
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    assert "<b>x" in [text.text for text in root.iter("text")]


def test_lines_break_where_a_value_is_missing() -> None:
    svg = svg_of(_plot(go.Scatter(x=[0, 1, None, 2, 3], y=[0, 1, None, 1, 0])), "gap")
    line = re.search(r'fill="none" stroke="currentColor"', svg)
    assert line is not None
    paths = re.findall(r'<path d="([^"]+)" fill="none"', svg)
    assert [path.count("M") for path in paths] == [2]


_PLACES = st.lists(st.tuples(st.floats(-999, 999), st.floats(-999, 999)), min_size=1, max_size=9)
_STEP = re.compile(r"([Mlhv])([^Mlhv]*)")
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")


def _corners(path: str) -> list[tuple[float, float]]:
    """The places that a path goes through, read as a browser reads it."""
    x = y = 0.0
    found = []
    for step, text in _STEP.findall(path):
        numbers = [float(number) for number in _NUMBER.findall(text)]
        dx = 0.0 if step == "v" else numbers[0]
        dy = 0.0 if step == "h" else numbers[-1]
        x, y = (dx, dy) if step == "M" else (x + dx, y + dy)
        found.append((x, y))
    return found


@given(_PLACES)
def test_a_line_goes_through_its_points_to_a_tenth(points: list[tuple[float, float]]) -> None:
    corners = _corners(line_path(points))
    assert len(corners) <= len(points)
    for x, y in (points[0], points[-1]):
        assert min(math.dist((x, y), corner) for corner in corners) < 0.08
    for _, y in points:
        assert min(abs(y - height) for _, height in corners) < 0.08


def test_level_steps_are_one_and_turns_are_kept() -> None:
    assert line_path([(0, 5), (1, 5), (2.5, 5), (2.5, 5.02), (4, 7)]) == "M0 5h2.5l1.5 2"
    assert line_path([(0, 5), (3, 5), (1, 5)]) == "M0 5h3h-2"
    assert line_path([(0, 0), (2, -0.5), (3, -0.5)], "hv") == "M0 0h2v-.5h1"
    assert line_path([(0, 0), (None, None), (1, 1), (2, 2)]) == "M0 0M1 1l1 1"


def test_points_on_many_lines_are_left_to_the_lines_unless_they_stand_alone() -> None:
    def dots(n: int) -> int:
        x = [*range(n), None, n + 5, None]
        trace = go.Scatter(x=x, y=x, mode="lines+markers")
        return svg_of(_plot(trace), "many").count("h0")

    assert dots(50) == 51
    assert dots(3_000) == 1


def test_three_dimensions_are_left_to_the_script() -> None:
    assert svg_of(styled(go.Figure(go.Scatter3d(x=[0], y=[0], z=[0])), 300), "look") == ""


def test_colours_go_from_end_to_end() -> None:
    assert mixed(SCALE, 0.0) == SCALE[0][1]
    assert mixed(SCALE, 1.0) == SCALE[-1][1]
    assert mixed(((0.0, "#000000"), (1.0, "#ffffff")), 0.5) == "#808080"


def test_a_small_curve_has_the_default_beside_it() -> None:
    assert small_curve({}, {0: 0.1}) == ""
    alone, beside = small_curve({0: 0.1, 1: 0.2}, {}), small_curve({0: 0.1}, {0: 0.1, 4: 0.5})
    assert 'class="default"' not in alone
    assert 'class="default"' in beside
    assert "epoch 4" in beside
