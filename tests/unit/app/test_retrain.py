"""Longer trainings of a trial's settings, and the same training once more."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.app.reproduce import Reproduction, compare, plan_reproduction
from automl.app.retrain import RetrainRequest, plan_retrain, rescaled
from automl.app.run import start
from automl.app.screen import Silent
from automl.errors import FixInput
from automl.files import write_json
from automl.skill.keys import NetworkKeys
from automl.skill.read import own_skill_dir, read_skill
from automl.skill.tree import get
from automl.study.choice import find_study
from automl.study.folder import read_config, read_provenance
from automl.study.layout import StudyPaths
from automl.yamltext import load_yaml
from tests.unit.app.kit import MakePlan

FILE = """
script: {epoch_s: 0.0}
set:
  train.num_epochs: 10
  train.optim.lr_steps: [6, 9]
  train.validation_interval: 1
  train.checkpoint_interval: 1
  train.seed: 77
trainer: scripted
trial_timeout: 30s
seed: 5
"""


KEYS = read_skill(own_skill_dir()).keys


def spec_of(epochs: int = 140, **train: Any) -> dict[str, Any]:
    optim = {"lr_steps": train.pop("lr_steps", [90, 120])}
    return {"train": {"num_epochs": epochs, "optim": optim, **train}}


def test_milestones_keep_their_share_and_intervals_divide() -> None:
    spec = spec_of(validation_interval=2, checkpoint_interval=2)
    assert rescaled(spec, KEYS, 70) == {
        "train.optim.lr_steps": [45, 60],
        "train.validation_interval": 1,
        "train.checkpoint_interval": 1,
    }
    assert rescaled(spec, KEYS, 301) == {
        "train.optim.lr_steps": [194, 258],
        "train.validation_interval": 1,  # 4 would leave the last epoch unscored; 301 = 7 * 43
        "train.checkpoint_interval": 1,
    }


def test_nothing_is_said_of_what_stays() -> None:
    assert rescaled(spec_of(validation_interval=5), KEYS, 140) == {}


def test_intervals_in_steps_and_other_forms_are_left_alone() -> None:
    spec = spec_of(10, lr_steps=[], checkpoint_interval=8, checkpoint_interval_unit="step")
    assert rescaled(spec, KEYS, 100) == {}
    assert rescaled(spec_of(10, lr_steps=[], validation_interval="${x.y}"), KEYS, 100) == {}
    assert rescaled({}, KEYS, 100) == {}


def test_another_network_s_settings_are_rescaled_by_its_own_keys() -> None:
    keys = NetworkKeys(
        epochs="fit.rounds", milestones=("fit.drops",), validation_interval="fit.look_every"
    )
    spec = {"fit": {"rounds": 10, "drops": [5, 8], "look_every": 2}}
    assert rescaled(spec, keys, 40) == {"fit.drops": [20, 32], "fit.look_every": 8}


@given(
    old=st.integers(1, 300),
    new=st.integers(1, 300),
    steps=st.lists(st.integers(1, 300), min_size=1, max_size=5, unique=True).map(sorted),
    interval=st.integers(1, 300),
)
def test_rescaled_settings_fit_the_new_training(
    old: int, new: int, steps: list[int], interval: int
) -> None:
    steps, interval = [min(step, old) for step in steps], min(interval, old)
    spec = spec_of(old, lr_steps=steps, validation_interval=interval)
    changed = rescaled(spec, KEYS, new)
    milestones = changed.get("train.optim.lr_steps", steps)
    assert all(1 <= each <= new for each in milestones)
    assert milestones == sorted(set(milestones)) or milestones == steps
    assert new % changed.get("train.validation_interval", interval) == 0


@pytest.fixture
def trained(plan: MakePlan) -> StudyPaths:
    """A plain training that the scripted trainer has played."""
    ending = start(plan("--policy", "off", "--name", "first", file=FILE), Silent())
    assert ending.exit_code == 0
    return ending.paths


def request_of(paths: StudyPaths, **asked: Any) -> RetrainRequest:
    return RetrainRequest(paths.folder.parent, "first", **asked)


def test_a_longer_training_of_its_own(trained: StudyPaths) -> None:
    made, told = plan_retrain(request_of(trained, epochs=40))
    assert told == (
        "train.num_epochs 10 -> 40",
        "train.optim.lr_steps [6, 9] -> [24, 36]",
        "train.validation_interval 1 -> 4",
        "train.checkpoint_interval 1 -> 4",
    )
    assert made.config.name.startswith("first-retrain-0-")
    assert not made.config.searches
    assert made.config.data == read_config(trained).data
    ending = start(made, Silent())
    assert ending.exit_code == 0
    spec = load_yaml(ending.paths.attempt(0, 1).spec)
    assert get(spec, "train.num_epochs") == 40
    assert get(spec, "train.optim.lr_steps") == [24, 36]
    assert get(spec, "train.seed") == 77
    assert get(spec, "results_dir") == str(ending.paths.attempt(0, 1).folder)
    parent = read_provenance(ending.paths)["parent"]
    assert (parent["made_by"], parent["study"], parent["trial"]) == ("retrain", "first", 0)
    assert parent["spec"] == "trials/0000/1/spec.yaml"
    assert load_yaml(ending.paths.request)["parent"] == parent


def test_the_users_own_settings_win_and_are_not_said_to_be_rescaled(trained: StudyPaths) -> None:
    overrides = ("train.validation_interval=10",)
    made, told = plan_retrain(request_of(trained, epochs=20, overrides=overrides))
    assert get(made.base_spec, "train.validation_interval") == 10
    assert not any("validation_interval" in text for text in told)


def test_the_studys_trainer_and_its_settings_are_kept(trained: StudyPaths) -> None:
    made, _ = plan_retrain(request_of(trained, epochs=20, name="longer"))
    before = read_config(trained)
    assert made.config.name == "longer"
    assert (made.config.trainer, made.config.trainer_options) == (
        before.trainer,
        before.trainer_options,
    )
    assert made.config.objective == before.objective
    assert made.config.search.seed == before.search.seed


def record_threads(paths: StudyPaths, threads: int) -> None:
    """The study as one that was run on another machine, with another number of threads."""
    config = read_config(paths)
    resources = replace(config.resources, threads_per_trial=threads)
    write_json(paths.resolved, replace(config, resources=resources).to_json())


def test_the_same_training_once_more_says_that_it_came_out_the_same(trained: StudyPaths) -> None:
    record_threads(trained, 3)
    made, original = plan_reproduction(request_of(trained, trial="0"))
    assert "trains with 3 CPU threads, as trial 0 did" in made.notes
    assert start(made, Silent()).exit_code == 0
    again = find_study(trained.folder.parent, made.config.name)
    assert read_config(again).resources.threads_per_trial == 3
    before = load_yaml(trained.attempt(0, 1).spec)
    after = load_yaml(again.attempt(0, 1).spec)
    moved = dict.fromkeys(("results_dir",), str(trained.attempt(0, 1).folder))
    after |= moved
    after["train"]["results_dir"] = before["train"]["results_dir"]
    assert after == before
    verdict = compare(original, made)
    assert verdict.is_same
    head, *others = str(verdict).splitlines()
    assert head == "same: val_3DIoU is equal at all 10 validations, to the last digit"
    assert others[-1] == "  both with 3 CPU threads"
    assert all(line.startswith("  equal as well: ") for line in others[:-1])
    assert verdict.to_json()["same"] is True


def test_what_differs_is_told() -> None:
    old, new = {0: 0.1, 1: 0.25}, {0: 0.1, 1: 0.26}
    verdict = Reproduction("val_3DIoU", "again", old, new)
    assert not verdict.is_same
    assert "at epoch 1 was 0.25, now 0.26" in str(verdict)
    assert "nothing else differs, both with 1 CPU thread" in str(verdict)
    drifted = replace(verdict, drift={"torch": ("2.12", "2.13")})
    assert "torch: 2.12 then, 2.13 now" in str(drifted)
    other = replace(verdict, others={"train_loss": (0, 1.5, 1.25), "val_2DMPE": None})
    assert "  equal as well: val_2DMPE" in str(other)
    assert "  train_loss at epoch 0 was 1.5, now 1.25" in str(other)
    only_other = replace(other, again=old)
    assert not only_other.is_same
    assert str(only_other).startswith("not the same: val_3DIoU is equal, another metric is not")
    assert not replace(verdict, original={}, again={}).is_same


def test_a_trial_that_measured_nothing_cannot_be_reproduced(trained: StudyPaths) -> None:
    outcome = trained.attempt(0, 1).outcome
    outcome.unlink()
    with pytest.raises(FixInput, match="must have measured"):
        plan_reproduction(request_of(trained, trial="0"))


def test_there_must_be_such_a_study(tmp_path: Path) -> None:
    with pytest.raises(FixInput):
        plan_retrain(RetrainRequest(tmp_path, "none", epochs=3))
