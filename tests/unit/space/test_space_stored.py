"""The space as ``space.json`` holds it: by this version, by an older one, or damaged."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.errors import FixInput
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.list_parameter import ListParameter
from automl.space.model import Inert, Refused, SearchSpace
from automl.space.parameter import Link, Parameter
from automl.space.relations import Relation

SPACE = SearchSpace(
    (
        Parameter("a.lr", "float", FloatRange(1e-5, 1e-2, log=True, holes=(1e-3,)), 1e-4),
        Parameter(
            "a.batch", "int", IntRange(2, 32, step=2), 4, ("/ 2",), {"low": "schema minimum"}
        ),
        Parameter("a.net", "categorical", Choice(("x", "y"), (1.0, 3.0)), "x"),
        Parameter("a.rank", "int", Choice((1, 2, 4), is_ordered=True), 2),
        Parameter(
            "a.select", "int", IntRange(1, 9), 3, links=(Link(Relation.AT_MOST, ("a.batch",)),)
        ),
        ListParameter(
            "a.steps",
            "list",
            (
                Parameter("a.steps[0]", "int", IntRange(1, 5), 2),
                Parameter("a.steps[1]", "int", IntRange(2, 9), 8),
            ),
            [2, 8],
        ),
    ),
    {"a.flip": 0.5},
    (Refused("a.scale", "no range"),),
    (Inert("a.decay", "nothing decays", "--set a.steps=[1,2]"),),
)


def stored() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(json.dumps(SPACE.to_json()))
    return value


def test_a_space_is_read_as_it_was_written() -> None:
    again = SearchSpace.from_json(stored())
    assert again.digest == SPACE.digest
    assert json.loads(json.dumps(again.to_json())) == stored()


def test_the_form_is_the_one_that_studies_hold() -> None:
    """What was written before there were distributions has the same keys in the same order."""
    first, _, _, rank, select, steps = stored()["parameters"]
    fields = "key type kind low high log step choices weights default conditions bounds_from"
    assert list(first) == [*fields.split(), "holes"]
    assert (rank["kind"], rank["low"], rank["high"]) == ("ordered", 1, 4)
    assert list(select)[-1] == "links"
    assert (steps["kind"], steps["low"], steps["high"]) == ("list", [1, 2], [5, 9])
    assert [element["key"] for element in steps["elements"]] == ["a.steps[0]", "a.steps[1]"]


def test_an_older_space_may_lack_what_it_did_not_use() -> None:
    value = stored()
    for name in ("weights", "conditions", "bounds_from", "step"):
        del value["parameters"][0][name]
    value["inert"][0]["mend"] = value["inert"][0].pop("fix")
    assert SearchSpace.from_json(value) == SearchSpace.from_json(stored())


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_space_is_a_named_error(data: st.DataObject) -> None:
    value = copy.deepcopy(stored())
    here: Any = value
    for _ in range(data.draw(st.integers(0, 4))):
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(here[key], dict | list) or not here[key]:
            break
        here = here[key]
    keys = list(here) if isinstance(here, dict) else list(range(len(here)))
    here[data.draw(st.sampled_from(keys))] = data.draw(
        st.sampled_from([None, 0, "x", [], {}, [1], {"key": 1}, True])
    )
    try:
        SearchSpace.from_json(value)
    except FixInput as error:
        assert "as automl wrote it" in str(error)  # noqa: PT017 - either way is right


@pytest.mark.parametrize("value", [{}, {"parameters": [{"kind": "cube"}]}, {"parameters": 3}])
def test_what_is_no_space_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(FixInput, match=r"space\.json"):
        SearchSpace.from_json(value)
