"""What the rules about settings refuse is never proposed, by whatever trainer and in any space."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from automl.centerpose.config.load import load_spec
from automl.centerpose.training.supported import refusals
from automl.errors import FixInput
from automl.search.sample import sample
from automl.skill.general_rules import general_rules
from automl.skill.keys import find_keys
from automl.skill.profile import InertRule, Profile, RuleVerdict, SettingRule
from automl.skill.profile_file import load_profile
from automl.skill.read import (
    base_tree,
    own_skill_dir,
    profile_path,
    read_action_schema,
    read_skill,
)
from automl.skill.schema import parse_schema
from automl.skill.tree import Tree, with_value
from automl.skill.when import When
from automl.space.build import build_space
from automl.space.model import SearchSpace
from automl.space.request import SpaceRequest
from automl.space.setting_rules import rules_for_trainer

_SKILL = read_skill(own_skill_dir())
_SCHEMA, _PROFILE = read_action_schema(_SKILL, "train"), load_profile(profile_path(_SKILL))
_DATA = {"dataset.train_data": "/data/train", "dataset.val_data": "/data/val"}
_RULES = (*_PROFILE.settings, *general_rules(find_keys("train", _SCHEMA.leaves)))


def _spec(base: Tree, values: Mapping[str, Any]) -> Tree:
    for key, value in values.items():
        base = with_value(base, key, value)
    return base


def _specs(base: Tree, space: SearchSpace, count: int, seed: int) -> Iterator[Tree]:
    for proposal in sample(space, count, seed):
        yield _spec(base, {**space.fixed, **proposal})


@pytest.mark.parametrize("space", ["default", "profile", "all"])
@pytest.mark.parametrize("trainer", ["process", "docker", "scripted"])
@pytest.mark.parametrize("model", ["DLA34", "nano"])
def test_no_proposal_of_the_own_skill_is_refused(space: str, trainer: str, model: str) -> None:
    base = _spec(base_tree(_SKILL, "train"), {**_DATA, "model.backbone.model_type": model})
    rules = rules_for_trainer(_RULES, trainer)
    built = build_space(_SCHEMA, base, SpaceRequest(space), _PROFILE, (), trainer)
    for spec in _specs(base, built, 60, seed=4):
        assert [rule.reason for rule in rules if rule.when.holds(spec) and model != "nano"] == []
        if trainer == "process":
            assert list(refusals(load_spec(spec, "train"))) == []


def test_weights_may_be_searched_once_a_file_is_named() -> None:
    key = "model.use_pretrained"
    base = _spec(base_tree(_SKILL, "train"), _DATA)
    built = build_space(_SCHEMA, base, SpaceRequest("all"), _PROFILE, (), "process")
    assert key not in built.keys
    named = with_value(base, "train.pretrained_model_path", "/weights.pth")
    built = build_space(_SCHEMA, named, SpaceRequest("all"), _PROFILE, (), "process")
    assert built[key].options == (False, True)


_LEAVES: dict[str, dict[str, Any]] = {
    "amp": {"type": "bool", "default": False},
    "warm": {"type": "bool", "default": True},
    "net": {"type": "categorical", "default": "b", "enum": ["a", "b", "c"]},
    "width": {"type": "int", "default": 8, "minimum": 1, "maximum": 16},
    "depth": {"type": "int", "default": 3, "minimum": 1, "maximum": 400},
    "drop": {"type": "float", "default": 0.5, "minimum": 0.0, "maximum": 1.0},
    "rank": {"type": "ordered_int", "default": 4, "enum": [2, 4, 8]},
}
_TESTS: dict[str, st.SearchStrategy[Any]] = {
    "equals": st.sampled_from([True, False, "a", "b", 2, 4, 8, 0.5]),
    "not_equal": st.sampled_from([True, False, "a", 4]),
    "one_of": st.lists(st.sampled_from([True, "a", "c", 2, 3, 7, 8]), min_size=1, max_size=3),
    "none_of": st.lists(st.sampled_from([False, "a", "b", 4, 8]), min_size=1, max_size=3),
    "above": st.sampled_from([0.2, 3, 6, 100, "train.width", "train.rank", "train.depth"]),
    "at_least": st.sampled_from([0.7, 4, 9, "train.depth"]),
    "below": st.sampled_from([0.1, 2, 5, "train.rank", "train.width"]),
    "does_not_divide": st.sampled_from([12, "train.width", "train.depth"]),
}


@st.composite
def _conditions(draw: st.DrawFn, deep: bool = True) -> When:
    key = f"train.{draw(st.sampled_from(list(_LEAVES)))}"
    names = draw(st.lists(st.sampled_from(list(_TESTS)), min_size=1, max_size=2, unique=True))
    tests = {name: draw(_TESTS[name]) for name in names}
    also = draw(st.lists(_conditions(deep=False), max_size=2)) if deep else []
    return When(key, tests, tuple(also))


@st.composite
def _rules(draw: st.DrawFn) -> SettingRule:
    when = draw(_conditions())
    key = draw(st.sampled_from(sorted(when.keys)))
    return SettingRule(key, when, RuleVerdict.REFUSE, "a rule of the test")


@st.composite
def _inert_rules(draw: st.DrawFn) -> InertRule:
    key = draw(st.sampled_from(list(_LEAVES)))
    return InertRule(f"train.{key}", draw(_conditions(deep=False)), "a rule of the test", "")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rules=st.lists(_rules(), min_size=1, max_size=5),
    inert=st.lists(_inert_rules(), max_size=2),
    seed=st.integers(0, 2**32),
)
def test_no_proposal_breaks_any_rule(
    rules: list[SettingRule], inert: list[InertRule], seed: int
) -> None:
    leaves = {key: {**leaf, "automl_enabled": True} for key, leaf in _LEAVES.items()}
    raw = {"properties": {"train": {"type": "collection", "properties": leaves}}}
    schema = parse_schema(raw, where="generated", action="train")
    base = dict(schema.defaults)
    assume(not any(rule.when.holds(base) for rule in rules))
    try:
        profile = Profile(inert=tuple(inert), settings=tuple(rules))
        space = build_space(schema, base, SpaceRequest("all"), profile)
    except FixInput as error:
        assert "circle" in error.rule  # noqa: PT017 - two rules may bound each other
        return
    for spec in _specs(base, space, 25, seed):
        assert [rule for rule in rules if rule.when.holds(spec)] == []
