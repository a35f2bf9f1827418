"""The files of an attempt and the study's store, on the attempt's node.

A thread stores what the attempt writes every few seconds, so that whoever goes on finds the newest
checkpoint. A node that does not share the study's folder has it at the same path on a disk of its
own, and fetches what an attempt begins with.
"""

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from automl.files import write_text
from automl.spec.formats import spec_text
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.patience import Patience
from automl.study.patient_store import patiently
from automl.study.records import Attempt
from automl.study.study_store import Snapshots, StoreError
from automl.trainers.base import TrialTask
from automl.trainers.checkpoints import checkpoints_in, is_whole
from automl.trainers.docker.mounts import rewritten
from automl.yamltext import load_yaml

__all__ = ["AttemptMirror", "NodeFiles", "files_of"]

_EVERY_S = 2.0


def files_of(folder: Path) -> Iterator[Path]:
    """What of an attempt is to be stored: its files, of its checkpoints the whole ones."""
    paths = AttemptPaths(folder)
    broken = {entry.path for entry in checkpoints_in(folder) if not is_whole(entry.path)}
    asked = {paths.stop, paths.pause, paths.leave}
    passing = {paths.pid, paths.server, paths.node_spec, *asked, *broken}
    for path in sorted(folder.iterdir()):
        is_hidden = path.name.startswith(".")
        if path.is_file() and not path.is_symlink() and not is_hidden and path not in passing:
            yield path


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """Where a node finds the files of attempts.

    Attributes:
        store: Where the study lies in its store; empty without one.
        is_apart: Whether the node does not share the study's folder.
        data: Folder of the driver's to the node's own copy of it, where it has one.
    """

    store: str = ""
    is_apart: bool = False
    data: Mapping[str, str] = field(default_factory=dict)

    def placed(self, task: TrialTask) -> TrialTask:
        """The task with a spec of the node's own, where the node has copies of the data."""
        if not self.data:
            return task
        spec = rewritten(load_yaml(task.spec_path), self._place)
        path = AttemptPaths(task.folder).node_spec
        write_text(path, spec_text(spec, "yaml"))
        return replace(task, spec_path=path)

    def _place(self, path: str) -> str | None:
        named = PurePosixPath(path)
        above = (each for each in self.data.items() if named.is_relative_to(each[0]))
        found = max(above, key=lambda each: len(each[0]), default=None)
        return str(PurePosixPath(found[1]) / named.relative_to(found[0])) if found else None


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
            ResumeLater: The store was away for too long.
            FileNotFoundError: The store does not have that checkpoint.
            OSError: Nothing can be written here.
        """
        patiently(lambda: self._fetch(paths, attempt), Patience())

    def _fetch(self, paths: StudyPaths, attempt: Attempt) -> None:
        if not self._snapshots.pull(self._key, self._folder):  # its spec was sent
            raise StoreError(f"what it held is gone: {self._key}")
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
            ResumeLater: The store was away for too long; the files stay here.
        """
        self._done.set()
        self._thread.join()
        if leaves:  # the driver sees them, and stores what could not be stored now
            with suppress(StoreError):
                self._snapshots.push(self._key, files_of(self._folder))
            return
        patiently(lambda: self._snapshots.push(self._key, files_of(self._folder)), Patience())
        shutil.rmtree(self._folder, ignore_errors=True)

    def _repeat(self) -> None:
        while not self._done.wait(_EVERY_S):
            # A store that is away for a moment is written to at the next turn.
            with suppress(OSError):
                self._snapshots.push(self._key, files_of(self._folder))
