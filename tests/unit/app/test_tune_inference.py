"""Settings of decoding for a trained checkpoint: what is planned, started, written and taken."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.app.act import ActPlan, plan_action
from automl.app.action_request import ActRequest
from automl.app.action_run import carry_out
from automl.app.tune_inference import TuningTrainer, plan_tuning
from automl.app.tuned_settings import read_overlay, write_overlay
from automl.cli.main import main
from automl.errors import FixInput
from automl.reports.tuned import tuned_lines
from automl.skill.tree import get
from automl.study.actions import read_actions
from automl.study.layout import StudyPaths
from automl.trainers.base import TrialTask
from automl.trainers.process import ProcessTrainer
from tests.unit.app.act_kit import Player, studied
from tests.unit.app.kit import MakePlan

FOUND: dict[str, Any] = {
    "schema": "automl.tuned/1",
    "n_images": 8,
    "default": {"visualization_threshold": 0.3, "num_select": 100, "ap": 0.5},
    "best": {"visualization_threshold": 0.05, "num_select": 10, "ap": 0.625},
    "test": {"n_images": 4, "default": 0.5, "best": 0.6, "gain": 0.1, "low": 0.02, "high": 0.2},
    "candidates": [{}] * 81,
    "seconds": 12.0,
}


def request_of(paths: StudyPaths, **changes: Any) -> ActRequest:
    return replace(ActRequest("evaluate", paths.folder.parent), **changes)


def tuned(plan: ActPlan, found: dict[str, Any]) -> Path:
    """What a search that ended well leaves."""

    def write(task: TrialTask) -> None:
        (task.folder / "tuned.json").write_text(json.dumps(found))

    assert carry_out(plan, Player(write=write)).ok
    write_overlay(plan.folder)
    return plan.folder / "tuned.yaml"


def test_it_searches_on_validation_and_confirms_on_test_images(
    plan: MakePlan, splits: Path
) -> None:
    paths = studied(plan, splits, "train", "val", "test")
    made = plan_tuning(request_of(paths))
    data = made.spec.tree["dataset"]
    assert (data["val_data"], data["test_data"]) == (str(splits / "val"), str(splits / "test"))
    assert made.folder == paths.actions / "tune-inference-1"
    assert get(made.spec.tree, "evaluate.checkpoint").endswith(".pth")


def test_without_test_data_nothing_confirms_it_and_that_is_said(
    plan: MakePlan, splits: Path
) -> None:
    made = plan_tuning(request_of(studied(plan, splits, "train", "val")))
    assert made.spec.tree["dataset"]["test_data"] == ""
    assert "no test data: the gain is not confirmed" in made.notes


def test_the_program_is_asked_to_tune_in_place_of_evaluating(plan: MakePlan, splits: Path) -> None:
    made = plan_tuning(request_of(studied(plan, splits, "train", "val", "test")))
    process = ProcessTrainer(made.skill, "evaluate")
    started: list[list[str]] = []

    class Seen(TuningTrainer):
        pass

    words = process.command(made.spec_path)
    assert "evaluate" in words
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "automl.app.tune_inference.start_guarded",
            lambda command, task, gpus: started.append(list(command)),
        )
        task = TrialTask("bikes", 0, 1, made.folder, made.spec_path, made.folder / "log.txt")
        Seen(process).start(task, [])
    assert started == [["tune" if word == "evaluate" else word for word in words]]


def test_what_was_found_is_taken_by_later_actions(plan: MakePlan, splits: Path) -> None:
    paths = studied(plan, splits, "train", "val", "test")
    path = tuned(plan_tuning(request_of(paths)), FOUND)
    assert (
        read_overlay(path)
        == read_overlay(path.parent)
        == {
            "inference.visualization_threshold": 0.05,
            "inference.num_select": 10,
            "export.num_select": 10,
        }
    )
    for action in ("evaluate", "inference"):
        made = plan_action(request_of(paths, action=action, tuned=path))
        assert get(made.spec.tree, "inference.visualization_threshold") == 0.05
        assert get(made.spec.tree, "inference.num_select") == 10
        assert get(made.spec.tree, "export.num_select", None) != 10
    made = plan_action(request_of(paths, action="export", tuned=path))
    assert get(made.spec.tree, "export.num_select") == 10
    assert get(made.spec.tree, "inference.num_select", None) != 10


def test_a_search_is_no_evaluation_and_a_tuned_one_is_told_from_the_trial_s(
    plan: MakePlan, splits: Path
) -> None:
    paths = studied(plan, splits, "train", "val", "test")
    path = tuned(plan_tuning(request_of(paths)), FOUND)
    carry_out(plan_action(request_of(paths, tuned=path)), Player())
    carry_out(plan_action(request_of(paths)), Player())
    (said,) = tuned_lines(paths.folder)
    assert said.startswith("trial 0: threshold 0.05 and 10 peaks score 0.6250")
    assert "+0.1000 on 4 test images, 95 % interval +0.0200 to +0.2000" in said
    records = [(record.action, bool(record.tuned)) for _, record in read_actions(paths.actions)]
    assert records == [("tune_inference", False), ("evaluate", True), ("evaluate", False)]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (None, "must be a file"),
        ("inference: {conf: 3}\n", "tuned settings are"),
        ("3\n", "tuned settings are"),
    ],
)
def test_other_files_are_no_tuned_settings(tmp_path: Path, text: str | None, rule: str) -> None:
    path = tmp_path / "mine.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FixInput, match=rule):
        read_overlay(path)


def test_it_needs_validation_data_and_our_own_trainer(
    plan: MakePlan, splits: Path, tmp_path: Path
) -> None:
    paths = studied(plan, splits, "train", "val")
    with pytest.raises(FixInput, match="searched by the trainer of this package"):
        plan_tuning(request_of(paths, trainer="docker"))
    checkpoint = tmp_path / "alone.pth"
    checkpoint.write_bytes(next(paths.trial(0).rglob("*.pth")).read_bytes())
    with pytest.raises(FixInput, match="searched on validation data"):
        plan_tuning(request_of(paths, checkpoint=str(checkpoint)))


def test_the_command_says_what_it_found(
    plan: MakePlan, splits: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    paths = studied(plan, splits, "train", "val", "test")

    def write(task: TrialTask) -> None:
        (task.folder / "tuned.json").write_text(json.dumps(FOUND))

    monkeypatch.setattr("automl.app.action_run.ready_trainer", lambda made: None)
    monkeypatch.setattr(
        "automl.app.tune_inference.TuningTrainer", lambda process: Player(write=write)
    )
    code = main(["tune-inference", "bikes", "--studies-dir", str(paths.folder.parent)])
    said = capsys.readouterr().out
    assert code == 0
    assert "searched   81 settings of decoding on 8 validation images" in said
    assert "visualization_threshold 0.3 -> 0.05" in said
    assert "+0.1000 on 4 images, 95 % interval +0.0200 to +0.2000" in said
    assert "not separable" not in said
    assert "--tuned" in said
    assert (
        main(["tune-inference", "bikes", "--json", "--studies-dir", str(paths.folder.parent)]) == 0
    )
    said = json.loads(capsys.readouterr().out)
    assert (said["schema"], said["best"]["num_select"]) == ("automl.tuned/1", 10)
