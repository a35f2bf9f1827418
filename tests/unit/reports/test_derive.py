"""Where values lie in their ranges, and what time intervals cover."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.reports.derive import dimensions_of, edge_hints, position, setting
from automl.space.model import Kind, Parameter, SearchSpace

_LOG = Parameter("a.lr", "float", Kind.FLOAT, low=1e-5, high=1e-1, log=True, default=1e-3)
_LINEAR = Parameter("a.n", "int", Kind.INT, low=0, high=10, default=5)
_CHOICE = Parameter("a.kind", "categorical", Kind.CATEGORICAL, choices=("x", "y"))
_STEPS = Parameter(
    "a.steps",
    "list",
    Kind.LIST,
    low=[1, 5],
    high=[5, 10],
    default=[2, 8],
    elements=(
        Parameter("a.steps[0]", "int", Kind.INT, low=1, high=5),
        Parameter("a.steps[1]", "int", Kind.INT, low=5, high=10),
    ),
)


def test_the_middle_of_a_log_range_is_its_geometric_mean() -> None:
    assert position(_LOG, 1e-3) == pytest.approx(0.5)
    assert position(_LINEAR, 5) == 0.5


@pytest.mark.parametrize("value", ["x", None, True, [1]])
def test_what_is_no_number_has_no_place(value: str | bool | list[int] | None) -> None:
    assert position(_LINEAR, value) is None
    assert position(_CHOICE, value) is None


def test_a_value_that_a_log_axis_cannot_show_has_no_place() -> None:
    assert position(_LOG, 0.0) is None


@given(st.floats(min_value=1e-5, max_value=1e-1))
def test_a_value_inside_its_range_lies_between_the_ends(value: float) -> None:
    place = position(_LOG, value)
    assert place is not None
    assert -1e-9 <= place <= 1 + 1e-9


def test_edges_are_judged_on_the_ranges_own_scale() -> None:
    space = SearchSpace((_LOG, _LINEAR, _CHOICE))
    # 1e-2 is in the lowest tenth of the range on a linear scale and far inside on its own.
    assert edge_hints({"a.lr": 1e-2, "a.n": 5, "a.kind": "x"}, space) == ()
    (low, high) = edge_hints({"a.lr": 1.1e-5, "a.n": 10, "a.kind": "y"}, space)
    assert (low.key, low.side, low.bound) == ("a.lr", "low", 1e-5)
    assert (high.key, high.side, high.bound) == ("a.n", "high", 10)


def test_a_list_is_looked_at_element_by_element() -> None:
    space = SearchSpace((_STEPS,))
    assert [one.key for one in dimensions_of(space)] == ["a.steps[0]", "a.steps[1]"]
    assert setting({"a.steps": [3, 9]}, "a.steps[1]") == 9
    assert setting({"a.steps": [3]}, "a.steps[1]") is None
    assert setting({}, "a.steps[1]") is None
    hints = edge_hints({"a.steps": [3, 10]}, space)
    assert [hint.key for hint in hints] == ["a.steps[1]"]
