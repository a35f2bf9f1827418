"""``automl config``: each setting with its value and the place that it came from."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.cli.main import main
from automl.study.limits import Limits
from tests.unit.reports.study_builder import StudyBuilder, config

FILE = (
    "trials: 5\nset: {train.num_epochs: 12, dataset.category: bike}\ndata: {train: sets/train}\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(FILE)
    return path


def settings(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, tuple[Any, str]]:
    assert main(["config", *words, "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["schema"] == "automl.config/1"
    return {each["name"]: (each["value"], each["origin"]) for each in value["settings"]}


def test_flag_file_skill_and_default_are_told_apart(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = settings(capsys, str(file), "--sampler", "gp", "--set", "train.num_epochs=3")
    assert found["sampler"] == ("gp", "--sampler")
    assert found["trials"] == (5, str(file))
    assert found["data.train"] == (str(file.parent / "sets" / "train"), str(file))
    assert found["metric"] == ("val_3DIoU", "skill tao-train-centerpose")
    assert found["seed"][1] == "default"
    assert found["train.num_epochs"] == (3, "--set")
    assert found["dataset.category"] == ("bike", str(file))
    assert "train.optim.lr" not in found


def test_every_key_of_the_spec_says_where_it_came_from(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = settings(capsys, str(file), "--spec-keys")
    assert found["train.optim.lr"][1] == "skill: spec_template_train.yaml"
    assert found["train.num_epochs"][1] == str(file)


def test_what_was_given_alone(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = settings(capsys, str(file), "--given", "--trials", "7")
    assert found["trials"] == (7, "--trials")
    assert set(found) == {"trials", "data.train", "train.num_epochs", "dataset.category"}


def test_text_shows_origins_on_request(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", str(file)]) == 0
    plain = capsys.readouterr().out
    assert main(["config", str(file), "--origin"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert str(file) not in plain
    (trials,) = [line for line in lines if line.startswith("  trials ")]
    assert trials.split() == ["trials", "5", str(file)]
    assert [line for line in lines if not line.startswith(" ")][:2] == ["", "policy"]


def test_a_study_says_what_it_was_begun_with(
    studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    origin = {"trials": "--trials", "seed": "mine.yaml", "trial_timeout": "default"}
    StudyBuilder(studies_dir, replace(config(), limits=Limits(trials=9), origin=origin))
    where = ("--studies-dir", str(studies_dir))
    found = settings(capsys, "--study", "bike-fan", *where)
    assert found["trials"] == (9, "--trials")
    assert found["seed"] == (7, "mine.yaml")
    assert found["trial_timeout"] == (None, "default")
    assert found["train.num_epochs"][0] == 10


def test_a_mistake_in_the_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("trails: 5\n")
    assert main(["config", str(path)]) == 2
    assert "did you mean trials" in capsys.readouterr().err
