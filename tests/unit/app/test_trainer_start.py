"""Whether the trainer's process is kept from trial to trial."""

from collections.abc import Mapping
from typing import Any

import pytest

from automl.app.study_settings import TABLE
from automl.app.trainer_choice import choose_trainer
from automl.errors import FixInput
from automl.settings.layers import merge, read_layer
from automl.skill.model import ActionInfo, Skill
from automl.skill.read import own_skill_dir, read_skill
from automl.trainers.process import ProcessTrainer
from automl.trainers.process_entry import START, WARM
from automl.trainers.table import make_trainer
from automl.trainers.warm import WarmTrainer
from tests.unit.app.kit import MakePlan

OWN = read_skill(own_skill_dir())
KEPT = {START: WARM}


def start(
    *, gpus: int = 0, searches: bool = True, skill: Skill = OWN, **flags: str
) -> Mapping[str, Any]:
    settings = merge(TABLE, [read_layer(TABLE, flags)])
    return choose_trainer(settings, skill, searches=searches, gpus_per_trial=gpus).options


def test_it_is_kept_on_a_search_unless_that_is_not_wanted() -> None:
    assert start() == start(gpus=1) == KEPT
    assert start(trainer_start="cold") == {}
    with pytest.raises(FixInput, match="trainer_start must be one of warm, cold"):
        start(trainer_start="lukewarm")


def test_it_is_not_kept_where_it_cannot_be() -> None:
    other = Skill(OWN.folder, "other", "other", True, actions=OWN.actions)
    assert start(searches=False) == start(gpus=2) == start(skill=other) == {}


def test_the_trainer_that_a_worker_makes_is_the_one_that_was_chosen() -> None:
    assert isinstance(make_trainer("process", OWN, KEPT), WarmTrainer)
    assert isinstance(make_trainer("process", OWN, {}), ProcessTrainer)
    assert isinstance(make_trainer("process", OWN, KEPT, "evaluate"), ProcessTrainer)
    own_words = {"train": ActionInfo("train", "centerpose train -e {config_path} --fast")}
    unusual = Skill(OWN.folder, "odd", "centerpose", True, actions=own_words)
    assert isinstance(make_trainer("process", unusual, KEPT), ProcessTrainer)


def test_the_plan_carries_it(plan: MakePlan) -> None:
    nano = ("--trainer", "process", "--set", "model.backbone.model_type=nano")
    assert plan(*nano).config.trainer_options == KEPT
    assert plan(*nano, "--trainer-start", "cold").config.trainer_options == {}
    assert plan(*nano, "--policy", "off").config.trainer_options == {}
