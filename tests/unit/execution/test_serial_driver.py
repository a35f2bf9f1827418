"""Trials driven one at a time in this process."""

import errno
import json
from typing import Any

import pytest

from automl.errors import FixInput
from automl.execution.control import Control
from automl.execution.driver import (
    DriveEnd,
    Event,
    Measured,
    Note,
    TrialEnded,
    TrialStarted,
    slots_of,
)
from automl.execution.live_attempts import LiveAttempts
from automl.execution.lost import Lost
from automl.execution.serial import drive
from automl.study.config import Resources
from automl.study.outcomes import read_outcome
from automl.study.records import FailureClass, OutcomeState
from automl.trainers.contract import EVAL_METRICS, STATUS_NAME

KINDS = {TrialStarted: "start", Measured: "measured", TrialEnded: "end", Note: "note"}


def test_every_trial_is_reported_once_and_in_order(ask: Any, listed_engine: Any) -> None:
    asked = ask(listed_engine(2))
    assert drive(asked.request) is DriveEnd.FINISHED
    assert [outcome.number for outcome in asked.engine.finished] == [0, 1]
    assert asked.engine.reported == [(0, 0), (0, 1), (1, 0), (1, 1)]
    of_a_trial = ["start", "measured", "measured", "end"]
    assert [KINDS[type(event)] for event in asked.events] == of_a_trial * 2
    for outcome in asked.engine.finished:
        assert read_outcome(asked.paths.attempt(outcome.number, 1)) == (outcome, "")


def test_a_failed_trial_does_not_end_the_search(ask: Any, listed_engine: Any) -> None:
    faults = {"0": {"kind": "oom"}, "1": {"kind": "nan"}}
    asked = ask(listed_engine(3), {"faults": faults})
    assert drive(asked.request) is DriveEnd.FINISHED
    assert [outcome.failure for outcome in asked.engine.finished] == [
        FailureClass.OOM,
        FailureClass.DIVERGED,
        None,
    ]


def test_a_trial_the_engine_stops_ends_as_pruned(ask: Any, listed_engine: Any) -> None:
    asked = ask(listed_engine(1, {0: "behind"}), {"epoch_s": 0.3}, epochs=50)
    drive(asked.request)
    (outcome,) = asked.engine.finished
    assert (outcome.state, outcome.evidence) == (OutcomeState.PRUNED, "behind")
    assert len(outcome.measurements) < 50


def test_a_trial_that_pauses_ends_with_the_checkpoint_of_its_rung(
    ask: Any, listed_engine: Any
) -> None:
    engine = listed_engine(2, pauses={0: 1})
    asked = ask(engine, {"epoch_s": 0.3}, epochs=6)
    assert drive(asked.request) is DriveEnd.FINISHED
    paused, full = asked.engine.finished
    assert (paused.state, paused.evidence) == (OutcomeState.PAUSED, "rung")
    assert [entry.epoch for entry in paused.measurements] == [0, 1]
    assert paused.checkpoint == "trials/0000/1/model_epoch_001_step_00020.pth"
    left = sorted(each.name for each in asked.paths.attempt(0, 1).folder.glob("model_epoch_*"))
    assert left == ["model_epoch_001_step_00020.pth"]
    assert full.state is OutcomeState.OK


def test_a_trial_that_cannot_be_prepared_fails_and_the_next_one_runs(
    ask: Any, listed_engine: Any
) -> None:
    asked = ask(listed_engine(2), unpreparable=(0,))
    drive(asked.request)
    refused, good = asked.engine.finished
    assert refused.failure is FailureClass.SPEC
    assert "half of one" in refused.evidence
    assert good.state is OutcomeState.OK


def test_stopping_gently_lets_the_running_trial_finish(ask: Any, listed_engine: Any) -> None:
    def stop(event: Event, control: Control) -> None:
        if isinstance(event, Measured):
            control.stop_after_running()

    asked = ask(listed_engine(3), on_event=stop)
    assert drive(asked.request) is DriveEnd.STOPPED_AFTER_RUNNING
    assert [outcome.state for outcome in asked.engine.finished] == [OutcomeState.OK]


def test_stopping_now_interrupts_it_and_keeps_what_it_measured(
    ask: Any, listed_engine: Any
) -> None:
    def stop(event: Event, control: Control) -> None:
        if isinstance(event, Measured):
            control.stop_now()

    asked = ask(listed_engine(3), {"epoch_s": 0.2}, epochs=100, on_event=stop)
    assert drive(asked.request) is DriveEnd.STOPPED_NOW
    (outcome,) = asked.engine.finished
    assert outcome.state is OutcomeState.INTERRUPTED
    assert outcome.measurements
    assert outcome.checkpoint is not None
    assert (asked.paths.folder / outcome.checkpoint).is_file()


@pytest.mark.parametrize(
    ("resources", "seen"),
    [
        (Resources(), ""),
        (Resources(gpus_per_trial=2), "0,1"),
        (Resources(gpus_per_trial=1, gpu_ids=(3, 4)), "3"),
    ],
)
def test_the_trial_sees_its_gpus_alone(
    ask: Any, listed_engine: Any, resources: Resources, seen: str
) -> None:
    asked = ask(listed_engine(1), resources=resources)
    drive(asked.request)
    log = asked.paths.attempt(0, 1).log.read_text()
    assert f"CUDA_VISIBLE_DEVICES={seen}\n" in log


class TestSlots:
    @pytest.mark.parametrize(
        ("resources", "slots"),
        [
            (Resources(max_concurrent=3), 3),
            (Resources(max_concurrent=3, gpus_per_trial=1), 3),
            (Resources(max_concurrent=3, gpus_per_trial=1, gpu_ids=(0, 5)), 2),
            (Resources(max_concurrent=3, gpus_per_trial=2, gpu_ids=(0, 1, 2)), 1),
            (Resources(max_concurrent=3, gpus_per_trial=0, gpu_ids=(0,)), 3),
            (Resources(max_concurrent=9, gpus_per_trial=1, gpu_ids=(0, 5), trials_per_gpu=3), 6),
        ],
    )
    def test_are_as_many_as_the_gpus_have_room_for(self, resources: Resources, slots: int) -> None:
        assert slots_of(resources) == slots

    def test_a_trial_that_needs_more_than_there_are_is_refused(self) -> None:
        with pytest.raises(FixInput, match="at least the 2 GPUs that one trial needs, but got 1"):
            slots_of(Resources(gpus_per_trial=2, gpu_ids=(3,)))


class TestLiveAttempts:
    def test_an_error_of_the_listener_is_kept_and_raised(
        self, ask: Any, listed_engine: Any
    ) -> None:
        def fail(event: Event, control: Control) -> None:
            raise BrokenPipeError("nobody reads")

        live = LiveAttempts(ask(listed_engine(1), on_event=fail).request)
        with pytest.raises(BrokenPipeError):
            live.prepare_next()
        assert isinstance(live.failure, BrokenPipeError)

    def test_no_more_are_asked_for_than_may_run(self, ask: Any, listed_engine: Any) -> None:
        asked = ask(listed_engine(5), resources=Resources(max_concurrent=2))
        live = LiveAttempts(asked.request)
        assert live.prepare_next() is not None
        assert live.prepare_next() is not None
        assert live.prepare_next() is None
        assert asked.engine.asked == [0, 1]

    def test_an_attempt_that_left_no_outcome_was_killed(
        self, ask: Any, listed_engine: Any
    ) -> None:
        asked = ask(listed_engine(1))
        live = LiveAttempts(asked.request)
        attempt, _ = live.prepare_next() or (None, None)
        assert attempt is not None
        live.recover(attempt, Lost("the worker died"))
        (outcome,) = asked.engine.finished
        assert (outcome.failure, outcome.evidence) == (FailureClass.KILLED, "the worker died")
        assert read_outcome(asked.paths.attempt(0, 1)) == (outcome, "")
        assert live.count == 0

    def test_what_it_measured_before_it_was_killed_counts(
        self, ask: Any, listed_engine: Any
    ) -> None:
        asked = ask(listed_engine(1))
        live = LiveAttempts(asked.request)
        live.prepare_next()
        folder = asked.paths.attempt(0, 1).folder
        lines = [{"message": EVAL_METRICS, "kpi": {"val_3DIoU": "0.5"}}, {"epoch": 0}]
        (folder / STATUS_NAME).write_text("".join(json.dumps(line) + "\n" for line in lines))
        live.recover_all("the worker died")
        (outcome,) = asked.engine.finished
        assert [entry.metrics for entry in outcome.measurements] == [{"val_3DIoU": 0.5}]

    def test_one_that_was_stopped_on_request_was_interrupted(
        self, ask: Any, listed_engine: Any
    ) -> None:
        asked = ask(listed_engine(1))
        live = LiveAttempts(asked.request)
        live.prepare_next()
        asked.request.control.stop_now()
        live.recover_all("Ray ended")
        assert asked.engine.finished[0].state is OutcomeState.INTERRUPTED

    def test_a_broken_outcome_is_noted_and_counts_as_none(
        self, ask: Any, listed_engine: Any
    ) -> None:
        asked = ask(listed_engine(1))
        live = LiveAttempts(asked.request)
        live.prepare_next()
        asked.paths.attempt(0, 1).outcome.write_text("{")
        live.recover_all("the worker died")
        assert asked.engine.finished[0].failure is FailureClass.KILLED
        assert any(isinstance(event, Note) for event in asked.events)


def test_an_end_that_the_disk_has_no_room_for_is_remembered_as_itself(
    ask: Any, listed_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("automl.execution.lost.write_outcome", refuse)
    live = LiveAttempts(ask(listed_engine(1)).request)
    prepared = live.prepare_next()
    assert prepared is not None
    with pytest.raises(OSError, match="No space left"):
        live.recover(prepared[0], Lost("the worker died"))
    assert isinstance(live.failure, OSError)
