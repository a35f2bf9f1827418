"""What automl explain finds out about a trial and about a class of failures."""

import json
from pathlib import Path

import pytest

from automl.app.explain import explain_class, explain_trial, trial_number
from automl.cli.main import main
from automl.errors import FixInput
from automl.reports.summary import read_summary
from automl.study.records import FailureClass, OutcomeState, TrialState
from tests.unit.reports.study_builder import StudyBuilder, Told, config, fill, params


@pytest.fixture
def study(studies_dir: Path) -> StudyBuilder:
    """A typical search in which trial 2 ran out of memory; its log holds a progress bar."""
    builder = StudyBuilder(studies_dir)
    fill(builder)
    lines = [f"line {number}" for number in range(40)]
    bar = "\r".join(f"Epoch 0: {percent}%" for percent in (10, 20, 30))
    log = builder.paths.attempt(2, 1).log
    log.write_text("\n".join([*lines, bar, "CUDA out of memory", ""]))
    return builder


def test_a_failed_trial_is_explained_whole(study: StudyBuilder) -> None:
    account = explain_trial(read_summary(study.folder), 2)
    assert account.failure is FailureClass.OOM
    assert account.known == "out-of-memory"
    assert "more memory than there is" in account.cause
    assert "batch size" in account.hint
    assert "worst score" in account.told
    assert "CUDA out of memory" in account.evidence


def test_the_tail_is_the_last_twenty_lines_a_bar_shown_once(study: StudyBuilder) -> None:
    account = explain_trial(read_summary(study.folder), 2)
    assert len(account.tail) == 20
    assert account.tail[-2:] == ("Epoch 0: 30%", "CUDA out of memory")
    assert account.log == "trials/0002/1/log.txt"


def test_the_difference_is_to_the_nearest_usable_trial(study: StudyBuilder) -> None:
    # params of 2: lr 4e-3, batch 16, DLA34; nearest by the range's own scale is 1: 1.2e-3, 8.
    account = explain_trial(read_summary(study.folder), 2)
    assert account.nearest == 1
    assert {change.key: (change.base, change.value) for change in account.changes} == {
        "train.optim.lr": (1.2e-3, 4e-3),
        "dataset.batch_size": (8, 16),
        "model.backbone.model_type": ("nano", "DLA34"),
    }


def test_the_command_trains_the_same_spec_again(study: StudyBuilder) -> None:
    command = explain_trial(read_summary(study.folder), 2).reproduce
    assert str(study.paths.attempt(2, 1).spec) in command
    assert "--policy off" in command
    assert "--name bike-fan-trial-2" in command


def test_a_trial_that_did_not_fail_has_no_class(study: StudyBuilder) -> None:
    account = explain_trial(read_summary(study.folder), 4)
    assert account.state is TrialState.COMPLETE
    assert (account.failure, account.hint, account.told) == (None, "", "")
    assert account.nearest != 4


def test_a_study_without_a_usable_trial_and_without_logs(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config("lone"))
    failed = Told(params(), (), OutcomeState.FAILED, FailureClass.UNKNOWN, "exit code 1: x")
    builder.add(0, failed)
    account = explain_trial(read_summary(builder.folder), 0)
    assert (account.nearest, account.changes, account.tail, account.log) == (None, (), (), "")
    assert account.hint


def test_an_unknown_end_is_looked_up_in_the_log(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config("lone"))
    failed = Told(params(), (), OutcomeState.FAILED, FailureClass.UNKNOWN, "exit code 1")
    builder.add(0, failed)
    refused = "TypeError: only 0-dimensional arrays can be converted to Python scalars"
    builder.paths.attempt(0, 1).log.write_text(f"start\n{refused}\nFAIL\n")
    assert explain_trial(read_summary(builder.folder), 0).known == "numpy-in-image"


@pytest.mark.parametrize("failure", FailureClass)
def test_every_class_is_explained_without_a_study(failure: FailureClass) -> None:
    account = explain_class(failure, None)
    assert account.hint
    assert account.told
    assert account.known or failure is FailureClass.UNKNOWN
    assert account.trials == {}


def test_a_class_names_its_trials(study: StudyBuilder) -> None:
    account = explain_class(FailureClass.DIVERGED, read_summary(study.folder))
    assert account.trials == {5: "loss is nan at epoch 2"}


@pytest.mark.parametrize(("word", "number"), [("4", 4), ("best", 4), ("baseline", 0), ("last", 7)])
def test_words_for_trials(study: StudyBuilder, word: str, number: int) -> None:
    assert trial_number(word, read_summary(study.folder)) == number


@pytest.mark.parametrize("word", ["8", "beste", "-1", "oom2"])
def test_a_word_that_is_no_trial_is_refused(study: StudyBuilder, word: str) -> None:
    with pytest.raises(FixInput, match="explain must be given a trial of bike-fan"):
        trial_number(word, read_summary(study.folder))


def test_json_is_strict_and_has_a_schema(
    study: StudyBuilder, studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--studies-dir", str(studies_dir), "--json"]
    assert main(["explain", "2", "--study", "bike-fan", *where]) == 0
    trial = json.loads(capsys.readouterr().out)
    assert trial["schema"] == "automl.explain/1"
    assert trial["trial"]["failure"] == "oom"
    assert main(["explain", "oom", *where]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["class"]["trials"] == [{"number": 2, "evidence": trial["trial"]["evidence"]}]


def test_a_class_needs_no_study(studies_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "shm", "--studies-dir", str(studies_dir)]) == 0
    assert "--shm-size" in capsys.readouterr().out
