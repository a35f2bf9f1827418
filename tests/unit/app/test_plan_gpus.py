"""What a plan makes of the GPUs: all of the named ones for one training, none in silence."""

import pytest

from automl.app.run import start
from automl.app.screen import Silent
from automl.errors import PrepareMachine
from automl.skill.tree import get
from automl.study.gpu_claims import Claim
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


def test_gpus_that_another_study_trains_on_are_left_to_it(
    plan: MakePlan, on_machine: OnMachine
) -> None:
    on_machine(cpus=8, gpus=3, held={"GPU-1": Claim("bikes", 11)})
    made = plan("--trials", "4")
    assert made.config.resources.gpu_ids == (0, 2)
    assert made.config.resources.max_concurrent == 2
    note = "left where they are in use: GPU 1 to the study bikes (pid 11); this study trains on 2"
    assert any(note in said for said in made.notes)


@pytest.mark.parametrize(
    ("held", "argv", "ids", "said"),
    [
        ({"GPU-1": Claim("bikes", 11)}, ("--gpus", "1"), (1,), "free: --gpus 0,2"),
        ({f"GPU-{n}": Claim("bikes", 11) for n in range(3)}, (), None, "no other one is free"),
        (
            {f"GPU-{n}": Claim("bikes", 11) for n in (1, 2)},
            ("--gpus-per-trial", "2"),
            None,
            "free: --gpus 0",
        ),
    ],
)
def test_no_gpu_is_used_twice_in_silence(
    plan: MakePlan,
    on_machine: OnMachine,
    held: dict[str, Claim],
    argv: tuple[str, ...],
    ids: tuple[int, ...] | None,
    said: str,
) -> None:
    on_machine(cpus=8, gpus=3, held=held)
    made = plan("--trials", "4", *argv)
    assert made.config.resources.gpu_ids == ids
    (note,) = [note for note in made.notes if "GPU 1 is in use by the study bikes" in note]
    assert said in note


def test_on_the_cpu_nobodys_gpu_matters(plan: MakePlan, on_machine: OnMachine) -> None:
    on_machine(cpus=8, gpus=1, held={"GPU-0": Claim("bikes", 11)})
    made = plan("--gpus-per-trial", "0")
    assert not any("bikes" in note for note in made.notes)
