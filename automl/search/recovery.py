"""Recovery after a crash: what becomes of each start that was left running.

Nothing is decided from memory. The storage says which starts were left; each one's folder says how
far it came: its outcome if it ended, else its status file and the newest whole checkpoint.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeAlias

from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.search.trial_store import QueuedTrial, TrialStore, continued, drawn
from automl.study import attributes
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.records import Measurement, Outcome, OutcomeState

__all__ = ["FindCheckpoint", "ReadHistory", "Recovered", "WholeCheckpoint"]


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


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done to one start.

    Attributes:
        number: Logical number; None for a start of another program that never got one.
        attempt: The attempt that was left running, from 1.
        text: What became of it, e.g. ``checkpoint of epoch 14 is whole: goes on from epoch 15``.
    """

    number: int | None
    attempt: int
    text: str

    def __str__(self) -> str:
        return self.text if self.number is None else f"trial {self.number}  {self.text}"


@dataclass(frozen=True, slots=True)
class Recovery:
    """Recovers the starts of one study.

    Attributes:
        store: The study's trials.
        finish: Records an outcome.
        paths: The study folder.
        read_history: What an attempt's status file holds, ``elapsed_s`` from that attempt's start.
        find_checkpoint: The newest whole checkpoint in an attempt's folder.
        gpus_held: GPUs that each start is charged with.
        held: Folders of the attempts whose trainings still run, or ended unseen: they go on as
            the same attempts.
    """

    store: TrialStore
    finish: Callable[[Outcome], object]
    paths: StudyPaths
    read_history: ReadHistory
    find_checkpoint: FindCheckpoint
    gpus_held: float
    held: frozenset[Path] = frozenset()

    def recover_all(self) -> tuple[Recovered, ...]:
        """Recovers every start that was left running, the oldest first."""
        running = self.store.trials(OptunaState.RUNNING)
        return tuple(self._recover(trial) for trial in running)

    def _recover(self, trial: FrozenTrial) -> Recovered:
        if attributes.NUMBER not in trial.user_attrs:
            return self._drop(trial, "was abandoned before it began")
        queued = QueuedTrial.of(trial)
        newest = self.store.latest(queued.number)
        if newest is not None and newest.number != trial.number:
            return self._drop(trial, f"attempt {queued.attempt} had been queued again")
        if attributes.REFUSED in trial.user_attrs:
            self.store.draw_again(trial, queued)
            return Recovered(queued.number, queued.attempt, "had been refused: drawn again")
        if attributes.ASKED_AT not in trial.user_attrs:
            self.store.replace(trial, queued, "had not begun")
            return Recovered(queued.number, queued.attempt, "had not begun: queued again")
        return self._recover_begun(trial, queued)

    def _recover_begun(self, trial: FrozenTrial, queued: QueuedTrial) -> Recovered:
        attempt = self.paths.attempt(queued.number, queued.attempt)
        if attempt.folder in self.held:
            return self._attach(trial, queued)
        outcome, note = read_outcome(attempt)
        if outcome is None or (outcome.number, outcome.attempt) != (queued.number, queued.attempt):
            return self._continue(trial, queued, note)
        if outcome.state is OutcomeState.INTERRUPTED:
            return self._continue(trial, queued, "")
        self.finish(outcome)
        why = outcome.failure or outcome.state
        return Recovered(queued.number, queued.attempt, f"had ended ({why}): kept")

    def _attach(self, trial: FrozenTrial, queued: QueuedTrial) -> Recovered:
        """Lets the same attempt be handed out again; its trainer finds the training by itself."""
        why = "its training was not ended with the driver: found again"
        self.store.replace(trial, drawn(trial, queued), why)
        return Recovered(queued.number, queued.attempt, why)

    def _drop(self, trial: FrozenTrial, why: str) -> Recovered:
        attrs = trial.user_attrs
        if attributes.REFUSED in attrs:
            self.store.end_refused(trial)
        else:
            self.store.supersede(trial.number, why)
        return Recovered(
            attrs.get(attributes.NUMBER),
            int(attrs.get(attributes.ATTEMPT, 1)),
            why,
        )

    def _continue(self, trial: FrozenTrial, queued: QueuedTrial, note: str) -> Recovered:
        attempt = self.paths.attempt(queued.number, queued.attempt)
        own = self._own_history(attempt, queued)
        self._record_time(trial, queued, own)
        checkpoint = self.find_checkpoint(attempt)
        if checkpoint is not None:
            resume_from = self.paths.relative(checkpoint.path)
            history = _up_to(checkpoint.epoch, (*queued.history, *own))
            text = f"checkpoint of epoch {checkpoint.epoch} is whole: goes on from it"
        elif queued.resume_from and (self.paths.folder / queued.resume_from).is_file():
            resume_from, history = queued.resume_from, queued.history
            text = f"goes on from {queued.resume_from} again"
        else:
            resume_from, history = None, ()
            text = "no whole checkpoint: starts again with the same parameters"
        following = continued(trial, queued, resume_from, history)
        self.store.replace(trial, following, f"goes on as attempt {following.attempt}")
        full = f"{text} (attempt {following.attempt})" + (f"; {note}" if note else "")
        return Recovered(queued.number, queued.attempt, full)

    def _own_history(self, attempt: AttemptPaths, queued: QueuedTrial) -> tuple[Measurement, ...]:
        before = max((entry.elapsed_s for entry in queued.history), default=0.0)
        return tuple(
            replace(entry, elapsed_s=before + entry.elapsed_s)
            for entry in self.read_history(attempt)
        )

    def _record_time(
        self, trial: FrozenTrial, queued: QueuedTrial, own: tuple[Measurement, ...]
    ) -> None:
        """What the attempt spent up to its last measurement; later seconds left no trace."""
        before = max((entry.elapsed_s for entry in queued.history), default=0.0)
        seconds = max((entry.elapsed_s for entry in own), default=before) - before
        handle = self.store.handle(trial)
        handle.set_user_attr(attributes.SECONDS, seconds)
        handle.set_user_attr(attributes.GPU_SECONDS, seconds * self.gpus_held)


def _up_to(epoch: int, measurements: tuple[Measurement, ...]) -> tuple[Measurement, ...]:
    """Each epoch once, the later measurement of two, none after ``epoch``."""
    by_epoch = {entry.epoch: entry for entry in measurements if entry.epoch <= epoch}
    return tuple(by_epoch[key] for key in sorted(by_epoch))
