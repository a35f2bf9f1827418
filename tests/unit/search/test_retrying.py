"""Failed trials in the queue again: with their parameters, and where it pays, their checkpoint."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from automl.search.engine import Engine
from automl.search.observations import Kind, observe
from automl.search.retrying import Retry
from automl.study.layout import StudyPaths
from automl.study.records import FailureClass, TrialState
from tests.unit.search.test_search_recovery import ask, checkpoint_of, no_checkpoint, nothing

Make = Callable[..., Engine]
End = Callable[..., Any]


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return StudyPaths(tmp_path)


@pytest.mark.parametrize(
    ("failure", "resumes"), [(FailureClass.DISK, True), (FailureClass.DIVERGED, False)]
)
def test_a_failure_of_the_machine_goes_on_from_its_checkpoint(
    make: Make, end: End, paths: StudyPaths, failure: FailureClass, resumes: bool
) -> None:
    engine = make()
    first = ask(engine)
    engine.finish(end(first, [0.1, 0.2, 0.3], failure=failure))
    again = make()
    (said,) = again.recover(paths, nothing, checkpoint_of(1), retry=Retry())
    second = ask(again)
    assert (second.number, second.attempt, second.params) == (0, 2, first.params)
    assert (second.resume_from is not None) is resumes
    assert [entry.epoch for entry in second.history] == ([0, 1] if resumes else [])
    assert ("goes on from the checkpoint of epoch 1" in str(said)) is resumes


def test_those_of_another_class_stay_as_they_are(make: Make, end: End, paths: StudyPaths) -> None:
    engine = make()
    for failure in (FailureClass.OOM, FailureClass.DATA):
        engine.finish(end(ask(engine), failure=failure))
    again = make()
    said = again.recover(paths, nothing, no_checkpoint, retry=Retry(FailureClass.DATA))
    assert [each.number for each in said] == [1]
    assert [record.state for record in again.records()] == [
        TrialState.FAILED,
        TrialState.WAITING,
    ]
    assert again.recover(paths, nothing, no_checkpoint, retry=Retry(FailureClass.DATA)) == ()


def test_the_second_end_is_what_counts(
    make: Make, end: End, paths: StudyPaths, study: optuna.Study
) -> None:
    engine = make()
    engine.finish(end(ask(engine), [0.2]))
    engine.finish(end(ask(engine), failure=FailureClass.OOM))
    again = make()
    again.recover(paths, nothing, no_checkpoint, retry=Retry())
    again.finish(end(ask(again), [0.4]))
    record = again.records()[1]
    assert (record.state, record.best_value, record.attempts) == (TrialState.COMPLETE, 0.4, 2)
    assert record.seconds == 4.0
    kinds = [one.kind for one in observe(study.get_trials(), "val_3DIoU")]
    assert kinds == [Kind.MEASURED, Kind.MEASURED]
