"""A study that is read again and again, of whose journal only new lines are replayed."""

from typing import Final

import optuna
from optuna.storages import BaseStorage

from automl.errors import AutomlError
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.study.storage import REPLAY_ERRORS, read_study

__all__ = ["StudyReader"]

#: What a journal ends in that is no longer the one that was read, or is broken.
_UNREADABLE: Final = (AutomlError, *REPLAY_ERRORS)


class StudyReader:
    """Keeps the journal of a study open between two looks at it; a database is opened anew.

    Args:
        paths: The study folder.
    """

    def __init__(self, paths: StudyPaths) -> None:
        self._paths = paths
        self._storage: BaseStorage | None = None
        self._file: tuple[int, int, int] | None = None

    def read(self, config: StudyConfig) -> optuna.Study | None:
        """The study as it is now; None if there is nothing yet.

        Raises:
            FixInput: The storage is broken, cannot be opened, or does not know the study's trials.
            PrepareMachine: The machine does not let it be read.
        """
        before, self._file = self._file, None if config.storage_url else self._identity()
        storage = self._storage if _goes_on(before, self._file) else None
        self._storage = None
        study = self._continued(config, storage) or read_study(self._paths, config)
        self._storage = None if study is None else study._storage
        return study

    def _continued(self, config: StudyConfig, storage: BaseStorage | None) -> optuna.Study | None:
        if storage is None:
            return None
        try:
            return read_study(self._paths, config, storage)
        except _UNREADABLE:
            # Read from its beginning it is either whole, or says what is wrong.
            return None

    def _identity(self) -> tuple[int, int, int] | None:
        """Device, inode and size of the journal; None where there is none."""
        try:
            found = self._paths.journal.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_size


def _goes_on(before: tuple[int, int, int] | None, now: tuple[int, int, int] | None) -> bool:
    """Whether a journal is the same file and has lost nothing."""
    return before is not None and now is not None and before[:2] == now[:2] and before[2] <= now[2]
