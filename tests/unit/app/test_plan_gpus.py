"""What a plan makes of the GPUs: all of the named ones for one training, none in silence."""

import pytest

from automl.app.run import start
from automl.app.screen import Silent
from automl.errors import PrepareMachine
from automl.skill.tree import get
from tests.unit.app.kit import MakePlan, OnMachine


def test_one_plain_training_takes_all_named_gpus(plan: MakePlan, on_machine: OnMachine) -> None:
    on_machine(cpus=8, gpus=4)
    made = plan("--policy", "off", "--gpus", "1,3")
    assert made.config.resources.gpus_per_trial == 2
    assert made.config.resources.gpu_ids == (1, 3)
    assert get(made.base_spec, "train.num_gpus") == 2
    assert get(made.base_spec, "train.gpu_ids") == [0, 1]
    assert made.config.origin["gpus_per_trial"] == "the GPUs of --gpus"
    assert not any("idle" in note for note in made.notes)


@pytest.mark.parametrize("told", [("--gpus-per-trial", "1"), ("--set", "train.num_gpus=1")])
def test_unless_it_is_told_otherwise(
    plan: MakePlan, on_machine: OnMachine, told: tuple[str, ...]
) -> None:
    on_machine(cpus=8, gpus=4)
    made = plan("--policy", "off", "--gpus", "0,1", *told)
    assert made.config.resources.gpus_per_trial == 1
    assert any("2 GPUs are named and 1 will train" in note for note in made.notes)


def test_a_search_over_named_gpus_trains_one_trial_on_each(
    plan: MakePlan, on_machine: OnMachine
) -> None:
    on_machine(cpus=8, gpus=4)
    made = plan("--gpus", "0,1", "--trials", "4")
    assert made.config.resources.gpus_per_trial == 1
    assert made.config.resources.max_concurrent == 2


def test_containers_do_not_train_on_the_cpu_unasked(plan: MakePlan) -> None:
    made = plan("--policy", "off", "--trainer", "docker")
    assert any("automl run refuses containers" in note for note in made.notes)
    with pytest.raises(PrepareMachine, match=r"must have a GPU.*--gpus-per-trial 0"):
        start(made, Silent())
    asked = plan("--policy", "off", "--trainer", "docker", "--gpus-per-trial", "0")
    assert not any("refuses" in note for note in asked.notes)
