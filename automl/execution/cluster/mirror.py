"""The files of an attempt and the study's store, on the attempt's node.

A thread stores what the attempt writes every few seconds, so that whoever goes on finds the newest
checkpoint. A node that does not share the study's folder has it at the same path on a disk of its
own, and fetches what an attempt begins with.
"""

import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.records import Attempt
from automl.study.study_store import Snapshots
from automl.trainers.checkpoints import checkpoints_in, is_whole

__all__ = ["AttemptMirror", "files_of"]

_EVERY_S = 2.0


def files_of(folder: Path) -> Iterator[Path]:
    """What of an attempt is to be stored: its files, of its checkpoints the whole ones."""
    paths = AttemptPaths(folder)
    broken = {entry.path for entry in checkpoints_in(folder) if not is_whole(entry.path)}
    passing = {paths.pid, paths.server, paths.stop, paths.pause, *broken}
    for path in sorted(folder.iterdir()):
        is_hidden = path.name.startswith(".")
        if path.is_file() and not path.is_symlink() and not is_hidden and path not in passing:
            yield path


@dataclass(frozen=True, slots=True)
class NodeStore:
    """What a node is told of the study's store.

    Attributes:
        url: Where the study lies in it; empty without a store.
        is_apart: Whether the node does not share the study's folder.
    """

    url: str = ""
    is_apart: bool = False


class AttemptMirror:
    """Keeps the snapshot of one attempt current, from its start to its end.

    Args:
        snapshots: The study's store.
        key: The attempt's folder, relative to the study.
        folder: That folder on this node.
    """

    def __init__(self, snapshots: Snapshots, key: str, folder: Path) -> None:
        self._snapshots = snapshots
        self._folder = folder
        self._key = key
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="mirror", daemon=True)

    def fetch(self, paths: StudyPaths, attempt: Attempt) -> None:
        """Brings what the attempt begins with: its spec, and the checkpoint that it goes on from.

        Raises:
            FileNotFoundError: The store does not have that checkpoint.
            OSError: The store cannot be read.
        """
        self._snapshots.pull(self._key, self._folder)
        if attempt.resume_from is None:
            return
        checkpoint = PurePosixPath(attempt.resume_from)
        target = paths.folder / checkpoint
        names = self._snapshots.pull(str(checkpoint.parent), target.parent, checkpoint.name)
        if checkpoint.name not in names:
            raise FileNotFoundError(f"{checkpoint} is not in the study's store")

    def start(self) -> None:
        """Stores what the attempt writes, from now on."""
        self._thread.start()

    def close(self, *, leaves: bool) -> None:
        """Stores the last state.

        Args:
            leaves: Whether the files stay here too.

        Raises:
            OSError: The store cannot be written.
        """
        self._done.set()
        self._thread.join()
        self._snapshots.push(self._key, files_of(self._folder))
        if not leaves:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _repeat(self) -> None:
        while not self._done.wait(_EVERY_S):
            # A store that is away for a moment is written to at the next turn.
            with suppress(OSError):
                self._snapshots.push(self._key, files_of(self._folder))
