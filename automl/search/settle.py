"""After a crash: what becomes of each start that was left running.

Nothing is decided from memory. The storage says which starts were left; each one's folder says how
far it came: its outcome if it ended, else its status file and the newest whole checkpoint.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeAlias

from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.search.ledger import Ledger, Ticket, continued, drawn
from automl.study import attributes
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.records import Measurement, Outcome, OutcomeState

__all__ = ["FindCheckpoint", "ReadHistory", "Settled", "Settlement", "WholeCheckpoint"]


class WholeCheckpoint(Protocol):
    """A checkpoint that was written to its end."""

    @property
    def epoch(self) -> int:
        """Zero-based epoch after which it was written."""
        ...

    @property
    def path(self) -> Path:
        """The file, absolute."""
        ...


ReadHistory: TypeAlias = Callable[[AttemptPaths], tuple[Measurement, ...]]
FindCheckpoint: TypeAlias = Callable[[AttemptPaths], WholeCheckpoint | None]


class Settlement(StrEnum):
    """What became of a start that was left running."""

    ATTACHED = "attached"
    ENDED = "ended"
    CONTINUES = "continues"
    RESTARTS = "restarts"
    QUEUED = "queued"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Settled:
    """What was done to one start.

    Attributes:
        number: Logical number; None for a start of another program that never got one.
        attempt: The attempt that was left running, from 1.
        settlement: What became of it.
        text: The same in words, e.g. ``checkpoint of epoch 14 is whole: goes on from epoch 15``.
    """

    number: int | None
    attempt: int
    settlement: Settlement
    text: str

    def __str__(self) -> str:
        return self.text if self.number is None else f"trial {self.number}  {self.text}"


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles the starts of one study.

    Attributes:
        ledger: The study's trials.
        finish: Enters an outcome.
        paths: The study folder.
        read_history: What an attempt's status file holds, ``elapsed_s`` from that attempt's start.
        find_checkpoint: The newest whole checkpoint in an attempt's folder.
        gpus_held: GPUs that each start is charged with.
        held: Folders of the attempts whose trainings still run, or ended unseen: they go on as
            the same attempts.
    """

    ledger: Ledger
    finish: Callable[[Outcome], object]
    paths: StudyPaths
    read_history: ReadHistory
    find_checkpoint: FindCheckpoint
    gpus_held: float
    held: frozenset[Path] = frozenset()

    def settle_all(self) -> tuple[Settled, ...]:
        """Settles every start that was left running, the oldest first."""
        running = self.ledger.trials(OptunaState.RUNNING)
        return tuple(self._settle(trial) for trial in running)

    def _settle(self, trial: FrozenTrial) -> Settled:
        if attributes.NUMBER not in trial.user_attrs:
            return self._drop(trial, "was abandoned before it began")
        ticket = Ticket.of(trial)
        newest = self.ledger.latest(ticket.number)
        if newest is not None and newest.number != trial.number:
            return self._drop(trial, f"attempt {ticket.attempt} had been queued again")
        if attributes.REFUSED in trial.user_attrs:
            self.ledger.draw_again(trial, ticket)
            return Settled(
                ticket.number, ticket.attempt, Settlement.DROPPED, "had been refused: drawn again"
            )
        if attributes.ASKED_AT not in trial.user_attrs:
            self.ledger.replace(trial, ticket, "had not begun")
            return Settled(
                ticket.number, ticket.attempt, Settlement.QUEUED, "had not begun: queued again"
            )
        return self._settle_begun(trial, ticket)

    def _settle_begun(self, trial: FrozenTrial, ticket: Ticket) -> Settled:
        attempt = self.paths.attempt(ticket.number, ticket.attempt)
        if attempt.folder in self.held:
            return self._attach(trial, ticket)
        outcome, note = read_outcome(attempt)
        if outcome is None or (outcome.number, outcome.attempt) != (ticket.number, ticket.attempt):
            return self._continue(trial, ticket, note)
        if outcome.state is OutcomeState.INTERRUPTED:
            return self._continue(trial, ticket, "")
        self.finish(outcome)
        return Settled(
            ticket.number,
            ticket.attempt,
            Settlement.ENDED,
            f"had ended ({outcome.failure or outcome.state}): kept",
        )

    def _attach(self, trial: FrozenTrial, ticket: Ticket) -> Settled:
        """Lets the same attempt be handed out again; its trainer finds the training by itself."""
        why = "its training was not ended with the driver: found again"
        self.ledger.replace(trial, drawn(trial, ticket), why)
        return Settled(ticket.number, ticket.attempt, Settlement.ATTACHED, why)

    def _drop(self, trial: FrozenTrial, why: str) -> Settled:
        attrs = trial.user_attrs
        if attributes.REFUSED in attrs:
            self.ledger.end_refused(trial)
        else:
            self.ledger.supersede(trial.number, why)
        return Settled(
            attrs.get(attributes.NUMBER),
            int(attrs.get(attributes.ATTEMPT, 1)),
            Settlement.DROPPED,
            why,
        )

    def _continue(self, trial: FrozenTrial, ticket: Ticket, note: str) -> Settled:
        attempt = self.paths.attempt(ticket.number, ticket.attempt)
        own = self._own_history(attempt, ticket)
        self._book_time(trial, ticket, own)
        checkpoint = self.find_checkpoint(attempt)
        if checkpoint is not None:
            resume_from = self.paths.relative(checkpoint.path)
            history = _up_to(checkpoint.epoch, (*ticket.history, *own))
            text = f"checkpoint of epoch {checkpoint.epoch} is whole: goes on from it"
        elif ticket.resume_from and (self.paths.folder / ticket.resume_from).is_file():
            resume_from, history = ticket.resume_from, ticket.history
            text = f"goes on from {ticket.resume_from} again"
        else:
            resume_from, history = None, ()
            text = "no whole checkpoint: starts again with the same parameters"
        following = continued(trial, ticket, resume_from, history)
        self.ledger.replace(trial, following, f"goes on as attempt {following.attempt}")
        settlement = Settlement.CONTINUES if resume_from else Settlement.RESTARTS
        full = f"{text} (attempt {following.attempt})" + (f"; {note}" if note else "")
        return Settled(ticket.number, ticket.attempt, settlement, full)

    def _own_history(self, attempt: AttemptPaths, ticket: Ticket) -> tuple[Measurement, ...]:
        before = max((entry.elapsed_s for entry in ticket.history), default=0.0)
        return tuple(
            replace(entry, elapsed_s=before + entry.elapsed_s)
            for entry in self.read_history(attempt)
        )

    def _book_time(self, trial: FrozenTrial, ticket: Ticket, own: tuple[Measurement, ...]) -> None:
        """What the attempt spent up to its last measurement; later seconds left no trace."""
        before = max((entry.elapsed_s for entry in ticket.history), default=0.0)
        seconds = max((entry.elapsed_s for entry in own), default=before) - before
        handle = self.ledger.handle(trial)
        handle.set_user_attr(attributes.SECONDS, seconds)
        handle.set_user_attr(attributes.GPU_SECONDS, seconds * self.gpus_held)


def _up_to(epoch: int, measurements: tuple[Measurement, ...]) -> tuple[Measurement, ...]:
    """Each epoch once, the later measurement of two, none after ``epoch``."""
    found = {entry.epoch: entry for entry in measurements if entry.epoch <= epoch}
    return tuple(found[epoch] for epoch in sorted(found))
