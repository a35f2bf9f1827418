"""The driver's side of a study store: what nodes need goes there, what they made comes back."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TypeVar

from automl.errors import PrepareMachine
from automl.execution.cluster.mirror import files_of
from automl.study.layout import StudyPaths
from automl.study.patience import Patience
from automl.study.patient_store import patiently
from automl.study.records import Attempt
from automl.study.study_store import Snapshots, StoreError, StudyStore
from automl.trainers.base import TrialTask
from automl.trainers.checkpoints import checkpoints_in

__all__ = ["Carrier", "store_study"]

_Result = TypeVar("_Result")

_STUDY_EVERY_S = 5.0
#: Of the study's own folder: what is of this machine alone.
_NOT_STORED = ("driver.lock", "stop", "stop-after-running")


def store_study(snapshots: Snapshots, paths: StudyPaths) -> None:
    """Stores the files of the study's own folder, its trials among them as a journal.

    Raises:
        StoreError: The store cannot be written.
    """
    files = (path for path in sorted(paths.folder.iterdir()) if path.is_file())
    wanted = (p for p in files if p.name not in _NOT_STORED and not p.name.startswith("."))
    snapshots.push("", wanted)


class Carrier:
    """Carries the files of one study.

    Args:
        store: Where to.
        paths: The study on the driver's machine.
        patience: How long a store that goes away is waited for where a trial cannot do without.

    Raises:
        InstallExtra: The packages for such a store are not installed.
        PrepareMachine: The store cannot be written.
    """

    def __init__(self, store: StudyStore, paths: StudyPaths, patience: Patience) -> None:
        self._paths = paths
        self._patience = patience
        self._unkept: dict[str, Path] = {}
        self._is_away = False
        self._snapshots = store.snapshots()
        self._asked: set[tuple[int, int, Path]] = set()
        self._stored_at = time.monotonic()
        try:
            store_study(self._snapshots, paths)
        except StoreError as error:
            raise PrepareMachine(
                "the study's store must be there and take files",
                got=str(error),
                where=f"--study-store, {store.url}",
                fix="check the address, the bucket and the credentials in the environment",
            ) from error

    def look(self) -> None:
        """Stores the study's own files, every few seconds; later where the store is away."""
        if time.monotonic() - self._stored_at > _STUDY_EVERY_S:
            self._store_all()
            self._stored_at = time.monotonic()

    def close(self) -> None:
        """Stores the study's own files a last time, if the store takes them."""
        self._store_all()

    def _store_all(self) -> None:
        try:
            for key, folder in list(self._unkept.items()):
                self._snapshots.push(key, files_of(folder))
                del self._unkept[key]
            store_study(self._snapshots, self._paths)
        except StoreError as error:
            if not self._is_away:
                self._patience.tell(f"the study's store is behind, all is safe here: {error}")
            self._is_away = True
        else:
            if self._is_away:
                self._patience.tell("the study's store is up to date again")
            self._is_away = False

    def send(self, attempt: Attempt, task: TrialTask) -> None:
        """Stores what a node needs to begin an attempt.

        Raises:
            ResumeLater: The store was away for too long.
        """
        self._patiently(lambda: self._send(attempt, task))

    def _send(self, attempt: Attempt, task: TrialTask) -> None:
        self._snapshots.push(self._paths.relative(task.folder), [task.spec_path])
        if attempt.resume_from is None:
            return
        checkpoint = PurePosixPath(attempt.resume_from)
        file = self._paths.folder / checkpoint
        if file.is_file():
            self._snapshots.push(str(checkpoint.parent), files_of(file.parent))

    def keep(self, attempt: Attempt) -> None:
        """Stores an attempt as it ended here, for whoever goes on on another machine."""
        folder = self._paths.attempt(attempt.number, attempt.attempt).folder
        self._unkept[self._paths.relative(folder)] = folder
        self._store_all()

    def requests(self, attempt: Attempt) -> Iterator[tuple[Path, str]]:
        """What an attempt is newly asked for by files here: their paths, and their content."""
        place = self._paths.attempt(attempt.number, attempt.attempt)
        for path in (place.pause, place.stop, place.leave, self._paths.stop):
            asked = (attempt.number, attempt.attempt, path)
            if asked not in self._asked and path.exists():
                self._asked.add(asked)
                yield path, path.read_text(encoding="utf-8", errors="replace")

    def bring(self, attempt: Attempt) -> None:
        """Brings what an attempt has left in the store, and drops what it has dropped.

        Raises:
            ResumeLater: The store was away for too long.
            OSError: Nothing can be written here.
        """
        folder = self._paths.attempt(attempt.number, attempt.attempt).folder
        names = self._patiently(lambda: self._bring(folder))
        for entry in checkpoints_in(folder):
            if entry.path.name not in names:
                entry.path.unlink(missing_ok=True)

    def _bring(self, folder: Path) -> tuple[str, ...]:
        key = self._paths.relative(folder)
        names = self._snapshots.pull(key, folder)
        if not names:  # its spec was sent
            raise StoreError(f"what it held is gone: {key}")
        return names

    def _patiently(self, ask: Callable[[], _Result]) -> _Result:
        return patiently(ask, self._patience)
