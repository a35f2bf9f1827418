"""Where values lie in their ranges, and what time intervals cover."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.reports.derive import edge_hints, setting
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.list_parameter import ListParameter
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.space.proposal import sampled

_LOG = Parameter("a.lr", "float", FloatRange(1e-5, 1e-1, log=True), default=1e-3)
_LINEAR = Parameter("a.n", "int", IntRange(0, 10), default=5)
_CHOICE = Parameter("a.kind", "categorical", Choice(("x", "y")))
_STEPS = ListParameter(
    "a.steps",
    "list",
    (
        Parameter("a.steps[0]", "int", IntRange(1, 5)),
        Parameter("a.steps[1]", "int", IntRange(5, 10)),
    ),
    default=[2, 8],
)


def test_the_middle_of_a_log_range_is_its_geometric_mean() -> None:
    assert _LOG.distribution.position(1e-3) == pytest.approx(0.5)
    assert _LINEAR.distribution.position(5) == 0.5


@pytest.mark.parametrize("value", ["x", None, True, [1]])
def test_what_is_no_number_has_no_place(value: str | bool | list[int] | None) -> None:
    assert _LINEAR.distribution.position(value) is None
    assert _CHOICE.distribution.position(value) is None


def test_a_value_that_a_log_axis_cannot_show_has_no_place() -> None:
    assert _LOG.distribution.position(0.0) is None


@given(st.floats(min_value=1e-5, max_value=1e-1))
def test_a_value_inside_its_range_lies_between_the_ends(value: float) -> None:
    place = _LOG.distribution.position(value)
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
    assert [one.key for one in sampled(space)] == ["a.steps[0]", "a.steps[1]"]
    assert setting({"a.steps": [3, 9]}, "a.steps[1]") == 9
    assert setting({"a.steps": [3]}, "a.steps[1]") is None
    assert setting({}, "a.steps[1]") is None
    hints = edge_hints({"a.steps": [3, 10]}, space)
    assert [hint.key for hint in hints] == ["a.steps[1]"]
