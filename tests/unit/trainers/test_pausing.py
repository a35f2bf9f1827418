"""An attempt that is asked to pause: where it ends, and what it leaves to go on from."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.study.config import Keep
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.records import Attempt, Measurement, Outcome, OutcomeState
from automl.trainers.attempt_run import AttemptRun
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.contract import PAUSE_NAME
from automl.trainers.end_request import PauseRequest, pause_in, request_pause

Leave = Callable[[Path, int, int], Path]
Act = Callable[[], object]

RUNG = PauseRequest(1, "3rd of 4 at epoch 1")


def nothing() -> None:
    """Nothing happens before a look."""


@pytest.fixture
def train(
    status: Any, attempt_paths: AttemptPaths, leave_checkpoint: Leave
) -> Callable[[int], Act]:
    """What a trainer does in an epoch."""

    def make(epoch: int, *, validated: bool = True, saved: bool = True) -> Act:
        def act() -> None:
            if validated:
                status.epoch(epoch, {"val_3DIoU": f"0.{epoch}"}, loss=1.0)
            if saved:
                leave_checkpoint(attempt_paths.folder, epoch, (epoch + 1) * 10)

        return act

    return make


def left(paths: AttemptPaths) -> list[str]:
    return sorted(path.name[12:15] for path in paths.folder.glob("model_epoch_*"))


def epochs(outcome: Outcome) -> list[int]:
    return [entry.epoch for entry in outcome.measurements]


def end_of(run: AttemptRun) -> Outcome:
    outcome = run.advance()
    assert isinstance(outcome, Outcome)
    return outcome


def test_its_file_has_one_name_for_all(attempt_paths: AttemptPaths) -> None:
    assert attempt_paths.pause.name == PAUSE_NAME


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"epoch": -1, "reason": ""}', '{"epoch": 1.5}'])
def test_what_else_a_trainer_leaves_there_asks_for_nothing(
    attempt_paths: AttemptPaths, text: str
) -> None:
    attempt_paths.pause.write_text(text)
    assert pause_in(attempt_paths.pause) is None


def test_it_ends_once_the_checkpoint_of_its_epoch_is_whole(
    start: Any, train: Any, attempt_paths: AttemptPaths
) -> None:
    def half() -> None:
        (attempt_paths.folder / "model_epoch_001_step_00020.pth").write_bytes(b"PK\x03\x04half")

    looks = [train(0), train(1, saved=False), nothing, half, train(1, validated=False)]
    run = start(*((look, None) for look in looks))
    assert [run.advance().epoch for _ in range(2)] == [0, 1]
    request_pause(attempt_paths, RUNG)
    outcome = end_of(run)
    assert (outcome.state, outcome.evidence) == (OutcomeState.PAUSED, RUNG.reason)
    assert outcome.checkpoint == "trials/0000/1/model_epoch_001_step_00020.pth"
    assert epochs(outcome) == [0, 1]
    assert json.loads(attempt_paths.outcome.read_text())["state"] == "paused"


@pytest.mark.parametrize("keep", Keep)
def test_what_it_trained_past_the_pause_is_no_part_of_the_trial(
    start: Any, train: Any, attempt_paths: AttemptPaths, keep: Keep
) -> None:
    def three_more() -> None:
        for epoch in (2, 3, 4):
            train(epoch)()

    looks = [train(0), train(1), three_more]
    run = start(*((look, None) for look in looks), changed={"keep": keep})
    for _ in range(2):
        run.advance()
    request_pause(attempt_paths, RUNG)
    outcome = end_of(run)
    assert epochs(outcome) == [0, 1]
    assert outcome.checkpoint == "trials/0000/1/model_epoch_001_step_00020.pth"
    everything = ["000", "001", "002", "003", "004"]
    assert left(attempt_paths) == (everything if keep is Keep.ALL else ["001"])


def test_a_trainer_that_is_ahead_of_the_search_pauses_at_its_rung_all_the_same(
    start: Any, train: Any, attempt_paths: AttemptPaths
) -> None:
    def far_ahead() -> None:
        for epoch in range(5):
            train(epoch)()

    run = start((far_ahead, None), (nothing, None), (nothing, None))
    assert [run.advance().epoch for _ in range(2)] == [0, 1]
    request_pause(attempt_paths, RUNG)
    outcome = end_of(run)
    assert outcome.checkpoint == "trials/0000/1/model_epoch_001_step_00020.pth"
    assert epochs(outcome) == [0, 1]
    assert left(attempt_paths) == ["001"]


def test_without_the_checkpoint_of_that_epoch_it_pauses_at_the_next_one(
    start: Any, train: Any, attempt_paths: AttemptPaths
) -> None:
    looks = [train(1, saved=False), train(2, saved=False), train(3), train(4)]
    run = start(*((look, None) for look in looks))
    run.advance()
    request_pause(attempt_paths, RUNG)
    outcome = end_of(run)
    assert outcome.state is OutcomeState.PAUSED
    assert outcome.checkpoint == "trials/0000/1/model_epoch_003_step_00040.pth"
    assert epochs(outcome) == [1, 2, 3]


def test_the_best_epochs_checkpoint_stays_beside_it(
    start: Any, status: Any, train: Any, attempt_paths: AttemptPaths, leave_checkpoint: Leave
) -> None:
    def best() -> None:
        status.epoch(0, {"val_3DIoU": "0.9"}, loss=1.0)
        leave_checkpoint(attempt_paths.folder, 0, 10)

    run = start((best, None), (train(1), None), (nothing, None))
    for _ in range(2):
        run.advance()
    request_pause(attempt_paths, RUNG)
    outcome = end_of(run)
    assert left(attempt_paths) == ["000", "001"]
    assert outcome.checkpoint == "trials/0000/1/model_epoch_001_step_00020.pth"


def test_a_training_that_came_to_its_end_is_complete(
    start: Any, train: Any, attempt_paths: AttemptPaths
) -> None:
    run = start((train(1, saved=False), None), (train(2), 0))
    run.advance()
    request_pause(attempt_paths, RUNG)
    outcome = end_of(run)
    assert outcome.state is OutcomeState.OK
    assert epochs(outcome) == [1, 2]


def test_one_that_breaks_past_its_pause_has_paused(
    start: Any, train: Any, attempt_paths: AttemptPaths
) -> None:
    run = start((train(1), None), (train(2), 1))
    run.advance()
    request_pause(attempt_paths, RUNG)
    outcome = end_of(run)
    assert (outcome.state, outcome.failure) == (OutcomeState.PAUSED, None)
    assert epochs(outcome) == [1]


def test_one_that_breaks_before_its_checkpoint_is_whole_has_failed(
    start: Any, train: Any, attempt_paths: AttemptPaths
) -> None:
    run = start((train(0), None), (train(1, saved=False), None), (nothing, 1))
    for _ in range(2):
        run.advance()
    request_pause(attempt_paths, RUNG)
    assert end_of(run).state is OutcomeState.FAILED


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_study_that_stops_while_it_pauses_leaves_it_paused_or_interrupted(
    start: Any, train: Any, attempt_paths: AttemptPaths, settings: AttemptSettings, is_whole: bool
) -> None:
    run = start(
        (train(0), None), (train(1, saved=is_whole), None), (settings.paths.stop.touch, None)
    )
    for _ in range(2):
        run.advance()
    request_pause(attempt_paths, RUNG)
    outcome = end_of(run)
    assert outcome.state is (OutcomeState.PAUSED if is_whole else OutcomeState.INTERRUPTED)
    assert f"epoch_{left(attempt_paths)[-1]}_" in str(outcome.checkpoint)


@pytest.mark.parametrize(
    ("rungs", "state"), [((2,), OutcomeState.PAUSED), ((1, 4), OutcomeState.INTERRUPTED)]
)
def test_a_rung_that_nobody_judged_before_the_study_stopped_is_where_it_pauses(
    start: Any,
    train: Any,
    settings: AttemptSettings,
    rungs: tuple[int, ...],
    state: OutcomeState,
) -> None:
    def stop() -> None:
        train(1)()
        train(2)()
        settings.paths.stop.touch()

    run = start((train(0), None), (stop, None), changed={"rungs": rungs})
    run.advance()
    outcome = end_of(run)
    assert outcome.state is state
    assert epochs(outcome) == ([0, 1] if state is OutcomeState.PAUSED else [0, 1, 2])
    assert f"epoch_00{epochs(outcome)[-1]}_" in str(outcome.checkpoint)


def test_a_trial_that_goes_on_keeps_its_place_until_it_has_another(
    start: Any,
    settings: AttemptSettings,
    paths: StudyPaths,
    attempt: Attempt,
    attempt_paths: AttemptPaths,
    task: Any,
    leave_checkpoint: Leave,
    played: Any,
    played_trainer: Any,
    time_stands: Any,
) -> None:
    place = leave_checkpoint(attempt_paths.folder, 1, 20)
    leave_checkpoint(attempt_paths.folder, 3, 40)  # trained past the pause, and kept on request
    again = paths.attempt(0, 2)
    again.folder.mkdir()
    history = (Measurement(1, {"val_3DIoU": 0.1}, 2.0),)
    going_on = replace(attempt, attempt=2, resume_from=paths.relative(place), history=history)
    handle = played([(settings.paths.stop.touch, None)], ())
    run = AttemptRun(
        going_on,
        replace(task, attempt=2, folder=again.folder),
        played_trainer(handle),
        settings,
        time_stands.timing,
    )
    run.begin()
    outcome = end_of(run)
    assert outcome.state is OutcomeState.INTERRUPTED
    assert outcome.checkpoint == paths.relative(place)
    assert left(attempt_paths) == ["001"]
