"""What a study will do when it goes on, said before it does it; failed trials trained again."""

import json
from pathlib import Path

import pytest

from automl.app import run
from automl.app.going_on import GoingOn
from automl.app.resume_plan import plan_resume
from automl.app.screen import Silent
from automl.cli.main import main
from automl.errors import FixInput, ResolveConflict
from automl.execution import ray_driver, serial
from automl.reports.summary import read_summary
from automl.search.retrying import Retry
from automl.study.layout import StudyPaths
from automl.study.lock import StudyLock
from automl.study.records import FailureClass, TrialState
from tests.unit.app.kit import MakePlan

FAULTS = "{1: {kind: oom, attempt: 1}, 2: {kind: crash, attempt: 1}}"
SCRIPT = (
    f"script:\n  epoch_s: 0.0\n  bowls: {{train.optim.lr: {{best: 1e-3}}}}\n  faults: {FAULTS}\n"
)


@pytest.fixture(autouse=True)
def _serially(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_driver, "drive", serial.drive)


@pytest.fixture
def failed(plan: MakePlan, studies_dir: Path) -> StudyPaths:
    """A study of three trials, two of which failed, each in a way of its own."""
    argv = ("--set", "train.num_epochs=2", "--name", "bikes", "--sampler", "random")
    assert run.start(plan(*argv, "--trials", "3", file=SCRIPT), Silent()).exit_code == 0
    return StudyPaths(studies_dir / "bikes")


def states(paths: StudyPaths) -> dict[int, TrialState]:
    return {t.number: t.record.state for t in read_summary(paths.folder).trials}


def test_asking_for_the_plan_changes_nothing(failed: StudyPaths) -> None:
    before = failed.journal.read_bytes(), failed.resolved.read_bytes()
    made = plan_resume(failed, GoingOn({"trials": 5, "gpu_hours": 2.0}, retry=Retry()))
    assert (failed.journal.read_bytes(), failed.resolved.read_bytes()) == before
    assert made.lines() == (
        "ended and kept: 1 complete",
        "trial 1  had failed (oom): starts again with the same parameters (attempt 2)",
        "trial 2  had failed (unknown): starts again with the same parameters (attempt 2)",
        "to go: 4 trainings, as far as 2 GPU-h allow",
        "unchanged since the study began: train data, val data",
    )


def test_a_study_that_has_ended_says_that_nothing_is_left(failed: StudyPaths) -> None:
    made = plan_resume(failed, GoingOn())
    assert (made.n_left, dict(made.counts)) == (0, {"complete": 1, "failed": 2})
    assert made.lines()[1] == "to go: none (all 3 trials were started)"


def test_a_trial_of_the_user_s_own_beyond_the_total_is_no_reason_to_refuse(
    failed: StudyPaths, studies_dir: Path
) -> None:
    where = ("--study", "bikes", "--studies-dir", str(studies_dir))
    assert main(["add", "train.optim.lr=3e-4", *where]) == 0
    assert run.go_on(failed, Silent(), GoingOn()).exit_code == 0
    assert states(failed)[3] is TrialState.COMPLETE
    assert run.go_on(failed, Silent(), GoingOn()).exit_code == 0
    with pytest.raises(FixInput, match="3, though 4 were"):
        run.go_on(failed, Silent(), GoingOn({"trials": 3}))


def test_failed_trials_of_a_class_are_trained_again(failed: StudyPaths) -> None:
    asked = GoingOn(retry=Retry(FailureClass.OOM))
    assert run.go_on(failed, Silent(), asked).exit_code == 0
    assert states(failed) == {0: TrialState.COMPLETE, 1: TrialState.COMPLETE, 2: TrialState.FAILED}
    trial = read_summary(failed.folder).trial(1)
    assert trial is not None
    assert trial.record.attempts == 2
    specs = [failed.attempt(1, attempt).spec.read_text() for attempt in (1, 2)]
    assert specs[0].replace("0001/1", "0001/2") == specs[1]


def test_what_cannot_be_done_is_refused_as_by_the_resume_itself(failed: StudyPaths) -> None:
    with pytest.raises(FixInput, match="1, though 3 were"):
        plan_resume(failed, GoingOn({"trials": 1}))
    with StudyLock(failed), pytest.raises(ResolveConflict, match="one process at a time"):
        plan_resume(failed, GoingOn())


def test_the_command_shows_the_plan(
    failed: StudyPaths, studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["resume", "bikes", "--studies-dir", str(studies_dir), "--retry-failed", "oom"]
    assert main([*words, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "trial 1  had failed (oom)" in shown
    assert "trial 2" not in shown
    assert main([*words, "--dry-run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "automl.resume/1"
    assert [each["trial"] for each in document["again"]] == [1]
    assert document["to_go"] == 1
    assert main(["resume", "bikes", "--retry-failed", "ooom"]) == 2
    assert "--retry-failed must be one of all, oom" in capsys.readouterr().err
