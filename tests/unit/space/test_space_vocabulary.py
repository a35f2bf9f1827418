"""A skill that uses every word of TAO's format: what becomes of each, judged by the checker."""

import json
from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.search.sample import sample
from automl.skill.asked import parse_search
from automl.skill.read import base_tree, read_action_schema, read_skill
from automl.space.build import build_space
from automl.space.model import SearchSpace
from automl.space.request import SpaceRequest
from tests.unit.space.space_checker import raw_leaves, violations

KITCHEN = Path(__file__).parents[2] / "fixtures" / "kitchen"
RAW: dict[str, Any] = json.loads((KITCHEN / "schemas" / "train.schema.json").read_text())
LEAVES = dict(raw_leaves(RAW))
BASE = base_tree(read_skill(KITCHEN), "train")


def _space(name: str = "all", *search: str) -> SearchSpace:
    schema = read_action_schema(read_skill(KITCHEN), "train")
    return build_space(schema, BASE, SpaceRequest(name, tuple(map(parse_search, search))))


def test_the_fixture_uses_every_word_of_the_format() -> None:
    words = {str(node.get("type", "")) for node in LEAVES.values()}
    assert words == {
        *("int", "integer", "ordered_int", "float", "number", "ordered_float", "bool", "boolean"),
        *("string", "categorical", "ordered", "collection", "object", "array", "list", "list_2"),
        *("list_3", "list_1_backbone", "optional_list", "subset_list", ""),
    }
    assert any("anyOf" in node for node in LEAVES.values())
    conditions = " ".join(str(node.get("math_cond", "")) for node in LEAVES.values())
    for sign in (">", ">=", "<", "<=", "!=", "/ ", "^ ", "> depends_on"):
        assert sign in conditions
    assert isinstance(RAW["properties"]["automl_disabled_parameters"], list)
    assert RAW["properties"]["model"]["automl_enabled"] is False


@pytest.mark.parametrize(
    ("name", "search"),
    [
        ("default", ()),
        ("all", ()),
        ("all", ("train.num_epochs=2..40",)),
        ("default", ("data.mean=0..1", "train.log_every=2..9", "model.warm")),
    ],
)
def test_every_proposal_obeys_the_schema(name: str, search: tuple[str, ...]) -> None:
    space = _space(name, *search)
    proposals = sample(space, 200, seed=11)
    assert [text for one in proposals for text in violations(RAW, BASE, one)] == []
    for one in proposals:
        sizes: Any = one.get("model.kernel_sizes", [])
        assert all(size % 2 == 1 and size < one["data.crop_low"] for size in sizes)


def test_every_leaf_is_told_of_once() -> None:
    space = _space()
    told = [*space.keys, *space.fixed, *(one.key for one in space.refused)]
    assert sorted(told) == sorted(LEAVES)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("model.width", "int"),
        ("model.rank", "ordered"),
        ("model.shift", "ordered"),
        ("model.depth", "ordered"),
        ("model.gain", "ordered"),
        ("model.stage", "categorical"),
        ("model.init", "categorical"),
        ("model.layers", "categorical"),
        ("model.stem", "list"),
        ("train.betas", "list"),
        ("train.steps", "list"),
        ("train.amp", "categorical"),
        ("train.momentum", "float"),
        ("model.untyped", "int"),
    ],
)
def test_how_each_type_is_sampled(key: str, kind: str) -> None:
    assert _space()[key].to_json()["kind"] == kind


def test_what_cannot_be_searched_says_why() -> None:
    space = _space()
    reasons = {one.key: one.reason for one in space.refused}
    assert "minimum must not be above its maximum, but got 0.9 > 0.1" in reasons["train.crossed"]
    assert "no finite minimum or maximum" in reasons["train.unbounded"]
    assert "another action" in reasons["export.batch"]
    assert "disabled by the schema" in reasons["train.log_every"]
    assert space.fixed == {"model.fixed": 7, "model.pinned": "only"}


def test_odd_facts_are_kept_and_noted() -> None:
    space = _space()
    assert "outside what is proposed" in space["train.above"].bounds_from["default"]
    assert "outside what is proposed" in space["train.foreign_default"].bounds_from["default"]
    assert "the trainer's own" in space["train.clip"].bounds_from["default"]
    assert space["train.short_weights"].weights == ()
    assert "0.5 0.5 for 3 options" in space["train.short_weights"].bounds_from["weights"]
    assert space["model.backbone"].options == ("small", "large")
    assert space["model.init"].options == (True, False, "normal")


@pytest.mark.parametrize("asked", ["train.crossed", "train.crossed=0.2..0.3"])
def test_a_broken_leaf_that_is_named_is_an_error(asked: str) -> None:
    with pytest.raises(FixInput, match="minimum must not be above its maximum") as caught:
        _space("default", asked)
    assert "train.crossed" in caught.value.where


def test_the_disabled_flag_of_a_group_says_nothing_of_its_leaves() -> None:
    assert "model.width" in _space().keys
    assert "data.crop_low" in _space().keys
