"""Conditions between parameters: searched, frozen, or at their default."""

from collections.abc import Callable
from typing import Any

import pytest

from automl.errors import FixInput
from automl.search.sample import sample as draw
from automl.skill.asked import parse_search
from automl.skill.schema import SchemaTree, parse_schema
from automl.space.build import build_space
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.space.request import SpaceRequest

Build = Callable[..., SearchSpace]


def sample(space: SearchSpace, count: int, seed: int) -> list[dict[str, Any]]:
    """Proposals whose values a test may compare freely."""
    return [dict(one) for one in draw(space, count, seed)]


def _space(*names: str, **leaves: dict[str, Any]) -> SearchSpace:
    """A space over the named leaves of one block; each is an int from 1 to 100 unless said."""
    common = {"type": "int", "default": 10, "minimum": 1, "maximum": 100}
    properties = {name: {**common, **node} for name, node in leaves.items()}
    raw = {"properties": {"train": {"type": "collection", "properties": properties}}}
    schema: SchemaTree = parse_schema(raw, where="test", action="train")
    search = tuple(f"train.{name}" for name in (names or leaves))
    return build_space(
        schema, schema.defaults, SpaceRequest(search=tuple(map(parse_search, search)))
    )


def test_a_child_is_always_above_its_searched_parent(build: Build) -> None:
    space = build("dataset.crop_max", "dataset.crop_min")
    assert space.keys.index("dataset.crop_min") < space.keys.index("dataset.crop_max")
    for one in sample(space, 300, seed=1):
        assert one["dataset.crop_min"] < one["dataset.crop_max"] <= 800


def test_a_parent_leaves_room_for_its_child(build: Build) -> None:
    parent = build("dataset.crop_max", "dataset.crop_min")["dataset.crop_min"]
    assert (parent.ends[1], parent.bounds_from["high"]) == (
        799,
        "leaves room for dataset.crop_max",
    )


def test_a_parent_respects_a_child_that_is_not_searched(build: Build) -> None:
    parent = build("dataset.crop_min")["dataset.crop_min"]
    assert parent.ends[1] == 599
    assert "keeps dataset.crop_max = 600" in parent.bounds_from["high"]
    frozen = build("dataset.crop_min", freeze=("dataset.crop_max=500",))["dataset.crop_min"]
    assert frozen.ends[1] == 499


def test_a_child_follows_a_constant_parent(build: Build) -> None:
    at_default = build("dataset.crop_max")["dataset.crop_max"]
    assert isinstance(at_default, Parameter)
    assert (at_default.ends[0], at_default.links) == (385, ())
    frozen = build("dataset.crop_max", freeze=("dataset.crop_min=700",))["dataset.crop_max"]
    assert frozen.ends[0] == 701
    assert "dataset.crop_min = 700" in frozen.bounds_from["low"]


def test_a_bare_dependency_bounds_from_above(build: Build) -> None:
    space = build("model.num_select", "model.num_queries")
    for one in sample(space, 300, seed=2):
        assert one["model.num_select"] <= one["model.num_queries"]
    assert "<= model.num_queries" in space["model.num_select"].conditions


def test_of_two_parents_the_smaller_counts() -> None:
    space = _space(a={}, b={}, c={"depends_on": "train.a, train.b"})
    smallest = [
        (min(one["train.a"], one["train.b"]), one["train.c"]) for one in sample(space, 300, seed=3)
    ]
    assert all(child <= parent for parent, child in smallest)
    assert len({child for _, child in smallest}) > 10


def test_a_multiple_beside_a_parent_is_a_share_of_it() -> None:
    space = _space(epoch={"minimum": 4}, warmup={"depends_on": "train.epoch", "math_cond": "/ 2"})
    for one in sample(space, 300, seed=4):
        assert one["train.warmup"] <= one["train.epoch"] / 2


def test_an_operator_inside_depends_on() -> None:
    space = _space(a={"maximum": 50}, b={"depends_on": "> train.a"})
    assert all(one["train.b"] > one["train.a"] for one in sample(space, 200, seed=5))


def test_a_chain_of_three_leaves_room_for_all() -> None:
    above = {"math_cond": "> depends_on"}
    space = _space(
        a={}, b={**above, "depends_on": "train.a"}, c={**above, "depends_on": "train.b"}
    )
    assert space["train.a"].ends[1] == 98
    for one in sample(space, 300, seed=6):
        assert one["train.a"] < one["train.b"] < one["train.c"]


def test_a_number_between_two_searched_ones_is_refused_if_they_may_cross() -> None:
    between = {"math_cond": "> train.low < train.top"}
    ends: dict[str, dict[str, Any]] = {"low": {"default": 5}, "top": {"default": 20}}
    free = _space("low", "top", **ends, mid=between)
    assert (free["train.low"].ends[1], free["train.top"].ends[0]) == (9, 11), "mid stays at 10"
    raw_names = ("low", "top", "mid")
    with pytest.raises(FixInput, match="which can leave it no value"):
        _space(*raw_names, **ends, mid=between)
    apart = _space(*raw_names, low={"maximum": 20}, top={"minimum": 40}, mid=between)
    for one in sample(apart, 200, seed=7):
        assert one["train.low"] < one["train.mid"] < one["train.top"]


def test_powers_below_a_parent() -> None:
    space = _space(a={}, b={"math_cond": "^ 2", "depends_on": "train.a"})
    assert space["train.b"].to_json()["kind"] == "ordered"
    for one in sample(space, 300, seed=8):
        value = one["train.b"]
        assert value in (1, 2, 4, 8, 16, 32, 64)
        assert value <= one["train.a"]


def test_a_value_that_a_parent_rules_out_is_skipped() -> None:
    other = {"math_cond": "!= depends_on", "depends_on": "train.a", "maximum": 3}
    space = _space(a={"maximum": 3, "default": 1}, b={**other, "default": 2})
    seen = {(one["train.a"], one["train.b"]) for one in sample(space, 300, seed=9)}
    assert seen == {(a, b) for a in (1, 2, 3) for b in (1, 2, 3) if a != b}


def test_milestones_rise_inside_the_training(build: Build) -> None:
    space = build("train.optim.lr_steps")
    for one in sample(space, 200, seed=10):
        first, second = one["train.optim.lr_steps"]
        assert 1 <= first < second <= 9
    assert "outside" in space["train.optim.lr_steps"].bounds_from["default"]


def test_a_list_has_bounds_of_its_own_per_element(build: Build) -> None:
    betas = build("train.optim.betas")["train.optim.betas"]
    assert betas.ends == ([0.8, 0.9], [0.95, 0.999])
    assert [element.key for element in betas.elements] == [
        "train.optim.betas[0]",
        "train.optim.betas[1]",
    ]


def test_kernel_sizes_stay_odd_and_below_their_parent() -> None:
    kernels = {
        "type": "list",
        "default": [3, 5],
        "depends_on": "train.width",
    }
    space = _space(width={"minimum": 8, "maximum": 40}, kernel_sizes=kernels)
    for one in sample(space, 200, seed=11):
        for value in one["train.kernel_sizes"]:
            assert value % 2 == 1
            assert value <= one["train.width"]


def test_a_range_that_shrinks_to_a_value_which_is_ruled_out_has_none_left() -> None:
    child = {"minimum": 0, "default": 1, "depends_on": "<=train.parent"}
    with pytest.raises(FixInput, match="no value is left"):
        _space("child", parent={"minimum": 0, "default": 0}, child={**child, "math_cond": "!= 0"})


def test_a_value_ruled_out_beyond_the_range_costs_nothing() -> None:
    child = {"minimum": 1, "maximum": 1, "math_cond": "!= 50", "depends_on": "<=train.parent"}
    space = _space("child", "parent", parent={}, child={**child, "maximum": 3})
    assert {one["train.child"] for one in sample(space, 60, seed=2)} == {1, 2, 3}
