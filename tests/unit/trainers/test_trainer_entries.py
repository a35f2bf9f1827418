"""What holds for the entry of every trainer of this package."""

from collections.abc import Mapping
from typing import Any

import pytest

from automl.skill.read import own_skill_dir, read_skill
from automl.trainers.entry import SettingsGiven
from automl.trainers.table import TRAINERS, make_trainer

SKILL = read_skill(own_skill_dir())
IMAGE = "nvcr.io/nvidia/tao/tao-toolkit:7.1.0-pyt"


@pytest.mark.parametrize("name", TRAINERS)
def test_its_settings_say_whose_they_are(name: str) -> None:
    entry = TRAINERS[name]
    assert entry.name == name
    assert entry.summary
    assert all(setting.trainer == name for setting in entry.settings)


@pytest.mark.parametrize("name", TRAINERS)
def test_without_settings_it_can_be_made(name: str) -> None:
    entry = TRAINERS[name]
    chosen = entry.choose(SettingsGiven({}, SKILL))
    make_trainer(name, SKILL, chosen.options)
    assert entry.program(chosen.options) in TRAINERS


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("process", {"start": "warm"}),
        ("docker", {"image": IMAGE}),
        ("docker", {"image": "own:1", "memory": "8g", "pids_limit": 100, "env": ["A_KEY"]}),
        ("scripted", {"top": 0.5, "faults": {3: {"kind": "oom"}}}),
    ],
)
def test_the_settings_of_its_options_lead_to_them(name: str, options: Mapping[str, Any]) -> None:
    entry = TRAINERS[name]
    assert entry.choose(SettingsGiven(entry.as_settings(options), SKILL)).options == options
