from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.policy import Policy, choose_policy, gate, policy_of
from automl.skill.read import own_skill_dir, read_skill

MakeSkill = Callable[..., Path]


@pytest.mark.parametrize(
    ("said", "request_text", "value", "source"),
    [
        ({}, None, "on", "default"),
        ({}, "train bike", "on", "default"),
        ({"--policy": "off", "study file": "on"}, "use AutoML", "off", "--policy"),
        ({"--policy": "on", "study file": "off"}, "no HPO", "on", "--policy"),
        ({"study file": "off"}, "use AutoML", "off", "study file"),
        ({"study file": "on"}, "no HPO", "on", "study file"),
        ({}, "plain training", "off", 'request: "plain training"'),
        ({}, "don't turn off AutoML", "on", 'request: "don\'t turn off AutoML"'),
    ],
)
def test_the_first_source_that_speaks_wins(
    said: dict[str, str], request_text: str | None, value: str, source: str
) -> None:
    choice = choose_policy([(one, Policy(word)) for one, word in said.items()], request_text)
    assert (choice.value, choice.source) == (Policy(value), source)


@pytest.mark.parametrize(
    ("said", "request_text", "note"),
    [
        (
            [],
            "no HPO, actually tune it",
            'the request contradicts itself: "no HPO" (off), then "tune it" (on); '
            "the last one counts",
        ),
        (
            [],
            "AutoML was bad last time",
            'the request speaks of "AutoML", but no order for or against a search was understood: '
            "the policy is on (from default); --policy on or --policy off decides",
        ),
        (
            [("study file", Policy.OFF)],
            "should I use HPO?",
            'the request speaks of "HPO", but no order for or against a search was understood: '
            "the policy is off (from study file); --policy on or --policy off decides",
        ),
    ],
)
def test_what_is_not_clear_is_said(
    said: list[tuple[str, Policy]], request_text: str, note: str
) -> None:
    assert choose_policy(said, request_text).notes == (note,)


@pytest.mark.parametrize("request_text", [None, "train bike", "use AutoML", "no HPO"])
def test_of_a_clear_request_nothing_is_said(request_text: str | None) -> None:
    assert choose_policy([], request_text).notes == ()


@pytest.mark.parametrize(
    ("word", "value"),
    [("ON", "on"), ("Off", "off"), ("yes", "on"), ("no", "off"), (True, "on"), (False, "off")],
)
def test_words_and_switches_of_yaml_stand_for_a_policy(word: Any, value: str) -> None:
    assert policy_of(word, "--policy") == Policy(value)


@pytest.mark.parametrize("word", ["maybe", "", 1, ["on"]])
def test_anything_else_is_refused(word: Any) -> None:
    with pytest.raises(FixInput, match="on or off") as caught:
        policy_of(word, "--policy")
    assert caught.value.where == "--policy"


def test_the_own_skill_searches_under_policy_on_alone() -> None:
    skill = read_skill(own_skill_dir())
    assert gate(skill, Policy.ON).searches
    off = gate(skill, Policy.OFF)
    assert not off.searches
    assert "off for this run" in off.message


def test_a_model_without_automl_is_told_apart(make_skill: MakeSkill) -> None:
    skill = read_skill(make_skill(info="name: toy\nautoml_enabled: false\n"))
    found = gate(skill, Policy.ON)
    assert not found.searches
    assert "not enabled for toy" in found.message
    assert found.problems == ()


@pytest.mark.parametrize(
    ("parts", "problems"),
    [
        ({"template": None}, ["references/spec_template_train.yaml is missing"]),
        ({"template": "a: [\n"}, ["references/spec_template_train.yaml is broken"]),
        ({"schema": "{}"}, ["schemas/train.schema.json is broken"]),
        ({"schema": "{,"}, ["schemas/train.schema.json is broken"]),
        (
            {"schema": "{", "template": None},
            ["train.schema.json is broken", "spec_template_train.yaml is missing"],
        ),
    ],
)
def test_what_stands_in_the_way_of_a_search_is_named(
    make_skill: MakeSkill, parts: dict[str, Any], problems: list[str]
) -> None:
    found = gate(read_skill(make_skill(**parts)), Policy.ON)
    assert not found.searches
    assert "enabled" in found.message
    assert "until its schemas are generated" in found.message
    assert len(found.problems) == len(problems)
    for problem in problems:
        assert problem in found.message


def test_a_missing_schema_is_named(make_skill: MakeSkill) -> None:
    folder = make_skill()
    (folder / "schemas" / "train.schema.json").unlink()
    found = gate(read_skill(folder), Policy.ON)
    assert found.problems == ("schemas/train.schema.json is missing",)
