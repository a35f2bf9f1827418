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

from automl.search.added import is_own, stands_again
from automl.search.queued_trial import QueuedTrial, continued, drawn
from automl.search.trial_store import TrialStore
from automl.study import attributes
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.measured import Judged, judged_of, paused_of, pending
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
#: The newest whole checkpoint of an attempt, of the given epoch or an earlier one if one is given.
FindCheckpoint: TypeAlias = Callable[[AttemptPaths, int | None], WholeCheckpoint | None]


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
        rungs: Epochs, counted from 1, at which trials are judged.
    """

    store: TrialStore
    finish: Callable[[Outcome], object]
    paths: StudyPaths
    read_history: ReadHistory
    find_checkpoint: FindCheckpoint
    gpus_held: float
    held: frozenset[Path] = frozenset()
    rungs: tuple[int, ...] = ()

    def recover_all(self) -> tuple[Recovered, ...]:
        """Recovers every start that was left running, the oldest first."""
        running = self.store.trials(OptunaState.RUNNING)
        recovered = (self._recover(trial) for trial in running)
        return tuple(each for each in recovered if each is not None)

    def lost(self) -> frozenset[int]:
        """The trials that stayed paused to the end of a study, and whose checkpoints are gone."""
        stopped = self.store.trials(OptunaState.PRUNED)
        return frozenset(
            QueuedTrial.of(trial).number for trial in stopped if self._has_lost_checkpoint(trial)
        )

    def _has_lost_checkpoint(self, trial: FrozenTrial) -> bool:
        paused = paused_of(trial)
        checkpoint = None if paused is None else paused.checkpoint
        return checkpoint is not None and not (self.paths.folder / checkpoint).is_file()

    def _recover(self, trial: FrozenTrial) -> Recovered | None:
        if trial.user_attrs.get(attributes.NUMBER) is None:
            return self._recover_unnumbered(trial)
        queued = QueuedTrial.of(trial)
        newest = self.store.latest(queued.number)
        if newest is not None and newest.number != trial.number:
            return self._drop(trial, f"attempt {queued.attempt} had been queued again")
        if paused_of(trial) is not None:
            return self._recover_paused(trial, queued)
        if attributes.REFUSED in trial.user_attrs:
            self.store.draw_again(trial, queued)
            return Recovered(queued.number, queued.attempt, "had been refused: drawn again")
        if attributes.ASKED_AT not in trial.user_attrs:
            self.store.replace(trial, queued, "had not begun")
            return Recovered(queued.number, queued.attempt, "had not begun: queued again")
        return self._recover_begun(trial, queued)

    def _recover_unnumbered(self, trial: FrozenTrial) -> Recovered:
        """Puts what a person added back into the queue; what is anybody else's is dropped."""
        if not is_own(trial) or stands_again(trial, self.store.trials()):
            return self._drop(trial, "was abandoned before it began")
        self.store.queue_again(trial, "had not been given a number")
        return Recovered(None, 1, "a trial that was added had not begun: queued again")

    def _recover_paused(self, trial: FrozenTrial, queued: QueuedTrial) -> Recovered | None:
        """Leaves a paused trial alone; one that cannot go on any more ends as stopped early."""
        if not self._has_lost_checkpoint(trial):
            return None
        self.store.tell(trial, OptunaState.PRUNED)
        return Recovered(queued.number, queued.attempt, "was paused; its checkpoint has gone")

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
        seen = replace(drawn(trial, queued), judged=tuple(judged_of(trial).values()))
        self.store.replace(trial, seen, why)
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
        seconds = self._record_time(trial, queued, own)
        due = pending(trial) or self._unjudged(trial, own)
        if due is not None and self._end_as_decided(trial, due, own, seconds):
            what = "was to pause: paused" if due.pause else "was to stop: stopped early"
            return Recovered(queued.number, queued.attempt, what)
        checkpoint = None
        if due is not None:
            checkpoint = self.find_checkpoint(attempt, due.measurement.epoch)
        checkpoint = checkpoint or self.find_checkpoint(attempt, None)
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

    def _unjudged(self, trial: FrozenTrial, own: tuple[Measurement, ...]) -> Judged | None:
        """The first rung that an attempt reached and that nobody has judged; it pauses there."""
        why = "the search was interrupted before this rung was judged"
        known = trial.intermediate_values
        reached = (m for m in own if m.epoch + 1 in self.rungs and m.epoch not in known)
        return next((Judged(entry, pause=why, is_due=True) for entry in reached), None)

    def _end_as_decided(
        self, trial: FrozenTrial, due: Judged, own: tuple[Measurement, ...], seconds: float
    ) -> bool:
        """Ends an attempt as was decided before the crash; whether that could be done.

        A pause needs the checkpoint of its very epoch.
        """
        queued = QueuedTrial.of(trial)
        epoch = due.measurement.epoch
        attempt = self.paths.attempt(queued.number, queued.attempt)
        checkpoint = self.find_checkpoint(attempt, epoch)
        if due.pause and (checkpoint is None or checkpoint.epoch != epoch):
            return False
        # First of all: where only the measurement was known, a further crash would make it a
        # decision to go on.
        self.store.judge(trial, due)
        outcome = Outcome(
            queued.number,
            queued.attempt,
            OutcomeState.PAUSED if due.pause else OutcomeState.PRUNED,
            _up_to(epoch, (*queued.history, *own, due.measurement)),
            evidence=due.pause or due.stop,
            checkpoint=self.paths.relative(checkpoint.path) if checkpoint else None,
            seconds=seconds,
            gpu_seconds=seconds * self.gpus_held,
        )
        self.finish(outcome)
        return True

    def _own_history(self, attempt: AttemptPaths, queued: QueuedTrial) -> tuple[Measurement, ...]:
        before = max((entry.elapsed_s for entry in queued.history), default=0.0)
        return tuple(
            replace(entry, elapsed_s=before + entry.elapsed_s)
            for entry in self.read_history(attempt)
        )

    def _record_time(
        self, trial: FrozenTrial, queued: QueuedTrial, own: tuple[Measurement, ...]
    ) -> float:
        """What the attempt spent up to its last measurement; later seconds left no trace."""
        before = max((entry.elapsed_s for entry in queued.history), default=0.0)
        seconds = max((entry.elapsed_s for entry in own), default=before) - before
        handle = self.store.handle(trial)
        handle.set_user_attr(attributes.SECONDS, seconds)
        handle.set_user_attr(attributes.GPU_SECONDS, seconds * self.gpus_held)
        return seconds


def _up_to(epoch: int, measurements: tuple[Measurement, ...]) -> tuple[Measurement, ...]:
    """Each epoch once, the later measurement of two, none after ``epoch``."""
    by_epoch = {entry.epoch: entry for entry in measurements if entry.epoch <= epoch}
    return tuple(by_epoch[key] for key in sorted(by_epoch))
