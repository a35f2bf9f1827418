"""What a driver of trials is given, the events that it sends, and why it returned."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from automl.errors import FixInput
from automl.execution.control import Control
from automl.search.decision import Decision
from automl.skill.model import Skill
from automl.study.config import Resources
from automl.study.nodes import NodeRecord
from automl.study.records import Attempt, Measurement, Outcome, TrialRecord
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.base import Trainer, TrialTask
from automl.trainers.table import make_trainer

__all__ = [
    "ClusterChoice",
    "DriveEnd",
    "DriveRequest",
    "Event",
    "Measured",
    "Note",
    "SearchEngine",
    "TrainerChoice",
    "TrialEnded",
    "TrialStarted",
    "open_trainer",
    "slots_of",
]


class SearchEngine(Protocol):
    """The part of the engine that a driver needs."""

    def ask(self) -> Attempt | None:
        """The next attempt to start; None while there is none."""
        ...

    def report(self, number: int, measurement: Measurement) -> Decision:
        """What to do with a trial after a measurement."""
        ...

    def finish(self, outcome: Outcome) -> TrialRecord:
        """Records how an attempt ended."""
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
class ClusterChoice:
    """A Ray cluster that the trials run on.

    Attributes:
        address: ``auto`` for the one that this machine belongs to, else ``HOST:PORT``.
        on_nodes: Called with the nodes as they stand, when something of them has changed.
        on_gpus: Called with the number of GPUs that the next attempt gets, before it is prepared,
            where that is not as many as were asked for.
        data: Folders and files that every node must see, or is given.
        store: Address of the study's store, for nodes that do not share its folder; empty where
            all of them must.
        follows: Whether as many trials run as the cluster has room for, however many were
            reckoned with beforehand; else ``max_concurrent`` is asked for, and waited for.
    """

    address: str
    on_nodes: Callable[[tuple[NodeRecord, ...]], None]
    on_gpus: Callable[[int | None], None] = field(default=lambda _: None)
    data: tuple[str, ...] = ()
    store: str = ""
    follows: bool = True


@dataclass(frozen=True, slots=True)
class DriveRequest:
    """What a driver drives.

    Attributes:
        engine: Says what to start, when to stop it, and takes how it ended.
        prepare: Makes an attempt's folder and complete spec; called in the driver's process.
        trainer: What trains.
        settings: What is the same for every attempt.
        resources: What the trials run on.
        control: How the search is ended early.
        on_event: Called with each event, in order, from one thread of the driver's at a time.
        cluster: Where they run; None for this machine.
    """

    engine: SearchEngine
    prepare: Callable[[Attempt], TrialTask]
    trainer: TrainerChoice
    settings: AttemptSettings
    resources: Resources
    control: Control
    on_event: Callable[[Event], None]
    cluster: ClusterChoice | None = None


class DriveEnd(StrEnum):
    """Why a driver returned."""

    FINISHED = "finished"
    STOPPED_AFTER_RUNNING = "stopped after running"
    STOPPED_NOW = "stopped now"


def slots_of(resources: Resources) -> int:
    """Attempts that may run at the same time: as asked, or as many as the GPUs have room for.

    Raises:
        FixInput: The study may use fewer GPUs than one trial needs.
    """
    ids, needed = resources.gpu_ids, resources.gpus_per_trial
    if ids is None or needed == 0:
        return resources.max_concurrent
    if len(ids) < needed:
        raise FixInput(
            f"a study must have at least the {needed} GPUs that one trial needs",
            got=str(len(ids)),
            where="--gpus",
            fix="name more GPUs or lower --gpus-per-trial",
        )
    return min(resources.max_concurrent, len(ids) * resources.trials_per_gpu // needed)


def open_trainer(choice: TrainerChoice) -> Trainer:
    """The trainer, made in this process; it may keep something from one attempt to the next.

    The caller must release it at the end (``automl.trainers.base.release``).

    Raises:
        FixInput: The trainer is unknown or refuses its options.
    """
    return make_trainer(choice.name, choice.skill, choice.options)
