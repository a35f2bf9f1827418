"""Inputs given key by key."""

from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.read import read_skill
from automl.skill.tree import get
from automl.spec.inputs import checked_inputs, input_keys, with_inputs
from automl.spec.needed import how_to_give, missing_inputs
from automl.spec.rules import SpecRules, rules_for
from tests.made_skill import leaf, schema_of, write_skill

KEY = "data.sources[0].image_dir"
INPUTS = {
    KEY: {"type": "folder"},
    "data.sources[0].json_file": {"type": "file"},
    "data.labels": {"type": "file"},
    "train.weights": {"type": "file", "optional": True},
}


@pytest.fixture
def rules(tmp_path: Path) -> SpecRules:
    info = {"actions": {"train": {"command": "net {config_path}", "inputs": INPUTS}}}
    leaves = {
        "data.sources": leaf("list", [{"image_dir": ""}]),
        "data.labels": leaf("string", ""),
        "train.weights": leaf("string", ""),
    }
    return rules_for(read_skill(write_skill(tmp_path / "s", info, schema_of(leaves))), "train")


def test_the_skills_inputs_are_known_and_others_get_the_nearest(
    rules: SpecRules, tmp_path: Path
) -> None:
    assert input_keys(rules).keys() == INPUTS.keys()
    assert checked_inputs(rules, {KEY: tmp_path}, "--data") == {KEY: str(tmp_path)}
    with pytest.raises(FixInput, match="an input must be a setting of train") as refused:
        checked_inputs(rules, {"data.lables": tmp_path}, "--data")
    assert "data.labels" in refused.value.fix


def test_an_entry_of_a_list_is_made_where_it_is_the_next(rules: SpecRules) -> None:
    values = {KEY: "/a", "data.sources[0].json_file": "/b", "data.sources[1].image_dir": "/c"}
    trees: tuple[dict[str, Any], ...] = (
        {},
        {"data": {"sources": None}},
        {"data": {"sources": []}},
    )
    for tree in trees:
        made = with_inputs(tree, values, "--data")
        assert get(made, "data.sources") == [
            {"image_dir": "/a", "json_file": "/b"},
            {"image_dir": "/c"},
        ]
    with pytest.raises(FixInput, match="or the next one"):
        with_inputs({}, {"data.sources[1].image_dir": "/a"}, "--data")


def test_a_file_is_no_folder(rules: SpecRules, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.touch()
    checked_inputs(rules, {KEY: tmp_path, "data.labels": file}, "--data")
    with pytest.raises(FixInput, match="must be a folder"):
        checked_inputs(rules, {KEY: file}, "--data")
    with pytest.raises(FixInput, match="must be a file"):
        checked_inputs(rules, {"data.labels": tmp_path}, "--data")


@pytest.mark.parametrize("labels", ["", None, "???", "data/sft/labels.json"])
def test_what_is_missing_is_named_with_its_flag(rules: SpecRules, labels: str | None) -> None:
    tree = {"data": {"sources": [{"image_dir": "/a", "json_file": "/b"}], "labels": labels}}
    assert missing_inputs(rules, tree) == ("data.labels",)
    assert how_to_give(rules, "data.labels") == "give --data data.labels=PATH"
