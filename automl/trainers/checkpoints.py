"""The checkpoints of an attempt: which there are, which is whole, which to keep."""

import os
import shutil
import zipfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from automl.files import replaced
from automl.inside import read_file
from automl.trainers.contract import LATEST_PATTERN, CheckpointName

__all__ = [
    "CheckpointFile",
    "checkpoint_of",
    "checkpoints_in",
    "drop_others",
    "is_whole",
    "newest_whole",
    "place",
]

_LOGS = "lightning_logs"


@dataclass(frozen=True, slots=True, order=True)
class CheckpointFile:
    """One checkpoint file; ordered by epoch, then step.

    Attributes:
        name: Epoch and step from the file's name.
        path: The file itself, never the link to the newest.
    """

    name: CheckpointName
    path: Path

    @property
    def epoch(self) -> int:
        """Zero-based epoch after which it was written."""
        return self.name.epoch


def checkpoints_in(folder: Path) -> list[CheckpointFile]:
    """The checkpoints of one results folder, oldest first; links are not among them."""
    if not folder.is_dir():
        return []
    checkpoints = []
    for path in folder.iterdir():
        name = CheckpointName.parse(path.name)
        if name is not None and path.is_file() and not path.is_symlink():
            checkpoints.append(CheckpointFile(name, path))
    return sorted(checkpoints)


def is_whole(path: Path) -> bool:
    """Whether a checkpoint was written to its end.

    The files are zip archives, whose table of contents comes last: a truncated one has none.
    Encrypted ``.tlt`` files are opaque and pass if they are not empty.
    """
    if path.suffix == ".tlt":
        return path.is_file() and path.stat().st_size > 0
    return zipfile.is_zipfile(path)


def checkpoint_of(
    checkpoints: Iterable[CheckpointFile], epoch: int | None
) -> CheckpointFile | None:
    """The whole checkpoint of an epoch, else the newest whole one, else None.

    Args:
        checkpoints: Oldest first. Of several for one epoch the last counts: an interrupted epoch
            leaves one with fewer steps.
        epoch: Zero-based; None asks for the newest.
    """
    backwards = list(checkpoints)[::-1]
    wanted = (entry for entry in backwards if entry.epoch == epoch)
    exact = next((entry for entry in wanted if is_whole(entry.path)), None)
    return exact or newest_whole(backwards[::-1])


def newest_whole(
    checkpoints: Iterable[CheckpointFile], up_to: int | None = None
) -> CheckpointFile | None:
    """The last whole checkpoint of a list that is oldest first; None if none is whole.

    Args:
        checkpoints: Oldest first.
        up_to: The latest epoch that counts; None for any.
    """
    backwards = list(checkpoints)[::-1]
    wanted = (entry for entry in backwards if up_to is None or entry.epoch <= up_to)
    return next((entry for entry in wanted if is_whole(entry.path)), None)


def drop_others(folder: Path, keep: Collection[Path]) -> int:
    """Deletes the checkpoints of a results folder that are not in ``keep``.

    A link to the newest that would be left pointing at nothing goes with it.

    Returns:
        The bytes that were freed.
    """
    freed = 0
    for entry in checkpoints_in(folder):
        if entry.path not in keep:
            freed += entry.path.stat().st_size
            entry.path.unlink(missing_ok=True)
    for link in folder.glob(LATEST_PATTERN):
        if link.is_symlink() and not link.exists():
            link.unlink(missing_ok=True)
    return freed


def place(source: Path, target: Path) -> None:
    """Makes ``target`` a real file with the content of ``source``, whole or not at all.

    A hard link where the file system allows it, which costs no space and outlives the deletion of
    the source; a copy otherwise.

    Raises:
        OSError: The source is a link or no file, or the target cannot be written.
    """
    with read_file(source) as content, replaced(target) as temporary:
        temporary.unlink()
        try:
            os.link(source, temporary, follow_symlinks=False)
        except OSError:
            with temporary.open("xb") as file:
                shutil.copyfileobj(content, file)
