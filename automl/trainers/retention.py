"""Which checkpoints of a trial are kept, and which one is its result."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automl.study.config import Keep
from automl.study.layout import StudyPaths
from automl.study.ranking import is_flat
from automl.study.records import Attempt, OutcomeState
from automl.trainers.checkpoints import (
    CheckpointFile,
    checkpoint_of,
    checkpoints_in,
    drop_others,
    newest_whole,
)

__all__ = ["AttemptEnd", "retain_at_end", "retain_while_running"]


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How an attempt ended, as far as its checkpoints are concerned.

    Attributes:
        state: How it ended.
        best_epoch: The best epoch of the trial; None without a measurement.
        keep: Which checkpoints outlive it; ``all`` deletes nothing.
        paused_at: The checkpoint that a paused trial goes on from; None of every other one.
    """

    state: OutcomeState
    best_epoch: int | None
    keep: Keep
    paused_at: CheckpointFile | None = None


def retain_while_running(folder: Path, best: int | None, reported: int, keep: Keep) -> None:
    """Deletes the checkpoints of a running attempt that are neither the best nor the newest.

    The newest is what a later attempt would start from, and may be half written. A trainer may be
    ahead of what the search has heard of: it may pause at the epoch that is reported now, and each
    later one may be the best.

    Args:
        folder: The attempt's folder.
        best: The best epoch so far.
        reported: The epoch that is being reported.
        keep: ``all`` deletes nothing.
    """
    listed = checkpoints_in(folder)
    if keep is not Keep.ALL and listed:
        kept = [each for each in listed if each.epoch >= reported]
        of_best = checkpoint_of(listed, best)
        kept += [listed[-1], *([of_best] if of_best else [])]
        drop_others(folder, {each.path for each in kept})


def retain_at_end(
    paths: StudyPaths, attempt: Attempt, values: Mapping[int, float], ended: AttemptEnd
) -> CheckpointFile | None:
    """Deletes what an ended attempt and those before it leave and nothing needs.

    What a later attempt goes on from stays beside that of the best epoch where the attempt did not
    come to its end, and where the objective never moved. What a paused one trained past its pause
    goes.

    Args:
        paths: The study folder.
        attempt: The attempt that ended.
        values: The trial's objective by epoch.
        ended: How it ended, and what is kept.

    Returns:
        The whole checkpoint of the best epoch, else the newest whole one; of an interrupted
        or paused attempt the one from which it is continued.
    """
    attempts = paths.attempts(attempt.number)
    folders = [entry.folder for number, entry in attempts if number <= attempt.attempt]
    listed = [checkpoint for folder in folders for checkpoint in checkpoints_in(folder)]
    goes_on = ended.paused_at or _newest(paths, attempt)
    if ended.paused_at is not None:
        listed = [each for each in listed if each.epoch <= ended.paused_at.epoch]
    best = checkpoint_of(listed, ended.best_epoch)
    if ended.keep is not Keep.ALL:
        is_over = ended.state in (OutcomeState.OK, OutcomeState.PRUNED)
        needs_newest = ended.keep is Keep.LAST or is_flat(values) or not is_over
        kept = [best, goes_on if needs_newest else None]
        paths_kept = {checkpoint.path for checkpoint in kept if checkpoint}
        for folder in folders:
            drop_others(folder, paths_kept)
    will_go_on = ended.state in (OutcomeState.INTERRUPTED, OutcomeState.PAUSED)
    return goes_on if will_go_on else best


def _newest(paths: StudyPaths, attempt: Attempt) -> CheckpointFile | None:
    """The attempt's own newest whole checkpoint, else the one that it began from.

    An earlier attempt may have trained past the place from which this one went on.
    """
    own = newest_whole(checkpoints_in(paths.attempt(attempt.number, attempt.attempt).folder))
    if own is not None or attempt.resume_from is None:
        return own
    began = paths.folder / attempt.resume_from
    return newest_whole(each for each in checkpoints_in(began.parent) if each.path == began)
