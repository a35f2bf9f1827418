"""The search profile and the language of its conditions."""

from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.profile import Belief, Profile, RuleVerdict
from automl.skill.profile_file import load_profile, read_profile
from automl.skill.read import own_skill_dir
from automl.skill.when import read_when

SPEC: dict[str, Any] = {
    "train": {"num_epochs": 10, "interval": 4, "steps": [12, 10], "mode": "fast", "flag": True}
}


@pytest.mark.parametrize(
    ("key", "when", "expected"),
    [
        ("train.mode", {"equals": "fast"}, True),
        ("train.mode", {"not_equal": "fast"}, False),
        ("train.missing", {"not_equal": "fast"}, False),
        ("train.mode", {"one_of": ["slow", "fast"]}, True),
        ("train.mode", {"none_of": ["slow"]}, True),
        ("train.flag", {"one_of": [1]}, False),
        ("train.num_epochs", {"above": 9}, True),
        ("train.num_epochs", {"above": 10}, False),
        ("train.num_epochs", {"at_least": 10}, True),
        ("train.num_epochs", {"below": "train.interval"}, False),
        ("train.interval", {"does_not_divide": "train.num_epochs"}, True),
        ("train.interval", {"above": "train.missing"}, False),
        ("train.mode", {"above": 1}, False),
        ("train.x", {"key": "train.flag", "equals": True}, True),
        (
            "train.x",
            {"all_at_or_beyond": {"list": "train.steps", "limit": "train.num_epochs"}},
            True,
        ),
        ("train.x", {"all_at_or_beyond": {"list": "train.steps", "limit": 11}}, False),
        ("train.x", {"all_at_or_beyond": {"list": "train.mode", "limit": 11}}, False),
        ("train.x", None, True),
        ("train.missing", {"empty": True}, True),
        ("train.mode", {"empty": True}, False),
        ("train.mode", {"empty": False}, True),
        ("train.flag", {"equals": True, "and": [{"key": "train.mode", "equals": "fast"}]}, True),
        ("train.flag", {"equals": True, "and": [{"key": "train.mode", "equals": "slow"}]}, False),
        ("train.flag", {"equals": False, "and": [{"key": "train.mode", "equals": "fast"}]}, False),
    ],
)
def test_a_condition_holds_only_where_it_is_sure(
    key: str, when: dict[str, Any] | None, expected: bool
) -> None:
    assert read_when(when, key, "here").holds(SPEC) is expected


def test_a_condition_names_the_settings_it_depends_on() -> None:
    milestones = {"all_at_or_beyond": {"list": "a.steps", "limit": "a.epochs"}}
    assert read_when(milestones, "a.x", "").keys == {"a.steps", "a.epochs"}
    assert read_when({"above": "a.y"}, "a.x", "").keys == {"a.x", "a.y"}
    both = {"equals": 1, "and": [{"key": "a.z", "below": "a.y"}]}
    assert read_when(both, "a.x", "").keys == {"a.x", "a.y", "a.z"}


@pytest.mark.parametrize(
    "when",
    [
        "soon",
        {"sometimes": 1},
        {"all_at_or_beyond": [1]},
        {"empty": "yes"},
        {"and": {"equals": 1}},
        {"and": [{"sometimes": 1}]},
    ],
)
def test_a_condition_outside_the_language_is_an_error(when: object) -> None:
    with pytest.raises(FixInput):
        read_when(when, "a.x", "here")


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ([1], "a mapping"),
        ({"parameters": [1]}, "mapping of keys"),
        ({"parameters": {"a.b": {"lowest": 1}}}, "lowest"),
        ({"inert": {"key": "a"}}, "list of rules"),
        ({"inert": [{"reason": "x"}]}, "no key"),
        ({"settings": [{"key": "a", "when": {}, "verdict": "maybe", "reason": "x"}]}, "refuse or"),
        ({"setting": []}, "'?setting.*did you mean settings"),
        ({"repeats": ["a"]}, "mapping of keys to keys"),
        ({"repeats": {"a.b": 1}}, "mapping of keys to keys"),
        ({"inert": [{"key": "a", "reason": "x", "mend": "y"}]}, "key, when, reason, fix, but got"),
        ({"ignored": ["a"]}, "a rule must be a mapping"),
        ({"prior": ["a.lr"]}, "prior must be a mapping of keys"),
        ({"prior": {"a.lr": {"center": 1}}}, "center.*did you mean centre"),
        ({"prior": {"a.lr": {"reason": "x"}}}, "centre or width"),
        ({"prior": {"a.lr": {"width": 0}}}, "above 0"),
        ({"prior": {"a.lr": {"width": True}}}, "above 0"),
    ],
)
def test_a_broken_profile_is_an_error_that_says_where(tree: object, words: str) -> None:
    with pytest.raises(FixInput, match=words) as caught:
        read_profile(tree, "profile.yaml")
    assert "profile.yaml" in caught.value.where


def test_a_prior_holds_centre_and_width() -> None:
    tree = {"a.lr": {"centre": 1e-4, "width": 1, "reason": "ten studies"}, "a.net": {"width": 0.2}}
    prior = read_profile({"prior": tree}, "profile.yaml").prior
    assert prior == {"a.lr": Belief(1e-4, 1.0), "a.net": Belief(None, 0.2)}


def test_a_missing_profile_is_an_empty_one(tmp_path: Path) -> None:
    assert load_profile(tmp_path / "search_profile.yaml") == Profile()


def test_the_own_profile_knows_the_dead_decay_and_the_single_node() -> None:
    profile = load_profile(own_skill_dir() / "references" / "search_profile.yaml")
    assert "train.optim.lr_decay" in {rule.key for rule in profile.inert}
    refused = {rule.key for rule in profile.settings if rule.verdict is RuleVerdict.REFUSE}
    assert {"train.num_nodes", "dataset.num_classes", "model.backbone.model_type"} <= refused
    assert all(rule.reason and not rule.reason.endswith(".") for rule in profile.settings)
