"""One attempt, its trainer played: measurements, endings, time limits, checkpoints kept."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.study.config import Keep
from automl.study.layout import AttemptPaths
from automl.study.outcomes import read_outcome, write_outcome
from automl.study.records import Attempt, FailureClass, Measurement, Outcome, OutcomeState
from automl.trainers.attempt_run import AttemptRun
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.end_request import request_leave, request_stop

Leave = Callable[[Path, int, int], Path]


def nothing() -> None:
    """Nothing happens before a look."""


def to_the_end(run: AttemptRun) -> tuple[list[Measurement], Outcome]:
    measurements = []
    while not isinstance(step := run.advance(), Outcome):
        measurements.append(step)
    return measurements, step


def written(paths: AttemptPaths) -> Outcome:
    outcome, note = read_outcome(paths)
    assert not note
    assert outcome is not None
    return outcome


def test_an_attempt_that_was_taken_for_lost_ends_and_touches_nothing(
    start: Any, status: Any, attempt_paths: AttemptPaths, leave_checkpoint: Leave
) -> None:
    lost = Outcome(0, 1, OutcomeState.INTERRUPTED, evidence="its node left the cluster")

    def first() -> None:
        status.epoch(0, {"val_3DIoU": "0.25"}, loss=1.0)
        for epoch in range(3):
            leave_checkpoint(attempt_paths.folder, epoch, 10 * (epoch + 1))

    def driver_gives_up() -> None:
        write_outcome(attempt_paths, lost)

    run = start((first, None), (driver_gives_up, None))
    measurements, outcome = to_the_end(run)
    assert outcome == lost == written(attempt_paths)
    assert len(list(attempt_paths.folder.glob("model_epoch_*"))) == 3
    assert len(measurements) <= 1


class TestEndings:
    def test_a_training_that_measures_and_ends_well(
        self, start: Any, status: Any, attempt_paths: AttemptPaths, time_stands: Any
    ) -> None:
        def first() -> None:
            time_stands.seconds = 5.0
            status.epoch(0, {"val_3DIoU": "0.25"}, loss=2.0)

        def second() -> None:
            time_stands.seconds = 9.0
            status.epoch(1, {"val_3DIoU": "0.5"}, loss=1.0)

        run = start((first, None), (second, None), (nothing, 0), gpus=("0", "1"))
        measurements, outcome = to_the_end(run)
        assert [(entry.epoch, entry.elapsed_s) for entry in measurements] == [(0, 5.0), (1, 9.0)]
        assert measurements[0].metrics == {"val_3DIoU": 0.25, "train_loss": 2.0}
        assert outcome.state is OutcomeState.OK
        assert outcome.exit_code == 0
        assert (outcome.seconds, outcome.gpu_seconds) == (9.0, 18.0)
        assert written(attempt_paths) == outcome
        assert run.advance() == outcome

    def test_a_share_of_a_gpu_is_charged_with_its_part_of_the_time(
        self, start: Any, status: Any, time_stands: Any
    ) -> None:
        def only() -> None:
            time_stands.seconds = 9.0
            status.epoch(0, {"val_3DIoU": "0.25"}, loss=1.0)

        shared = {"trials_per_gpu": 3}
        _, outcome = to_the_end(
            start((only, None), (nothing, None), (nothing, 0), gpus=("0",), changed=shared)
        )
        assert (outcome.seconds, outcome.gpu_seconds) == (9.0, 3.0)

    def test_measurements_written_at_once_are_handed_out_one_by_one(
        self, start: Any, status: Any
    ) -> None:
        def all_of_it() -> None:
            for epoch in range(3):
                status.epoch(epoch, {"val_3DIoU": str(epoch / 4)}, loss=1.0)

        measurements, outcome = to_the_end(
            start((all_of_it, 0), (nothing, 0), (nothing, 0), (nothing, 0))
        )
        assert [entry.epoch for entry in measurements] == [0, 1, 2]
        assert outcome.measurements == tuple(measurements)

    def test_a_crash_has_a_class_an_exit_code_and_evidence(
        self, start: Any, attempt_paths: AttemptPaths
    ) -> None:
        _, outcome = to_the_end(start((nothing, 1), output=("CUDA out of memory",)))
        assert outcome.state is OutcomeState.FAILED
        assert (outcome.failure, outcome.evidence) == (FailureClass.OOM, "CUDA out of memory")
        assert outcome.exit_code == 1
        assert written(attempt_paths) == outcome

    @pytest.mark.parametrize("text", ["nan", "inf"])
    def test_an_objective_that_is_not_finite_ends_the_attempt_at_once(
        self, start: Any, status: Any, text: str
    ) -> None:
        run = start((lambda: status.epoch(2, {"val_3DIoU": text}, loss=1.0), None))
        _, outcome = to_the_end(run)
        assert outcome.failure is FailureClass.DIVERGED
        assert outcome.evidence == f"val_3DIoU is {text} at epoch 2"

    def test_one_lost_training_loss_is_forgiven_two_in_a_row_are_not(
        self, start: Any, status: Any
    ) -> None:
        def play() -> None:
            for epoch, loss in enumerate([float("inf"), 1.0, float("nan"), float("nan")]):
                status.epoch(epoch, {"val_3DIoU": "0.5"}, loss=loss)

        looks = [(play, None), *[(nothing, None)] * 3]
        measurements, outcome = to_the_end(start(*looks))
        assert [entry.epoch for entry in measurements] == [0, 1, 2]
        assert outcome.failure is FailureClass.DIVERGED
        assert outcome.evidence == "the training loss is nan at epoch 3"

    def test_a_metric_that_never_appears_is_a_failure_that_names_the_others(
        self, start: Any, status: Any
    ) -> None:
        run = start((lambda: status.epoch(0, {"val_iou": "0.5"}, loss=1.0), 0))
        measurements, outcome = to_the_end(run)
        assert not measurements
        assert outcome.failure is FailureClass.NO_METRIC
        assert "train_loss, val_iou" in outcome.evidence

    def test_one_that_takes_longer_than_the_limit_hangs(
        self, start: Any, time_stands: Any
    ) -> None:
        def wait_long() -> None:
            time_stands.seconds = 61.0

        run = start(
            (nothing, None), (wait_long, None), changed={"timeout_s": 60.0}, output=("hm",)
        )
        _, outcome = to_the_end(run)
        assert outcome.failure is FailureClass.HANG
        assert "limit of 60 s" in outcome.evidence
        assert outcome.evidence.endswith("last output: hm")

    def test_a_trainer_that_cannot_be_started_is_an_outcome(
        self, attempt: Attempt, task: Any, settings: AttemptSettings, played_trainer: Any
    ) -> None:
        run = AttemptRun(attempt, task, played_trainer(None), settings)
        run.begin()
        outcome = run.advance()
        assert isinstance(outcome, Outcome)
        assert outcome.failure is FailureClass.UNKNOWN
        assert "not allowed" in outcome.evidence

    def test_a_finished_attempt_starts_no_trainer_and_keeps_its_outcome(
        self,
        start: Any,
        status: Any,
        attempt: Attempt,
        attempt_paths: AttemptPaths,
        task: Any,
        settings: AttemptSettings,
        played_trainer: Any,
    ) -> None:
        run = start((lambda: status.epoch(0, {"val_3DIoU": "0.25"}, loss=1.0), None), (nothing, 0))
        _, outcome = to_the_end(run)
        again = AttemptRun(attempt, task, played_trainer(None), settings)
        again.begin()
        assert again.advance() == outcome
        assert again.stop(OutcomeState.INTERRUPTED, "stopped") == outcome
        assert written(attempt_paths) == outcome

    def test_it_must_begin_first(
        self, attempt: Attempt, task: Any, settings: AttemptSettings, played_trainer: Any
    ) -> None:
        with pytest.raises(RuntimeError, match="must begin"):
            AttemptRun(attempt, task, played_trainer(None), settings).advance()


class TestStopping:
    def test_the_attempts_own_file_prunes_it_with_the_reason(
        self, start: Any, status: Any, attempt_paths: AttemptPaths
    ) -> None:
        run = start(
            (lambda: status.epoch(0, {"val_3DIoU": "0.1"}, loss=1.0), None), (nothing, None)
        )
        assert isinstance(run.advance(), Measurement)
        request_stop(attempt_paths, "behind the others")
        outcome = run.advance()
        assert isinstance(outcome, Outcome)
        assert (outcome.state, outcome.evidence) == (OutcomeState.PRUNED, "behind the others")
        assert outcome.failure is None

    def test_the_studys_file_interrupts_it_and_the_last_words_count(
        self, start: Any, status: Any, settings: AttemptSettings
    ) -> None:
        def stop_while_it_measures() -> None:
            settings.paths.stop.touch()
            status.epoch(0, {"val_3DIoU": "0.25"})

        measurements, outcome = to_the_end(start((stop_while_it_measures, None)))
        assert not measurements
        assert outcome.state is OutcomeState.INTERRUPTED
        assert [entry.epoch for entry in outcome.measurements] == [0]

    def test_a_kill_that_the_studys_file_follows_is_an_interruption(
        self, start: Any, settings: AttemptSettings, time_stands: Any
    ) -> None:
        time_stands.while_asleep = settings.paths.stop.touch
        _, outcome = to_the_end(start((nothing, 143)))
        assert (outcome.state, outcome.exit_code) == (OutcomeState.INTERRUPTED, 143)

    def test_a_kill_that_nothing_follows_is_a_failure(self, start: Any) -> None:
        _, outcome = to_the_end(start((nothing, 143)))
        assert outcome.failure is FailureClass.KILLED

    @pytest.mark.parametrize("code", [143, 1])
    def test_the_end_that_a_dead_drivers_guard_makes_is_an_interruption(
        self, start: Any, status: Any, attempt_paths: AttemptPaths, code: int
    ) -> None:
        with subprocess.Popen(["sleep", "600"]) as driver:

            def die() -> None:
                status.epoch(0, {"val_3DIoU": "0.1"}, loss=1.0)
                driver.kill()
                driver.wait()

            run = start((die, code), (nothing, code), driver=driver.pid)
            _, outcome = to_the_end(run)
        assert (outcome.state, outcome.exit_code) == (OutcomeState.INTERRUPTED, code)
        assert [entry.epoch for entry in outcome.measurements] == [0]
        assert written(attempt_paths) == outcome

    def test_a_failure_under_a_living_driver_is_one(self, start: Any) -> None:
        _, outcome = to_the_end(start((nothing, 143), driver=os.getpid()))
        assert outcome.failure is FailureClass.KILLED

    def test_a_training_that_ended_well_counts_without_its_driver(
        self, start: Any, status: Any
    ) -> None:
        with subprocess.Popen(["sleep", "600"]) as driver:
            run = start(
                (lambda: status.epoch(0, {"val_3DIoU": "0.1"}, loss=1.0), 0),
                (nothing, 0),
                driver=driver.pid,
            )
            driver.kill()
            driver.wait()
            _, outcome = to_the_end(run)
        assert outcome.state is OutcomeState.OK

    def test_stop_ends_it_once(self, start: Any) -> None:
        run = start()
        first = run.stop(OutcomeState.INTERRUPTED, "the worker ends")
        assert run.stop(OutcomeState.PRUNED, "too late") is first
        assert run.advance() is first

    def test_one_that_is_to_leave_its_node_goes_on_elsewhere(
        self, start: Any, attempt_paths: AttemptPaths
    ) -> None:
        run = start((nothing, None), (nothing, None))
        request_leave(attempt_paths, "its node was to leave the cluster: a")
        outcome = run.advance()
        assert isinstance(outcome, Outcome)
        assert outcome.state is OutcomeState.INTERRUPTED
        assert outcome.evidence == "its node was to leave the cluster: a"

    def test_a_trainer_that_ended_well_is_not_pruned_afterwards(
        self, start: Any, status: Any, attempt_paths: AttemptPaths
    ) -> None:
        run = start((lambda: status.epoch(0, {"val_3DIoU": "0.1"}, loss=1.0), 0), (nothing, 0))
        run.advance()
        request_stop(attempt_paths, "behind the others")
        outcome = run.advance()
        assert isinstance(outcome, Outcome)
        assert outcome.state is OutcomeState.OK


class TestContinuedAttempts:
    def test_inherited_measurements_are_part_of_the_outcome(
        self, start: Any, status: Any, attempt: Attempt, time_stands: Any
    ) -> None:
        history = (
            Measurement(0, {"val_3DIoU": 0.2}, 10.0),
            Measurement(1, {"val_3DIoU": 0.3}, 20.0),
        )

        def go_on() -> None:
            time_stands.seconds = 5.0
            status.epoch(1, {"val_3DIoU": "0.4"}, loss=1.0)

        continued = replace(attempt, history=history)
        _, outcome = to_the_end(start((go_on, None), (nothing, 0), of=continued))
        assert [
            (entry.epoch, entry.metrics["val_3DIoU"], entry.elapsed_s)
            for entry in outcome.measurements
        ] == [(0, 0.2, 10.0), (1, 0.4, 25.0)]

    def test_one_that_has_nothing_left_to_train_is_complete(
        self, start: Any, attempt: Attempt
    ) -> None:
        history = (Measurement(2, {"val_3DIoU": 0.2}, 10.0),)
        _, outcome = to_the_end(start((nothing, 0), of=replace(attempt, history=history)))
        assert outcome.state is OutcomeState.OK
        assert outcome.measurements == history


class TestCheckpoints:
    values: tuple[str, ...] = ("0.1", "0.5", "0.3", "0.2")

    @pytest.fixture
    def looks(
        self, status: Any, attempt_paths: AttemptPaths, leave_checkpoint: Leave
    ) -> list[tuple[Callable[[], object], int | None]]:
        def play(epoch: int) -> Callable[[], object]:
            def act() -> None:
                status.epoch(epoch, {"val_3DIoU": self.values[epoch]}, loss=1.0)
                leave_checkpoint(attempt_paths.folder, epoch, (epoch + 1) * 10)

            return act

        return [(play(epoch), None) for epoch in range(4)]

    def left(self, paths: AttemptPaths) -> list[str]:
        return sorted(path.name[12:15] for path in paths.folder.glob("model_epoch_*"))

    def test_only_the_best_epochs_outlives_a_finished_trial(
        self, start: Any, looks: Any, attempt_paths: AttemptPaths
    ) -> None:
        _, outcome = to_the_end(start(*looks, (nothing, 0)))
        assert self.left(attempt_paths) == ["001"]
        assert outcome.checkpoint == "trials/0000/1/model_epoch_001_step_00020.pth"
        content = (attempt_paths.folder / "model_epoch_001_step_00020.pth").read_bytes()
        assert outcome.checkpoint_sha256 == hashlib.sha256(content).hexdigest()

    def test_the_best_and_the_newest_stay_while_it_runs(
        self, start: Any, looks: Any, attempt_paths: AttemptPaths
    ) -> None:
        run = start(*looks)
        for _ in range(4):
            run.advance()
        assert self.left(attempt_paths) == ["001", "003"]

    def test_all_stay_on_request(
        self, start: Any, looks: Any, attempt_paths: AttemptPaths
    ) -> None:
        to_the_end(start(*looks, (nothing, 0), changed={"keep": Keep.ALL}))
        assert self.left(attempt_paths) == ["000", "001", "002", "003"]

    def test_the_last_stays_beside_the_best_on_request(
        self, start: Any, looks: Any, attempt_paths: AttemptPaths
    ) -> None:
        _, outcome = to_the_end(start(*looks, (nothing, 0), changed={"keep": Keep.LAST}))
        assert self.left(attempt_paths) == ["001", "003"]
        assert outcome.checkpoint == "trials/0000/1/model_epoch_001_step_00020.pth"

    def test_of_a_metric_that_never_moved_the_last_stays_too(
        self, start: Any, looks: Any, attempt_paths: AttemptPaths
    ) -> None:
        self.values = ("0.0",) * 4
        _, outcome = to_the_end(start(*looks, (nothing, 0)))
        assert self.left(attempt_paths) == ["000", "003"]
        assert outcome.checkpoint == "trials/0000/1/model_epoch_000_step_00010.pth"

    def test_an_interrupted_one_keeps_what_it_can_be_continued_from(
        self, start: Any, looks: Any, attempt_paths: AttemptPaths
    ) -> None:
        run = start(*looks)
        for _ in range(4):
            run.advance()
        outcome = run.stop(OutcomeState.INTERRUPTED, "stopped")
        assert self.left(attempt_paths) == ["001", "003"]
        assert outcome.checkpoint == "trials/0000/1/model_epoch_003_step_00040.pth"

    def test_the_best_epochs_may_lie_in_an_earlier_attempt(
        self,
        task: Any,
        settings: AttemptSettings,
        leave_checkpoint: Leave,
        played: Any,
        played_trainer: Any,
    ) -> None:
        first, second = settings.paths.attempt(0, 1), settings.paths.attempt(0, 2)
        leave_checkpoint(first.folder, 0, 10)
        leave_checkpoint(first.folder, 1, 20)
        second.folder.mkdir()
        leave_checkpoint(second.folder, 2, 30)
        line = {"message": "Eval metrics generated.", "kpi": {"val_3DIoU": "0.1"}}
        lines = [line, {"epoch": 2}]
        text = "".join(json.dumps(entry) + "\n" for entry in lines)
        (second.folder / "status.json").write_text(text)
        history = (
            Measurement(0, {"val_3DIoU": 0.9}, 1.0),
            Measurement(1, {"val_3DIoU": 0.2}, 2.0),
        )
        attempt = Attempt(0, 2, {}, "trials/0000/1/model_epoch_001_step_00020.pth", history)
        handle = played([(nothing, 0), (nothing, 0)])
        moved = replace(task, attempt=2, folder=second.folder)
        run = AttemptRun(attempt, moved, played_trainer(handle), settings)
        run.begin()
        _, outcome = to_the_end(run)
        assert outcome.checkpoint == "trials/0000/1/model_epoch_000_step_00010.pth"
        assert self.left(first) == ["000"]
        assert self.left(second) == []


class TestNothingIsWasted:
    def test_the_first_validation_without_the_metric_ends_the_training(
        self, start: Any, status: Any
    ) -> None:
        def validates() -> None:
            status.epoch(0, {"val_3DIoU_": "0.25", "val_2DMPE": "0.5"}, loss=1.0)

        run = start((validates, None))
        measurements, outcome = to_the_end(run)
        assert measurements == []
        assert outcome.failure is FailureClass.NO_METRIC
        assert "'val_3DIoU' never appeared" in outcome.evidence
        assert "metrics seen: train_loss, val_2DMPE, val_3DIoU_" in outcome.evidence
        assert "did you mean val_3DIoU_?" in outcome.evidence

    def test_one_that_has_measured_may_leave_it_out_later(self, start: Any, status: Any) -> None:
        def first() -> None:
            status.epoch(0, {"val_3DIoU": "0.25"}, loss=1.0)

        def second() -> None:
            status.epoch(1, {"other": "0.5"}, loss=1.0)

        _, outcome = to_the_end(start((first, None), (second, None), (nothing, 0)))
        assert outcome.state is OutcomeState.OK
        assert [entry.epoch for entry in outcome.measurements] == [0]

    def test_what_is_to_stop_before_it_begins_is_not_started(
        self, start: Any, settings: AttemptSettings, attempt_paths: AttemptPaths
    ) -> None:
        settings.paths.stop.touch()
        run = start()
        outcome = run.advance()
        assert outcome.state is OutcomeState.INTERRUPTED
        assert outcome.evidence == "stopped on request before it began"
        assert outcome.exit_code is None
        assert written(attempt_paths) == outcome
