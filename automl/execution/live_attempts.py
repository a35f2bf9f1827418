"""The attempts that a driver has started and not ended, and what it exchanges about them."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from automl.errors import AutomlError
from automl.execution.control import Stage
from automl.execution.driver import (
    DriveEnd,
    DriveRequest,
    Event,
    Measured,
    Note,
    TrialEnded,
    TrialStarted,
    slots_of,
)
from automl.execution.lost import Lost, outcome_of_lost
from automl.search.decision import Decision, Pause, Stop
from automl.study.layout import AttemptPaths
from automl.study.outcomes import read_outcome
from automl.study.records import Attempt, FailureClass, Measurement, Outcome, OutcomeState
from automl.trainers.base import Outliving, TrialTask
from automl.trainers.end_request import (
    PauseRequest,
    request_pause,
    request_stop,
)
from automl.trainers.failures import refusal
from automl.trainers.leftovers import end_leftover
from automl.trainers.table import make_trainer

__all__ = ["LiveAttempts"]

_POLL_S = 0.1


class LiveAttempts:
    """The live attempts, and every exchange with the engine and the listener about them.

    Args:
        request: What is driven.

    Attributes:
        slots: Attempts that may be live at the same time.
        failure: The first error of the engine or the listener; after it nothing is exchanged
            any more, because what they hold may be half written.

    Raises:
        FixInput: The study may use fewer GPUs than one trial needs.
    """

    def __init__(self, request: DriveRequest) -> None:
        self.slots = slots_of(request.resources)
        self.failure: Exception | None = None
        self._request = request
        self._live: dict[int, Attempt] = {}
        self._told: dict[int, set[int]] = {}
        self._exchange = threading.RLock()
        self._owner: int | None = None

    @property
    def is_full(self) -> bool:
        """Whether as many attempts are live as may run at the same time."""
        return len(self._live) >= self.slots

    @property
    def count(self) -> int:
        """How many attempts were started and have not ended."""
        return len(self._live)

    @property
    def drive_end(self) -> DriveEnd:
        """Why the driver returns, if it returned now."""
        match self._request.control.stage:
            case Stage.NOW:
                return DriveEnd.STOPPED_NOW
            case Stage.AFTER_RUNNING:
                return DriveEnd.STOPPED_AFTER_RUNNING
            case Stage.RUNNING:
                return DriveEnd.FINISHED

    def take_over(self) -> None:
        """From now on the calling thread alone may exchange anything; another one gets an error.

        Returns when no exchange of another thread is under way.
        """
        with self._exchange:
            self._owner = threading.get_ident()

    def await_outcomes(self, within_s: float) -> None:
        """Waits until every live attempt has left its outcome, as far as it does in time."""
        places = [
            self._request.settings.paths.attempt(each.number, each.attempt)
            for each in self._live.values()
        ]
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and not all(each.outcome.exists() for each in places):
            time.sleep(_POLL_S)

    def prepare_next(self) -> tuple[Attempt, TrialTask] | None:
        """The next attempt to start, its folder prepared; None while there is none.

        An attempt that cannot be prepared ends here, and the one after it is returned.
        """
        while self._request.control.is_asking and not self.is_full:
            with self.noting_failure():
                attempt = self._request.engine.ask()
                if attempt is None:
                    return None
                self._live[attempt.number] = attempt
                self._told[attempt.number] = {entry.epoch for entry in attempt.history}
                self._request.on_event(TrialStarted(attempt))
            task = self._prepare(attempt)
            if task is not None:
                return attempt, replace(task, driver_pid=os.getpid())
        return None

    def _prepare(self, attempt: Attempt) -> TrialTask | None:
        try:
            return self._request.prepare(attempt)
        except AutomlError as error:
            self._refuse(attempt, *refusal(error))
        except OSError as error:
            self._refuse(attempt, FailureClass.DISK, f"the folder cannot be made: {error}")
        return None

    @contextmanager
    def noting_failure(self) -> Iterator[None]:
        """Inside the block one thread exchanges something; what is raised there is remembered.

        Raises:
            RuntimeError: Another thread has taken over.
        """
        with self._exchange:
            if self._owner not in (None, threading.get_ident()):
                raise RuntimeError("the driver has left this thread behind")
            try:
                yield
            except Exception as error:
                self.failure = self.failure or error
                raise

    @contextmanager
    def remembering_failure(self) -> Iterator[None]:
        """What is raised in the block ends the driver, its attempts left as they are.

        Unlike an exchange it may take long, so that no other thread waits for it.
        """
        try:
            yield
        except Exception as error:
            with self._exchange:
                self.failure = self.failure or error
            raise

    def say(self, event: Event) -> None:
        """Tells the listener of something that concerns no attempt."""
        with self.noting_failure():
            self._request.on_event(event)

    def report(self, attempt: Attempt, measurement: Measurement) -> Decision:
        """Records a measurement; an attempt that is to end by it is asked to."""
        with self.noting_failure():
            decision = self._request.engine.report(attempt.number, measurement)
            self._told[attempt.number].add(measurement.epoch)
            paths = self._request.settings.paths.attempt(attempt.number, attempt.attempt)
            if isinstance(decision, Pause):
                request_pause(paths, PauseRequest(measurement.epoch, decision.reason))
            if isinstance(decision, Stop):
                request_stop(paths, decision.reason)
            self._request.on_event(Measured(attempt, measurement))
        return decision

    def finish(self, outcome: Outcome) -> None:
        """Records how an attempt ended."""
        with self.noting_failure():
            del self._live[outcome.number]
            record = self._request.engine.finish(outcome)
            if outcome.note:
                self._request.on_event(Note(f"trial {outcome.number}: {outcome.note}"))
            self._request.on_event(TrialEnded(record, outcome))

    def recover(
        self,
        attempt: Attempt,
        lost: Lost,
        judged: Callable[[Outcome], Outcome] = lambda outcome: outcome,
    ) -> Outcome:
        """Ends an attempt whose runner is gone: by its outcome file, else as killed.

        Args:
            attempt: Which one.
            lost: How it counts where it has left no outcome.
            judged: What an outcome counts as.

        Returns:
            The outcome, before it was judged.
        """
        paths = self._request.settings.paths.attempt(attempt.number, attempt.attempt)
        end_leftover(paths.pid)
        with self.noting_failure():
            outcome, note = read_outcome(paths)
            if note:
                self._request.on_event(Note(note))
            if outcome is None or (outcome.number, outcome.attempt) != _ids(attempt):
                outcome = None
                if not lost.node:  # a node ends what it runs by itself
                    self._end_outliving(paths)
            outcome = outcome or self._lost(attempt, lost)
            self.finish(judged(outcome))
        return outcome

    def _end_outliving(self, paths: AttemptPaths) -> None:
        """Ends a training that its runner's death has not ended."""
        choice = self._request.trainer
        trainer = make_trainer(choice.name, choice.skill, choice.options)
        if not isinstance(trainer, Outliving):
            return
        try:
            trainer.end(paths.folder)
        except OSError as error:
            self._request.on_event(Note(f"{paths.folder} may still be trained in: {error}"))

    def recover_all(self, lost_because: str) -> None:
        """Ends every live attempt that way."""
        for attempt in list(self._live.values()):
            self.recover(attempt, Lost(lost_because))

    def _lost(self, attempt: Attempt, lost: Lost) -> Outcome:
        if self._request.control.stage is Stage.NOW:
            lost = replace(lost, goes_on=True)
        return outcome_of_lost(attempt, lost, self._request.settings, self._told[attempt.number])

    def _refuse(self, attempt: Attempt, failure: FailureClass, evidence: str) -> None:
        self.finish(
            Outcome(
                attempt.number,
                attempt.attempt,
                OutcomeState.FAILED,
                attempt.history,
                failure,
                " ".join(evidence.split()),
            )
        )


def _ids(attempt: Attempt) -> tuple[int, int]:
    return attempt.number, attempt.attempt
