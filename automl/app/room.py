"""Whether the disk of a study has room for another trial."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from automl.errors import PrepareMachine

__all__ = ["Room", "byte_size", "check_room", "room_at", "size_of"]

#: Until a trial has shown what it needs: this share of the disk, and no more than this.
_SHARE = 10
_MOST = 1 << 30
#: At the fullest a trial has its best checkpoint, its newest, and one that is being written.
_COPIES = 3
#: For the journal, the report and the state of the study itself.
_OWN = 16 << 20


@dataclass(frozen=True, slots=True)
class Room:
    """The space on a disk beside what must be free before a trial is started.

    Attributes:
        folder: A folder on it.
        free: Bytes that this user may still write.
        floor: Bytes that must be free.
    """

    folder: Path
    free: int
    floor: int

    @property
    def is_short(self) -> bool:
        """Whether no trial may be started."""
        return self.free < self.floor

    def __str__(self) -> str:
        return f"{byte_size(self.free)} free, {byte_size(self.floor)} needed"


def room_at(folder: Path, trial_bytes: int = 0) -> Room:
    """The room on a folder's disk.

    Args:
        folder: A folder; that need not be there yet.
        trial_bytes: What the largest trial so far has left; 0 where none has ended.
    """
    above = next(each for each in (folder, *folder.parents) if each.exists())
    usage = shutil.disk_usage(above)
    needed = _COPIES * trial_bytes if trial_bytes else min(usage.total // _SHARE, _MOST)
    return Room(above, usage.free, needed + _OWN)


def check_room(folder: Path, fix: str) -> None:
    """Makes sure that a first trial could be written.

    Args:
        folder: Where the study is, or will be.
        fix: What to do where there is no room.

    Raises:
        PrepareMachine: The disk is full, or nearly so.
    """
    room = room_at(folder)
    if room.is_short:
        raise PrepareMachine(
            "a study needs space on its disk", got=str(room), where=str(room.folder), fix=fix
        )


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; links count for nothing."""
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            # A trainer may delete its files while they are counted.
            with suppress(FileNotFoundError):
                total += Path(at, name).lstat().st_size
    return total


def byte_size(n_bytes: int) -> str:
    """Bytes for a reader: ``1.2 GB``, ``47 MB``."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
