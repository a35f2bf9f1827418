"""Asking one running attempt to end as pruned, paused or interrupted, by a file in its folder."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from automl.files import write_json, write_text
from automl.inside import read_file
from automl.jsontext import parse_json
from automl.study.layout import AttemptPaths
from automl.study.records import MOST_EPOCHS
from automl.trainers.checkpoints import CheckpointFile, checkpoints_in, is_whole, newest_whole

__all__ = [
    "PauseRequest",
    "checkpoint_after",
    "checkpoint_at",
    "pause_in",
    "reason_in",
    "request_leave",
    "request_pause",
    "request_stop",
    "unjudged_rung",
]

#: Bytes of a request that are read.
_LONGEST = 4096
_UNJUDGED = "the search was interrupted before this rung was judged"


@dataclass(frozen=True, slots=True)
class PauseRequest:
    """Where an attempt is to pause.

    Attributes:
        epoch: The epoch, from 0, whose checkpoint the trial may go on from.
        reason: Why, as a sentence for the reader.
    """

    epoch: int
    reason: str


def request_stop(paths: AttemptPaths, reason: str) -> None:
    """Asks a running attempt to stop as pruned, from any process."""
    write_text(paths.stop, reason)


def request_leave(paths: AttemptPaths, reason: str) -> None:
    """Asks a running attempt to end with its checkpoint, so that its trial goes on elsewhere."""
    write_text(paths.leave, reason)


def request_pause(paths: AttemptPaths, asked: PauseRequest) -> None:
    """Asks a running attempt to pause, from any process."""
    write_json(paths.pause, {"epoch": asked.epoch, "reason": asked.reason})


def reason_in(path: Path) -> str:
    """What a stop file says; a trainer may have put anything there."""
    try:
        return _read(path).decode(errors="replace")
    except OSError:
        return "stopped by something that is no file"


def pause_in(path: Path) -> PauseRequest | None:
    """What a file asks for; None without one, and where a trainer has put something else there."""
    try:
        asked = parse_json(_read(path))
        epoch, reason = asked["epoch"], asked["reason"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_epoch = type(epoch) is int and 0 <= epoch < MOST_EPOCHS
    return PauseRequest(epoch, str(reason)) if is_epoch else None


def _read(path: Path) -> bytes:
    with read_file(path) as file:
        return file.read(_LONGEST)


def unjudged_rung(
    measured: Iterable[int], told: Collection[int], rungs: Collection[int]
) -> PauseRequest | None:
    """The first rung that an attempt has reached and that nobody has judged; None without one.

    Args:
        measured: The epochs that it measured, from 0.
        told: Those of them that were reported to the search.
        rungs: Epochs, counted from 1, at which trials are judged.
    """
    reached = (epoch for epoch in sorted(measured) if epoch + 1 in rungs and epoch not in told)
    first = next(reached, None)
    return None if first is None else PauseRequest(first, _UNJUDGED)


def checkpoint_at(folder: Path, epoch: int) -> CheckpointFile | None:
    """The whole checkpoint of an epoch's end; None if there is none."""
    return newest_whole(entry for entry in checkpoints_in(folder) if entry.epoch == epoch)


def checkpoint_after(folder: Path, epoch: int) -> CheckpointFile | None:
    """The whole checkpoint of an epoch's end, else the first whole one of a later epoch."""
    later = (entry for entry in checkpoints_in(folder) if entry.epoch > epoch)
    return checkpoint_at(folder, epoch) or next(filter(lambda e: is_whole(e.path), later), None)
