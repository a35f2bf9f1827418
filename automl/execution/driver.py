"""What every driver of trials shares: what it is asked, what it tells, and the books it keeps."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from automl.errors import AutomlError, FixInput
from automl.execution.control import Control, Stage
from automl.search.decision import Continue, Stop
from automl.skill.model import Skill
from automl.study.config import Resources
from automl.study.layout import AttemptPaths
from automl.study.outcomes import read_outcome, write_outcome
from automl.study.records import (
    Attempt,
    FailureClass,
    Measurement,
    Outcome,
    OutcomeState,
    TrialRecord,
)
from automl.trainers.attempt_run import AttemptRun, AttemptSettings
from automl.trainers.base import TrialTask
from automl.trainers.leftovers import end_leftover
from automl.trainers.table import make_trainer

__all__ = [
    "Books",
    "DriveEnd",
    "DriveRequest",
    "Event",
    "Measured",
    "Note",
    "SearchEngine",
    "TrainerChoice",
    "TrialEnded",
    "TrialStarted",
    "open_run",
    "places_of",
]


class SearchEngine(Protocol):
    """The part of the engine that a driver needs."""

    def ask(self) -> Attempt | None:
        """The next attempt to start; None while there is none."""
        ...

    def report(self, number: int, measurement: Measurement) -> Continue | Stop:
        """What to do with a trial after a measurement."""
        ...

    def finish(self, outcome: Outcome) -> TrialRecord:
        """Enters how an attempt ended."""
        ...


@dataclass(frozen=True, slots=True)
class TrialStarted:
    """An attempt is about to start."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Measured:
    """A running attempt measured the objective."""

    attempt: Attempt
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class TrialEnded:
    """An attempt ended; the record is the trial as it now stands."""

    record: TrialRecord
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Note:
    """Something a reader of the output should know, in one sentence."""

    text: str


Event: TypeAlias = TrialStarted | Measured | TrialEnded | Note


@dataclass(frozen=True, slots=True)
class TrainerChoice:
    """Which trainer runs the trials; plain values, so that a worker can make it.

    Attributes:
        name: ``process`` or ``scripted``.
        skill: Whose command it runs.
        options: Settings of that trainer alone.
    """

    name: str
    skill: Skill
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DriveRequest:
    """What a driver is asked to drive.

    Attributes:
        engine: Says what to start, when to stop it, and takes how it ended.
        prepare: Makes an attempt's folder and complete spec; called in the driver's process.
        trainer: What trains.
        settings: What is the same for every attempt.
        resources: What the trials run on.
        control: How the search is ended early.
        on_event: Told what happens, in order, from the driver's main thread.
    """

    engine: SearchEngine
    prepare: Callable[[Attempt], TrialTask]
    trainer: TrainerChoice
    settings: AttemptSettings
    resources: Resources
    control: Control
    on_event: Callable[[Event], None]


class DriveEnd(StrEnum):
    """Why a driver returned."""

    FINISHED = "finished"
    STOPPED_AFTER_RUNNING = "stopped after running"
    STOPPED_NOW = "stopped now"


class Books:
    """Which attempts are live, and every exchange with the engine and the listener about them.

    Args:
        request: What is driven.

    Attributes:
        places: Attempts that may be live at the same time.
        failure: The first error of the engine or the listener; after it nothing is exchanged
            any more, because what they hold may be half written.

    Raises:
        FixInput: The study may use fewer GPUs than one trial needs.
    """

    def __init__(self, request: DriveRequest) -> None:
        self.places = places_of(request.resources)
        self.failure: Exception | None = None
        self._request = request
        self._live: dict[int, Attempt] = {}

    @property
    def is_full(self) -> bool:
        """Whether as many attempts are live as may run at the same time."""
        return len(self._live) >= self.places

    @property
    def live(self) -> int:
        """Attempts that were started and have not ended."""
        return len(self._live)

    @property
    def end(self) -> DriveEnd:
        """Why the driver returns, if it returned now."""
        match self._request.control.stage:
            case Stage.NOW:
                return DriveEnd.STOPPED_NOW
            case Stage.AFTER_RUNNING:
                return DriveEnd.STOPPED_AFTER_RUNNING
            case Stage.RUNNING:
                return DriveEnd.FINISHED

    def next(self) -> tuple[Attempt, TrialTask] | None:
        """The next attempt to start, its folder prepared; None while there is none.

        An attempt that cannot be prepared ends here, and the one after it is returned.
        """
        while self._request.control.is_asking and not self.is_full:
            with self._noting_failure():
                attempt = self._request.engine.ask()
                if attempt is None:
                    return None
                self._live[attempt.number] = attempt
                self._request.on_event(TrialStarted(attempt))
            task = self._prepare(attempt)
            if task is not None:
                return attempt, replace(task, driver_pid=os.getpid())
        return None

    def _prepare(self, attempt: Attempt) -> TrialTask | None:
        try:
            return self._request.prepare(attempt)
        except AutomlError as error:
            self._refuse(attempt, FailureClass.SPEC, str(error))
        except OSError as error:
            self._refuse(attempt, FailureClass.DISK, f"the folder cannot be made: {error}")
        return None

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.failure = self.failure or error
            raise

    def measured(self, attempt: Attempt, measurement: Measurement) -> Continue | Stop:
        """Enters a measurement; whether the attempt goes on."""
        with self._noting_failure():
            decision = self._request.engine.report(attempt.number, measurement)
            self._request.on_event(Measured(attempt, measurement))
        return decision

    def ended(self, outcome: Outcome) -> None:
        """Enters how an attempt ended."""
        del self._live[outcome.number]
        with self._noting_failure():
            record = self._request.engine.finish(outcome)
            self._request.on_event(TrialEnded(record, outcome))

    def settle(self, attempt: Attempt, lost_because: str) -> None:
        """Ends an attempt whose runner is gone: by its outcome file, else as killed."""
        paths = self._request.settings.paths.attempt(attempt.number, attempt.attempt)
        end_leftover(paths.pid)
        outcome, note = read_outcome(paths)
        if note:
            self._request.on_event(Note(note))
        self.ended(outcome or self._lost(attempt, paths, lost_because))

    def settle_all(self, lost_because: str) -> None:
        """Ends every live attempt that way."""
        for attempt in list(self._live.values()):
            self.settle(attempt, lost_because)

    def _lost(self, attempt: Attempt, paths: AttemptPaths, because: str) -> Outcome:
        if self._request.control.stage is Stage.NOW:
            state, failure = OutcomeState.INTERRUPTED, None
        else:
            state, failure = OutcomeState.FAILED, FailureClass.KILLED
        outcome = Outcome(
            attempt.number, attempt.attempt, state, attempt.history, failure, because
        )
        write_outcome(paths, outcome)
        return outcome

    def _refuse(self, attempt: Attempt, failure: FailureClass, evidence: str) -> None:
        self.ended(
            Outcome(
                attempt.number,
                attempt.attempt,
                OutcomeState.FAILED,
                attempt.history,
                failure,
                " ".join(evidence.split()),
            )
        )


def places_of(resources: Resources) -> int:
    """Attempts that may run at the same time: as asked, or as many as the GPUs have room for.

    Raises:
        FixInput: The study may use fewer GPUs than one trial needs.
    """
    ids, needed = resources.gpu_ids, resources.gpus_per_trial
    if ids is None or needed == 0:
        return resources.max_concurrent
    if len(ids) < needed:
        raise FixInput(
            f"a trial needs {needed} GPUs",
            got=f"{len(ids)} that the study may use",
            where="--gpus",
            fix="name more GPUs or lower --gpus-per-trial",
        )
    return min(resources.max_concurrent, len(ids) // needed)


def open_run(
    choice: TrainerChoice, settings: AttemptSettings, attempt: Attempt, task: TrialTask
) -> AttemptRun:
    """An attempt ready to begin, its trainer made in this process.

    Raises:
        FixInput: The trainer is unknown or refuses its options.
    """
    trainer = make_trainer(choice.name, choice.skill, choice.options)
    return AttemptRun(attempt, task, trainer, settings)
