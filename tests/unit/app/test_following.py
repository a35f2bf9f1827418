"""What a driver knows of its live attempts by the files that they write."""

import json
import socket
from datetime import datetime
from pathlib import Path

import pytest

from automl.app.following import Following
from automl.execution.driver import Measured, Note, TrialEnded, TrialStarted
from automl.study.config import Direction, Objective
from automl.study.gpu_samples import GpuSample, append_samples
from automl.study.layout import StudyPaths
from automl.study.records import (
    Attempt,
    Measurement,
    Outcome,
    OutcomeState,
    TrialRecord,
    TrialState,
)
from automl.trainers.contract import PROGRESS, Phase, Status, StatusLine, StepProgress
from automl.trainers.gpu_note import note_gpus, noted_gpus

NOON = datetime(2026, 11, 29, 12).astimezone()
STEPS = StepProgress(Phase.TRAIN, 2, 30, 120, 400, 716.5)
ATTEMPT = Attempt(3, 1, {})


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    (tmp_path / "trials" / "0003" / "1").mkdir(parents=True)
    return StudyPaths(tmp_path)


@pytest.fixture
def following(paths: StudyPaths) -> Following:
    found = Following(paths, Objective("val_3DIoU", Direction.MAXIMIZE), lambda: 500.0)
    found.event(TrialStarted(ATTEMPT))
    return found


def say(paths: StudyPaths, line: StatusLine) -> None:
    path = paths.attempt(3, 1).folder / "status.json"
    with path.open("a", encoding="utf-8") as file:
        file.write(line.to_json(NOON) + "\n")


def end(following: Following, number: int) -> None:
    record = TrialRecord(number, TrialState.COMPLETE, {})
    following.event(TrialEnded(record, Outcome(number, 1, OutcomeState.OK)))


def test_steps_and_measurements_come_together(paths: StudyPaths, following: Following) -> None:
    say(paths, StatusLine(Status.STARTED, "Starting Training Loop."))
    say(paths, StatusLine(Status.RUNNING, PROGRESS, STEPS.fields))
    following.event(Measured(ATTEMPT, Measurement(1, {"val_3DIoU": 0.25}, 9.0)))
    following.look()
    (live,) = following.live
    assert (live.number, live.epoch, live.value, live.began_s) == (3, 1, 0.25, 500.0)
    assert (live.phase, live.in_epoch, live.of_epochs) == ("train", 2, 30)
    assert (live.step, live.of_steps, live.images_per_s) == (120, 400, 716.5)
    assert live.said == "Starting Training Loop."


def test_a_pace_counts_from_the_trainers_first_line(paths: StudyPaths) -> None:
    begun = NOON.timestamp()
    clock = iter([begun - 20.0, *[begun + 5.0] * 9])
    following = Following(paths, Objective("val_3DIoU", Direction.MAXIMIZE), lambda: next(clock))
    following.event(TrialStarted(ATTEMPT))
    following.look()
    assert following.live[0].trains_since_s is None
    say(paths, StatusLine(Status.STARTED, "Starting Training Loop."))
    following.look()
    assert following.live[0].trains_since_s == begun


def test_between_two_epochs_the_last_rate_stays(paths: StudyPaths, following: Following) -> None:
    say(paths, StatusLine(Status.RUNNING, PROGRESS, STEPS.fields))
    following.look()
    say(paths, StatusLine(Status.RUNNING, "Training loop in progress", {"epoch": 2}))
    following.look()
    (live,) = following.live
    assert (live.phase, live.of_steps, live.images_per_s) == ("", 0, 716.5)


def test_an_ended_attempt_is_gone_and_the_newest_ends_come_first(following: Following) -> None:
    for number in (3, 1, 2):
        end(following, number)
    assert following.live == ()
    assert following.ended == (2, 1, 3)


def test_the_newest_notes_are_kept(following: Following) -> None:
    for number in range(5):
        following.event(Note(f"the {number}th\nnote"))
    assert following.notes == ("the 2th note", "the 3th note", "the 4th note")


def test_memory_and_use_are_those_of_the_gpus_that_it_holds(
    paths: StudyPaths, following: Following
) -> None:
    note_gpus(paths.attempt(3, 1), ["1", "GPU-c"])
    append_samples(
        paths,
        [
            GpuSample(499.0, "GPU-a", 0, 10.0, 1000),
            GpuSample(499.0, "GPU-b", 1, 80.0, 200),
            GpuSample(499.0, "GPU-c5", 2, 90.0, 30),
        ],
    )
    following.look()
    (live,) = following.live
    assert (live.gpus, live.gpu_memory, live.gpu_utilisation) == (("1", "GPU-c"), 230, 85.0)


def test_old_samples_say_nothing_of_now(paths: StudyPaths, following: Following) -> None:
    note_gpus(paths.attempt(3, 1), ["0"])
    append_samples(paths, [GpuSample(400.0, "GPU-a", 0, 10.0, 1000)])
    following.look()
    (live,) = following.live
    assert (live.gpus, live.gpu_memory, live.gpu_utilisation) == (("0",), None, None)


def test_the_samples_of_this_machine_say_nothing_of_another_one(
    paths: StudyPaths, following: Following
) -> None:
    note = {"host": "far", "gpus": ["0"]}
    paths.attempt(3, 1).gpus.write_text(json.dumps(note), encoding="utf-8")
    append_samples(paths, [GpuSample(499.0, "GPU-a", 0, 10.0, 1000)])
    following.look()
    (live,) = following.live
    assert (live.gpus, live.gpu_memory, live.gpu_utilisation) == (("0",), None, None)


@pytest.mark.parametrize("content", ["{", '"0"', "7", "[]", '{"host": "a"}', '{"gpus": 3}'])
def test_a_note_of_gpus_that_cannot_be_read_is_none(
    paths: StudyPaths, following: Following, content: str
) -> None:
    paths.attempt(3, 1).gpus.write_text(content, encoding="utf-8")
    following.look()
    assert following.live[0].gpus == ()


def test_a_trial_on_a_cpu_leaves_no_note(paths: StudyPaths) -> None:
    note_gpus(paths.attempt(3, 1), [])
    assert not paths.attempt(3, 1).gpus.exists()
    note_gpus(paths.attempt(3, 1), ["0"])
    assert noted_gpus(paths.attempt(3, 1)) == (socket.gethostname(), ("0",))
