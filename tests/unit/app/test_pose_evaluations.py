"""What a search evaluates at its ends, and that a failure of it goes no further."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from automl.app import pose_evaluations
from automl.app.pose_evaluations import (
    AskedEvaluation,
    PoseEvaluations,
    can_evaluate,
    missing,
    wanted,
)
from automl.errors import PrepareMachine
from automl.execution.control import Control
from automl.reports.poses.evaluations import read_evaluations
from automl.skill.read import own_skill_dir, read_skill
from automl.study.actions import read_actions
from automl.study.config import StudyConfig
from automl.study.folder import read_config
from automl.study.layout import StudyPaths
from automl.study.records import TrialRecord, TrialState
from automl.trainers.base import TrialTask
from tests.unit.app.act_kit import Player, add_trial, study_of
from tests.unit.app.kit import MakePlan

SETTINGS = (
    *("--set=dataset.category=cereal_box", "--set=model.backbone.model_type=nano"),
    *("--set=train.num_epochs=2", "--set=train.optim.lr_steps=[1]"),
)


def record(number: int, value: float, confirms: int | None = None) -> TrialRecord:
    return TrialRecord(
        number,
        TrialState.COMPLETE,
        {},
        values={1: value},
        best_epoch=1,
        best_value=value,
        checkpoint=f"trials/{number:04d}/1/model_epoch_001_step_00004.pth",
        confirms=confirms,
    )


RECORDS = (record(0, 0.1), record(1, 0.4), record(2, 0.2), record(3, 0.3, confirms=1))


@pytest.fixture
def paths(plan: MakePlan, splits: Path) -> StudyPaths:
    """A search whose trial 1 is the best; trial 3 confirms it."""
    data = [f"--{split}-data={splits / split}" for split in ("train", "val", "test")]
    made = plan("--name", "bikes", *data, *SETTINGS)
    paths = study_of(made)
    for each in RECORDS:
        add_trial(paths, made, each.number, each.best_value or 0.0)
    return paths


@pytest.fixture
def config(paths: StudyPaths) -> StudyConfig:
    return read_config(paths)


def scores(task: TrialTask) -> None:
    """What a trainer leaves that evaluates well."""
    line = {"status": "RUNNING", "kpi": {"test_3DIoU": "0.25"}, "message": "Test metrics"}
    (task.folder / "status.json").write_text(json.dumps(line) + "\n")


Evaluate = Callable[..., list[str]]


@pytest.fixture
def evaluate(paths: StudyPaths, config: StudyConfig, monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    """Makes what is missing with a trainer that plays its part; returns what was said."""

    def make(
        trainer: Callable[[object], object] = lambda _: Player(write=scores),
        records: Sequence[TrialRecord] = RECORDS,
    ) -> list[str]:
        said: list[str] = []
        monkeypatch.setattr(pose_evaluations, "ready_trainer", trainer)
        control = Control(paths.stop, said.append, held=False)
        PoseEvaluations(paths, config, control, said.append).at_end(records)
        return said

    return make


def test_winner_and_default_on_both_splits_and_confirmations_on_validation(
    config: StudyConfig,
) -> None:
    assert [(each.trial, each.split) for each in wanted(config, RECORDS)] == [
        *[(0, "validation"), (1, "validation"), (0, "test"), (1, "test"), (3, "validation")]
    ]


def test_without_test_data_nothing_is_held_out(config: StudyConfig) -> None:
    plain = replace(config, data=replace(config.data, test=""))
    assert {each.split for each in wanted(plain, RECORDS)} == {"validation"}


def test_a_default_that_wins_is_evaluated_once(config: StudyConfig) -> None:
    asked = wanted(config, [record(0, 0.5), record(1, 0.4)])
    assert [each.trial for each in asked] == [0, 0]


def test_a_trial_without_a_checkpoint_is_not_asked_for(config: StudyConfig) -> None:
    gone = replace(RECORDS[0], checkpoint=None)
    assert 0 not in {each.trial for each in wanted(config, [gone, *RECORDS[1:]])}


def test_each_is_made_once_and_counts_in_the_report(
    paths: StudyPaths, config: StudyConfig, evaluate: Evaluate
) -> None:
    assert evaluate() == ["5 evaluations on the validation and test images, poses kept"]
    found = read_evaluations(paths, config, {}, {})
    assert {(each.trial, each.split) for each in found} == {
        *[(0, "validation"), (1, "validation"), (0, "test"), (1, "test"), (3, "validation")]
    }
    assert [each.value for each in found] == [0.25] * 5
    assert missing(paths, config, RECORDS) == []
    assert evaluate() == []


def test_a_failed_one_is_said_and_made_the_next_time(
    paths: StudyPaths, config: StudyConfig, evaluate: Evaluate
) -> None:
    said = evaluate(lambda _: Player(code=3))
    assert len(said) == 6
    assert said[1] == (
        "trial 0 on the validation images could not be evaluated: exit code 3; "
        "automl poses bikes tries again"
    )
    assert len(missing(paths, config, RECORDS)) == 5
    assert len(evaluate()) == 1
    assert missing(paths, config, RECORDS) == []


@pytest.mark.parametrize(
    "error", [PrepareMachine("a GPU must be free"), OSError("no space"), RuntimeError("a fault")]
)
def test_no_error_of_an_evaluation_reaches_the_study(evaluate: Evaluate, error: Exception) -> None:
    def refuse(_: object) -> object:
        raise error

    said = evaluate(refuse)
    assert len(said) == 6
    assert str(error).split(";")[0] in said[1]


def test_a_checkpoint_that_is_gone_is_said(paths: StudyPaths, evaluate: Evaluate) -> None:
    for path in (paths.attempt(0, 1).folder).glob("*.pth"):
        path.unlink()
    said = evaluate()
    assert sum("trial 0 on the" in text for text in said) == 2
    assert len(list(read_actions(paths.actions))) == 3


def test_a_study_that_is_stopped_begins_no_evaluation(
    paths: StudyPaths, config: StudyConfig, evaluate: Evaluate
) -> None:
    control = Control(paths.stop, lambda _: None, held=False)
    control.stop_now()
    said: list[str] = []
    PoseEvaluations(paths, config, control, said.append).at_end(RECORDS)
    assert said == ["no poses: the study was stopped; automl poses bikes makes them"]
    assert not paths.actions.exists()


def test_what_every_trial_starts_from_is_the_baseline(
    paths: StudyPaths,
    config: StudyConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = next(paths.attempt(2, 1).folder.glob("*001*.pth")).rename(tmp_path / "start.pth")
    started = replace(config, parent_checkpoint=str(start))
    monkeypatch.setattr(pose_evaluations, "ready_trainer", lambda _: Player(write=scores))
    said: list[str] = []
    control = Control(paths.stop, said.append, held=False)
    evaluations = PoseEvaluations(paths, started, control, said.append)
    evaluations.at_start()
    evaluations.at_start()
    (found,) = read_evaluations(paths, started, {}, {})
    assert found.is_start
    assert (found.split, found.value) == ("validation", 0.25)
    assert said == ["1 evaluation on the validation images, poses kept"]


def test_who_can_evaluate(config: StudyConfig) -> None:
    skill = read_skill(own_skill_dir())
    trained = replace(config, trainer="process")
    assert can_evaluate(trained, skill)
    assert not can_evaluate(replace(config, trainer="scripted"), skill)
    assert not can_evaluate(replace(trained, policy="off"), skill)
    assert not can_evaluate(trained, replace(skill, actions={}))


def test_an_evaluation_names_itself() -> None:
    assert str(AskedEvaluation(3, "test", "/t")) == "trial 3 on the test images"
    assert (
        str(AskedEvaluation(None, "validation", "/v"))
        == "the starting checkpoint on the validation images"
    )
