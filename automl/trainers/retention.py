"""Which checkpoints of a trial are kept, and which one is its result."""

from pathlib import Path

from automl.study.config import Keep
from automl.study.layout import StudyPaths
from automl.study.records import Attempt, OutcomeState
from automl.trainers.checkpoints import (
    CheckpointFile,
    checkpoint_of,
    checkpoints_in,
    drop_others,
    newest_whole,
)

__all__ = ["retain_at_end", "retain_while_running"]


def retain_while_running(folder: Path, epoch: int | None, keep: Keep) -> None:
    """Deletes the checkpoints of a running attempt that are neither the best nor the newest.

    The newest is what a later attempt would start from, and may be half written.

    Args:
        folder: The attempt's folder.
        epoch: The best epoch so far.
        keep: ``all`` deletes nothing.
    """
    listed = checkpoints_in(folder)
    if keep is Keep.BEST and listed:
        best = checkpoint_of(listed, epoch)
        drop_others(folder, {listed[-1].path} | ({best.path} if best else set()))


def retain_at_end(
    paths: StudyPaths, attempt: Attempt, epoch: int | None, keep: Keep, state: OutcomeState
) -> CheckpointFile | None:
    """Deletes what an ended attempt and those before it leave and nothing needs.

    One that did not come to its end keeps its newest whole checkpoint beside that of the best
    epoch.

    Args:
        paths: The study folder.
        attempt: The attempt that ended.
        epoch: The best epoch of the trial.
        keep: ``all`` deletes nothing.
        state: How it ended.

    Returns:
        The whole checkpoint of the best epoch, else the newest whole one; of an interrupted
        attempt the newest, from which it is continued.
    """
    attempts = paths.attempts(attempt.number)
    folders = [entry.folder for number, entry in attempts if number <= attempt.attempt]
    listed = [checkpoint for folder in folders for checkpoint in checkpoints_in(folder)]
    best, newest = checkpoint_of(listed, epoch), newest_whole(listed)
    if keep is Keep.BEST:
        is_over = state in (OutcomeState.OK, OutcomeState.PRUNED)
        kept = [best, None if is_over else newest]
        paths_kept = {checkpoint.path for checkpoint in kept if checkpoint}
        for folder in folders:
            drop_others(folder, paths_kept)
    return newest if state is OutcomeState.INTERRUPTED else best
