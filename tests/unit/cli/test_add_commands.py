"""``automl add``: what is taken, what is refused, and what is said of it."""

import json
from pathlib import Path

import pytest

from automl.cli.main import main
from automl.skill.read import own_skill_dir, read_skill, read_template
from automl.study import attributes
from automl.study.lock import StudyLock
from automl.study.storage import read_study
from tests.unit.reports.study_builder import StudyBuilder, config, fill


@pytest.fixture
def study(studies_dir: Path) -> StudyBuilder:
    """A search of the packaged skill that has begun."""
    folder = own_skill_dir()
    template = read_template(read_skill(folder), "train")
    builder = StudyBuilder(studies_dir, config(skill_dir=str(folder)), base_spec=template)
    fill(builder)
    return builder


def add(study: StudyBuilder, *words: str) -> int:
    return main(["add", *words, "--studies-dir", str(study.folder.parent)])


def queued(study: StudyBuilder) -> list[dict[str, object]]:
    """The settings of the trials that wait for a number."""
    read = read_study(study.paths, study.config)
    assert read is not None
    waiting = [t for t in read.get_trials() if attributes.NUMBER not in t.user_attrs]
    assert all(t.user_attrs[attributes.SOURCE] == attributes.SOURCE_USER for t in waiting)
    return [t.user_attrs[attributes.PARAMS] for t in waiting]


def test_a_trial_is_queued_with_the_defaults_of_the_rest(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(study, "bike-fan", "train.optim.lr=3e-4") == 0
    said = capsys.readouterr().out
    assert "train.optim.lr=0.0003  2 other settings as in trial 0" in said
    assert "nobody drives bike-fan: automl resume" in said
    assert queued(study) == [
        {
            "train.optim.lr": 3e-4,
            "dataset.batch_size": 4,
            "model.backbone.model_type": "nano",
        }
    ]


def test_the_rest_may_be_another_trials(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(study, "dataset.batch_size=16", "--base", "best", "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert value["schema"] == "automl.add/1"
    assert value["base"] == 4
    assert value["params"]["train.optim.lr"] == 9e-4
    assert value["params"]["dataset.batch_size"] == 16


def test_who_takes_it_is_said(study: StudyBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    with StudyLock(study.paths):
        assert add(study, "dataset.batch_size=2") == 0
    said = capsys.readouterr().out
    assert "bike-fan takes it as soon as a place is free (pid " in said


def test_settings_outside_the_space_and_repeated_ones_are_said(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(study, "train.optim.lr=0.5") == 0
    assert "the search space does not hold this train.optim.lr" in capsys.readouterr().err
    assert add(study, "dataset.batch_size=8", "train.optim.lr=9e-4") == 0
    assert "trial 4 has the same settings" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bike-fan"], "needs a setting"),
        (["train.optim.lrr=1e-3"], "did you mean train.optim.lr?"),
        (["train.num_epochs=3"], "sets what its study searches"),
        (["dataset.batch_size=0"], "dataset.batch_size"),
        (["dataset.batch_size=many"], "dataset.batch_size must be"),
        (["train.optim.lr=1e-3", "train.optim.lr=1e-4"], "given once"),
        (["one", "two", "train.optim.lr=1e-3"], "named once"),
        (["train.optim.lr=1e-3", "--base", "99"], "a trial of bike-fan must be"),
    ],
)
def test_what_breaks_a_rule_is_refused(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert add(study, *words) == 2
    assert said in capsys.readouterr().err
    assert queued(study) == []


def test_a_study_without_its_first_trial_is_not_ready(
    studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own_skill_dir()
    template = read_template(read_skill(folder), "train")
    builder = StudyBuilder(studies_dir, config(skill_dir=str(folder)), base_spec=template)
    assert add(builder, "dataset.batch_size=2") == 2
    assert "which has no trial yet" in capsys.readouterr().err


def test_a_plain_training_takes_none(
    studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    builder = StudyBuilder(studies_dir, config(policy="off"))
    fill(builder)
    assert add(builder, "dataset.batch_size=2") == 2
    assert "a plain training is one trial" in capsys.readouterr().err
