"""What changed between two spaces, a drafted profile, and where a space comes from."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.errors import FixInput
from automl.skill.profile import Profile
from automl.skill.profile_file import read_profile
from automl.space.diff import changes
from automl.space.draft import draft_profile
from automl.space.model import SearchSpace
from automl.space.source import space_source
from automl.yamltext import dump_yaml, load_yaml

Build = Callable[..., SearchSpace]


def test_equal_spaces_differ_in_nothing(build: Build) -> None:
    assert changes(build(), build()) == []


def test_every_change_is_a_line(build: Build) -> None:
    old = build("dataset.flip", freeze=("train.optim.lr_decay",))
    new = build("learning_rate=1e-4..1e-2:log", "model.rank", freeze=("train.optim.lr_decay=0.5",))
    assert changes(old, new) == [
        "- dataset.flip: no longer searched",
        "+ model.rank: searched, 1 | 2 | 4 | 8 | 16 | 32 | 64 | 128 | 256",
        "~ train.optim.lr: 6e-06 .. 0.0006  log float -> 0.0001 .. 0.01  log float",
        "~ train.optim.lr_decay: fixed at 0.1 -> 0.5",
    ]


def test_a_change_of_conditions_is_seen(build: Build) -> None:
    free = build("dataset.crop_max")
    linked = build("dataset.crop_max", "dataset.crop_min")
    assert any("follows" in line or ".." in line for line in changes(free, linked))
    assert free.digest != linked.digest


def test_a_drafted_profile_gives_the_same_space(build: Build) -> None:
    space = build(
        "model.rank", "train.decay_type", "train.optim.lr_steps=1..200", "dataset.batch_size"
    )
    text = dump_yaml(draft_profile(space))
    profile = read_profile(load_yaml(text), "draft")
    again = build(space="profile", profile=profile)
    assert again.keys == space.keys
    assert again.digest == space.digest


def test_a_space_survives_json_text(build: Build) -> None:
    space = build(space="all")
    text = json.dumps(space.to_json(), allow_nan=False)
    again = SearchSpace.from_json(json.loads(text))
    assert again.digest == space.digest
    assert json.dumps(again.to_json()) == text


def test_the_shape_of_the_json_is_what_scripts_rely_on(build: Build) -> None:
    shape = build().to_json()
    assert list(shape) == ["parameters", "fixed", "refused", "inert"]
    names = "key type kind low high log step choices weights default conditions bounds_from"
    assert list(shape["parameters"][0]) == names.split()


def test_a_space_is_a_name_or_a_file(tmp_path: Path) -> None:
    own = read_profile({"inert": [{"key": "a.b", "reason": "dead"}]}, "own")
    assert space_source("all", own) == ("all", own)
    file = tmp_path / "mine.yaml"
    file.write_text("parameters: {a.c: {low: 1, high: 2}}")
    name, profile = space_source(str(file), own)
    assert name == "profile"
    assert list(profile.parameters) == ["a.c"]
    assert profile.inert == own.inert
    with pytest.raises(FixInput, match="or the file of a profile"):
        space_source(str(tmp_path / "none.yaml"), Profile())
