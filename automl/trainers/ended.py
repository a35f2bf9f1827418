"""How an attempt ends, before it is written down."""

from dataclasses import dataclass
from pathlib import Path

from automl.study.records import FailureClass, OutcomeState
from automl.trainers.checkpoints import CheckpointFile
from automl.trainers.end_request import PauseRequest, checkpoint_at

__all__ = ["Ended", "or_paused"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ends.

    Attributes:
        state: How.
        evidence: Why, as one line.
        failure: The class of a failure.
        exit_code: The trainer's, where it was awaited.
        paused_at: The checkpoint that a paused trial may go on from.
    """

    state: OutcomeState
    evidence: str = ""
    failure: FailureClass | None = None
    exit_code: int | None = None
    paused_at: CheckpointFile | None = None


def or_paused(verdict: Ended, folder: Path, asked: PauseRequest | None) -> Ended:
    """The verdict; a pause where the attempt has come to one and ended for another cause.

    Args:
        verdict: How it would end.
        folder: The attempt's folder.
        asked: Where it was to pause; None for nowhere.
    """
    was_ended = verdict.state in (OutcomeState.INTERRUPTED, OutcomeState.FAILED)
    if asked is None or not was_ended:
        return verdict
    place = checkpoint_at(folder, asked.epoch)
    if place is None:
        return verdict
    return Ended(OutcomeState.PAUSED, asked.reason, paused_at=place)
