"""Mistakes that a plan finds before anything is spent, each told with the place it was made."""

import re
from pathlib import Path

import pytest

from automl.errors import FixInput
from tests.unit.app.kit import MakePlan


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", ".", "-x", "étude", "a\n", "x" * 101])
def test_a_name_that_no_folder_can_have_is_refused_by_the_plan(plan: MakePlan, name: str) -> None:
    with pytest.raises(FixInput, match="a study's name must consist of") as caught:
        plan(f"--name={name}")
    assert "--name" in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("train.optim.lr_steps=[a]", r"train\.optim\.lr_steps\[0\]"),
        ("dataset.mean=[0.4,x,0.4]", r"dataset\.mean\[1\]"),
    ],
)
def test_the_entries_of_a_list_have_a_type(plan: MakePlan, setting: str, key: str) -> None:
    with pytest.raises(FixInput, match=key):
        plan("--set", setting)


def test_the_data_that_is_checked_is_the_data_that_is_read(
    plan: MakePlan, splits: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "nothing"
    with pytest.raises(FixInput, match=re.escape(str(missing))):
        plan(
            *("--train-data", str(splits / "train"), "--val-data", str(splits / "val")),
            *("--set", f"dataset.train_data={missing}"),
        )


def test_validating_on_what_is_trained_on_is_told(plan: MakePlan, splits: Path) -> None:
    train, val = str(splits / "train"), str(splits / "val")
    made = plan("--train-data", train, "--val-data", train)
    assert any("8 of 8 images are train images too" in note for note in made.notes)
    made = plan("--train-data", train, "--val-data", val)
    assert not any("train images too" in note for note in made.notes)


@pytest.mark.parametrize(
    "asked",
    [
        "results_dir=/a,/b",
        "train.results_dir=/a,/b",
        "train.num_gpus=1..2",
        "train.num_nodes=1,2",
        "dataset.train_data=/a,/b",
        "train.resume_training_checkpoint_path=a.pth,b.pth",
    ],
)
def test_what_the_study_gives_each_trial_is_not_searched(plan: MakePlan, asked: str) -> None:
    with pytest.raises(FixInput, match="must be given by the study") as caught:
        plan("--search", asked)
    assert asked.partition("=")[0] in str(caught.value)


def test_a_checkpoint_to_resume_from_is_not_set_by_key(plan: MakePlan) -> None:
    with pytest.raises(FixInput, match="--parent-checkpoint"):
        plan("--set", "train.resume_training_checkpoint_path=/old.pth")


def test_a_key_is_not_searched_and_frozen_at_once(plan: MakePlan) -> None:
    with pytest.raises(FixInput, match=r"both for train\.optim\.lr"):
        plan("--search", "train.optim.lr=1e-4..1e-2", "--freeze", "train.optim.lr")


def test_an_empty_search_names_what_was_taken_out_of_it(plan: MakePlan) -> None:
    with pytest.raises(FixInput, match=r"train\.optim\.lr is fixed at 0\.001"):
        plan("--search", "train.optim.lr=1e-3..1e-3")


@pytest.mark.parametrize(
    ("block", "rule"),
    [
        ("{train: many}", "train must be a whole number"),
        ("{train: true}", "train must be a whole number"),
        ("{train: -3}", "train must not be negative"),
        ("{category: 3}", "category must be a word"),
        ("{image_format: [png]}", "image_format must be a word"),
        ("{difficulty: hard}", "a difficulty must be one of"),
    ],
)
def test_a_broken_request_for_synthetic_data_names_the_file(
    plan: MakePlan, block: str, rule: str
) -> None:
    with pytest.raises(FixInput, match=rule) as caught:
        plan(file=f"data: {{synth: {block}}}")
    assert "study.yaml: data.synth" in str(caught.value)


def test_a_mistake_in_a_study_files_set_names_the_file(plan: MakePlan) -> None:
    with pytest.raises(FixInput, match=r"study\.yaml: set train\.num_epochs"):
        plan(file="set: {train.num_epochs: many}")
