"""Attempts whose runner is gone before it could say how they ended."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from automl.study.outcomes import write_outcome
from automl.study.records import Attempt, FailureClass, Outcome, OutcomeState
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.checkpoints import checkpoints_in, newest_whole
from automl.trainers.end_request import pause_in, unjudged_rung
from automl.trainers.ended import Ended, or_paused
from automl.trainers.metrics.table import history_of

__all__ = ["Lost", "outcome_of_lost"]


@dataclass(frozen=True, slots=True)
class Lost:
    """That the runner of an attempt is gone.

    Attributes:
        because: Why, as part of a sentence.
        goes_on: Whether the trial goes on all the same, from its newest whole checkpoint.
        node: The node that it ran on; empty for this machine.
        failure: What it counts as where the trial does not go on.
    """

    because: str
    goes_on: bool = False
    node: str = ""
    failure: FailureClass = FailureClass.KILLED


def outcome_of_lost(
    attempt: Attempt, lost: Lost, settings: AttemptSettings, told: AbstractSet[int]
) -> Outcome:
    """Writes and returns what the files of an attempt say of its end.

    Args:
        attempt: Which one.
        lost: Why its runner is gone; one whose trial goes on may have been paused at a rung.
        settings: Of the study's trainings.
        told: The epochs of the attempt that the engine knows already.
    """
    paths = settings.paths.attempt(attempt.number, attempt.attempt)
    before = max((entry.elapsed_s for entry in attempt.history), default=0.0)
    own = history_of(settings.metrics, paths, settings.objective.metric, before)
    by_epoch = {entry.epoch: entry for entry in (*attempt.history, *own)}
    asked = pause_in(paths.pause)
    if asked is None and lost.goes_on:
        asked = unjudged_rung(by_epoch, told, settings.rungs)
    ended = or_paused(_ended(lost), paths.folder, asked)
    newest = ended.paused_at or newest_whole(checkpoints_in(paths.folder))
    last = max(by_epoch, default=-1) if ended.paused_at is None else ended.paused_at.epoch
    outcome = Outcome(
        attempt.number,
        attempt.attempt,
        ended.state,
        tuple(by_epoch[epoch] for epoch in sorted(by_epoch) if epoch <= last),
        ended.failure,
        ended.evidence,
        checkpoint=settings.paths.relative(newest.path) if newest else None,
        node=lost.node,
    )
    return write_outcome(paths, outcome)


def _ended(lost: Lost) -> Ended:
    if lost.goes_on:
        return Ended(OutcomeState.INTERRUPTED, lost.because)
    return Ended(OutcomeState.FAILED, lost.because, lost.failure)
