"""One attempt from its start to its ``outcome.json``.

The driver calls ``begin`` once and ``advance`` until an outcome comes. In between it hands out
each measurement as soon as that is written. Three files end an attempt from outside: the study's
stop file (interrupted, to be resumed), the attempt's own (pruned), and one that asks it to pause
once an epoch's checkpoint is whole.
"""

from collections import deque
from collections.abc import Collection, Sequence
from datetime import timedelta

from automl.errors import AutomlError
from automl.files import sha256_of
from automl.study.layout import AttemptPaths
from automl.study.outcomes import read_outcome, write_outcome
from automl.study.ranking import best_epoch, values_in
from automl.study.records import Attempt, FailureClass, Measurement, Outcome, OutcomeState
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.base import CannotStart, Handle, Reattached, Trainer, TrialTask, release
from automl.trainers.driver_watch import DriverWatch
from automl.trainers.end_request import (
    PauseRequest,
    checkpoint_after,
    pause_in,
    reason_in,
    unjudged_rung,
)
from automl.trainers.ended import Ended, or_paused
from automl.trainers.failures import (
    LOG_LINES,
    MemoryKills,
    TrainerExit,
    classify,
    hang_evidence,
    refusal,
)
from automl.trainers.fault_watch import FaultWatch
from automl.trainers.gpu_note import note_gpus
from automl.trainers.gpu_room import await_free
from automl.trainers.metrics.reading import EpochReading
from automl.trainers.metrics.table import make_reader
from automl.trainers.retention import AttemptEnd, retain_at_end, retain_while_running
from automl.trainers.timing import Timing

__all__ = ["AttemptRun"]

POLL_S = 0.2
#: Seconds a trainer gets to leave a checkpoint when it is stopped on request; to end on a fault.
STOP_GRACE_S = 10.0
FAULT_GRACE_S = 3.0


class AttemptRun:
    """One attempt.

    Args:
        attempt: Which one, and the measurements it inherits.
        task: What the trainer is to train.
        trainer: What trains it.
        settings: The study's settings.
        timing: Time.
    """

    def __init__(
        self,
        attempt: Attempt,
        task: TrialTask,
        trainer: Trainer,
        settings: AttemptSettings,
        timing: Timing | None = None,
    ) -> None:
        self.outcome: Outcome | None = None
        self._attempt = attempt
        self._task = task
        self._trainer = trainer
        self._settings = settings
        self._timing = timing or Timing()
        self._paths = AttemptPaths(task.folder)
        self._reader = make_reader(settings.metrics, self._paths, settings.objective.metric)
        self._waiting: deque[EpochReading] = deque()
        self._measured = {entry.epoch: entry for entry in attempt.history}
        self._own_epochs: set[int] = set()
        self._watch = FaultWatch(settings.objective.metric, has_measured=bool(attempt.history))
        self._handle: Handle | None = None
        self._gpus, self._still_held = 0, ""
        self._memory_kills = MemoryKills()
        self._driver = DriverWatch(task.driver_pid, settings.paths.stop, self._timing)
        self._pause: PauseRequest | None = None
        self._began = (self._timing.monotonic(), self._timing.now())

    def begin(self, gpus: Sequence[str] = ()) -> None:
        """Starts the trainer; a trainer that cannot be started is an outcome, not an error.

        An attempt whose folder holds an outcome has ended: nothing is started for it again. Nor is
        anything once the study is to stop.
        """
        self.outcome, _ = read_outcome(self._paths)
        if self.outcome is None and self._settings.paths.stop.exists():
            self._end(Ended(OutcomeState.INTERRUPTED, "stopped on request before it began"))
        if self.outcome is not None:
            return
        self._gpus, self._memory_kills = len(gpus), MemoryKills()
        note_gpus(self._paths, gpus)
        self._still_held = await_free(gpus, self._timing)
        self._began = (self._timing.monotonic(), self._timing.now())
        try:
            self._handle = self._trainer.start(self._task, gpus)
        except AutomlError as error:
            self._fail(*refusal(error))
        except CannotStart as error:
            self._fail(error.failure, str(error))
        except OSError as error:
            self._fail(FailureClass.UNKNOWN, f"the trainer could not be started: {error}")
        handle: object = self._handle
        if isinstance(handle, Reattached):
            # A training that was found again began before this run did.
            began, at = self._began
            age_s = handle.age_s
            self._began = (began - age_s, at - timedelta(seconds=age_s))

    def advance(self) -> Measurement | Outcome:
        """Waits for the next measurement, or for the end; the outcome again once it has ended."""
        while self.outcome is None:
            if self._handle is None:
                raise RuntimeError("an attempt must begin before it can advance")
            code = self._handle.wait(POLL_S)
            self._waiting.extend(self._reader.read(final=code is not None))
            self._pause = self._pause or pause_in(self._paths.pause)
            # A request to end comes first, or a trainer of short epochs would never heed it.
            verdict = self._requested() if code is None else None
            # What follows the epoch at which it pauses is no part of the trial.
            is_done = verdict is not None or self._pause is not None
            measurement = None if is_done else self._next_measurement()
            if measurement is not None:
                folder, best = self._task.folder, self._best_epoch()
                retain_while_running(folder, best, measurement.epoch, self._settings.keep)
                return measurement
            if verdict is None and code is not None and self.outcome is None:
                verdict = self._verdict_of_exit(code)
            if verdict is not None:
                self._end(verdict)
        return self.outcome

    def stop(self, state: OutcomeState, evidence: str) -> Outcome:
        """Stops the trainer and ends the attempt; does nothing to one that has ended.

        Args:
            state: PRUNED or INTERRUPTED.
            evidence: Why, as one line.
        """
        if self.outcome is None:
            self._end(Ended(state, evidence))
        assert self.outcome is not None  # noqa: S101 -- an ended attempt has one
        return self.outcome

    def _next_measurement(self) -> Measurement | None:
        while self._waiting:
            reading = self._waiting.popleft()
            fault = self._watch.fault(reading)
            if fault is not None:
                self._waiting.clear()
                self._fail(*fault)
            elif self._is_new(reading):
                return self._measure(reading)
        return None

    def _is_new(self, reading: EpochReading) -> bool:
        """Whether it measures an epoch that was not handed out: the first value was acted on."""
        is_known = reading.epoch in self._own_epochs
        return not is_known and reading.measures(self._settings.objective.metric)

    def _measure(self, reading: EpochReading) -> Measurement:
        measurement = Measurement(reading.epoch, reading.finite, self._elapsed())
        self._measured[reading.epoch] = measurement
        self._own_epochs.add(reading.epoch)
        return measurement

    def _fail(self, failure: FailureClass, evidence: str) -> None:
        self._end(Ended(OutcomeState.FAILED, " ".join(evidence.split()), failure))

    def _elapsed(self) -> float:
        before = max((entry.elapsed_s for entry in self._attempt.history), default=0.0)
        return before + self._timing.monotonic() - self._began[0]

    def _requested(self) -> Ended | None:
        """Why a trainer that runs must end; None while it may go on."""
        if read_outcome(self._paths)[0] is not None:
            return Ended(OutcomeState.INTERRUPTED, "the driver has taken it for lost")
        if self._settings.paths.stop.exists():
            return Ended(OutcomeState.INTERRUPTED, "stopped on request")
        leave, stop = self._paths.leave, self._paths.stop
        for path, state in ((leave, OutcomeState.INTERRUPTED), (stop, OutcomeState.PRUNED)):
            if path.exists():
                return Ended(state, reason_in(path))
        if self._pause is not None:
            place = checkpoint_after(self._task.folder, self._pause.epoch)
            if place is not None:
                return Ended(OutcomeState.PAUSED, self._pause.reason, paused_at=place)
        limit = self._settings.timeout_s
        if limit is not None and self._timing.monotonic() - self._began[0] > limit:
            last = self._handle.tail(1) if self._handle else []
            return Ended(OutcomeState.FAILED, hang_evidence(limit, last), FailureClass.HANG)
        return None

    def _verdict_of_exit(self, code: int) -> Ended:
        said = self._reader.said()
        cause = classify(TrainerExit(
            exit_code=code,
            log_tail=self._handle.tail(LOG_LINES) if self._handle else (),
            failure_messages=said.failures,
            metric=self._settings.objective.metric,
            metrics_seen=said.metrics,
            measured=bool(self._measured),
            memory_kills=self._memory_kills.so_far(),
            last_status=said.last,
        ))  # fmt: skip
        if cause is None:
            return Ended(OutcomeState.OK, exit_code=code)
        failure, evidence = cause
        is_killed = failure is FailureClass.KILLED
        if self._driver.is_gone() or (is_killed and self._driver.stop_follows()):
            return Ended(OutcomeState.INTERRUPTED, evidence, exit_code=code)
        return Ended(OutcomeState.FAILED, evidence, failure, code)

    def _place(self, verdict: Ended, told: Collection[int]) -> PauseRequest | None:
        """Where the attempt was to pause, or reached a rung that nobody has judged."""
        asked = self._pause or pause_in(self._paths.pause)
        if asked is None and verdict.state is OutcomeState.INTERRUPTED:
            asked = unjudged_rung(self._measured, told, self._settings.rungs)
        return asked

    def _end(self, verdict: Ended) -> None:
        told = set(self._measured)
        self.outcome, _ = read_outcome(self._paths)
        if self.outcome is not None:
            # The trial goes on elsewhere, from what lies here: nothing of it may be touched.
            if self._handle is not None:
                self._handle.stop(FAULT_GRACE_S)
            return
        if self._handle is not None:
            is_fault = verdict.state is OutcomeState.FAILED
            self._handle.stop(FAULT_GRACE_S if is_fault else STOP_GRACE_S)
            if is_fault and verdict.failure is not FailureClass.SPEC:
                # Whatever broke a training may have spoiled the process it ran in.
                release(self._trainer)
            if verdict.failure is not FailureClass.DIVERGED:
                self._take_last_measurements()
            verdict = or_paused(verdict, self._task.folder, self._place(verdict, told))
        if verdict.paused_at is not None:
            last = verdict.paused_at.epoch
            self._measured = {e: m for e, m in self._measured.items() if e <= last}
        self._write(verdict)

    def _write(self, verdict: Ended) -> None:
        settings = self._settings
        ended = AttemptEnd(verdict.state, self._best_epoch(), settings.keep, verdict.paused_at)
        left = retain_at_end(settings.paths, self._attempt, self._values(), ended)
        seconds = self._timing.monotonic() - self._began[0]
        outcome = Outcome(
            number=self._attempt.number,
            attempt=self._attempt.attempt,
            state=verdict.state,
            measurements=tuple(self._measured[epoch] for epoch in sorted(self._measured)),
            failure=verdict.failure,
            evidence=verdict.evidence,
            exit_code=verdict.exit_code,
            checkpoint=settings.paths.relative(left.path) if left else None,
            checkpoint_sha256=sha256_of(left.path) if left else None,
            seconds=seconds,
            gpu_seconds=seconds * self._gpus / settings.trials_per_gpu,
            started_at=self._began[1].isoformat(),
            ended_at=self._timing.now().isoformat(),
            note="; ".join(filter(None, (self._reader.said().note, self._still_held))),
            node=self._task.node,
        )
        self.outcome = write_outcome(self._paths, outcome)

    def _take_last_measurements(self) -> None:
        """What the trainer wrote that was not handed out before its end; no command is asked."""
        is_final = self._settings.metrics.has_epochs
        for reading in [*self._waiting, *self._reader.read(final=is_final)]:
            if self._is_new(reading):
                self._measure(reading)

    def _best_epoch(self) -> int | None:
        return best_epoch(self._values(), self._settings.objective)

    def _values(self) -> dict[int, float]:
        return values_in(self._measured.values(), self._settings.objective.metric)
