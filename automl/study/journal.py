"""The file behind the Optuna journal: a lock that dies with its holder, and a torn end repaired.

Optuna offers two locks for the file, a symbolic link and a file made with ``O_EXCL``. Both outlive
a process killed while it holds one, and the next writer then waits out a grace period of 30
seconds. The lock here is ``flock`` on the journal itself: the kernel drops it with the process, so
there is nothing left behind to wait for. Where a mount has no locks the first write says so.

A machine that dies, or a full disk, can leave the last line of the journal unfinished. Optuna
reads over such an end, but would append the next line to it and never read the file again. So the
unfinished end is cut off, and kept beside the journal, before anything is written.

Every line is looked at before Optuna replays it, and a broken one is named.
"""

import errno
import json
import logging
import os
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from automl.errors import FixInput, PrepareMachine
from automl.filelock import lock, try_lock
from automl.inside import open_file, writable
from automl.jsontext import parse_json
from automl.study.layout import StudyPaths
from automl.study.operations import JournalCheck

__all__ = ["CheckedJournal", "KernelLock", "deleted_in", "repair_journal"]

_log = logging.getLogger(__name__)

_END = object()
#: What Optuna says of a line that does not end.
_OPTUNA_TORN = "Invalid log format."

#: No journal yet, or one that this process may read and not write.
_NOT_OURS_TO_REPAIR = frozenset({errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS})


class KernelLock(JournalFileOpenLock):
    """Optuna's interface of a journal lock over ``flock``; held by one open file, not by a name.

    Args:
        path: The journal.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        """Waits until no other process or storage object writes to the journal.

        Raises:
            PrepareMachine: The file system has no locks.
        """
        file = writable(self._path, os.O_RDWR)
        try:
            lock(file, self._path)
        except BaseException:
            os.close(file)
            raise
        self._file = file
        return True

    def release(self) -> None:
        """Lets the next writer in."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class CheckedJournal(JournalFileBackend):
    """The file of a journal, each of whose lines is looked at before it is replayed.

    Args:
        path: The journal; made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), lock_obj=KernelLock(path))
        self._path = path
        self._check = JournalCheck()

    @property
    def n_lines(self) -> int:
        """Lines that have been looked at."""
        return self._check.n_lines

    @property
    def deleted(self) -> Mapping[str, int]:
        """Names of studies that were deleted, each to the line that did it."""
        return self._check.deleted

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """The operations of the lines after the first ``log_number_from``.

        Raises:
            FixInput: A line is no JSON, or no operation.
        """
        logs: Iterator[Any] = super().read_logs(log_number_from)
        for position in count(log_number_from + 1):
            try:
                operation: Any = next(logs, _END)
                if operation is _END:
                    return
                if position > self._check.n_lines:
                    self._check.check(operation)
            except (ValueError, RecursionError) as error:
                raise self.broken_line(position, error) from error
            yield operation

    def broken_line(self, position: int, error: Exception) -> FixInput:
        """The error of a line.

        Args:
            position: Which line, from 1.
            error: What is wrong with it.
        """
        is_json = not isinstance(error, json.JSONDecodeError | UnicodeError | RecursionError)
        is_whole = is_json and str(error) != _OPTUNA_TORN
        return FixInput(
            f"every line of a study's journal must be {'one operation' if is_whole else 'JSON'}",
            got=f"line {position}: {error}" if is_whole else f"line {position}, which is not",
            where=str(self._path),
            fix="restore the file from a copy: the trials after that line cannot be read",
        )


def deleted_in(path: Path, name: str) -> int | None:
    """The line of a journal that deletes a study; None if none does.

    Raises:
        FixInput: The journal is broken.
    """
    journal = CheckedJournal(path)
    deque(journal.read_logs(0), maxlen=0)
    return journal.deleted.get(name)


def repair_journal(paths: StudyPaths) -> str | None:
    """Cuts an unfinished end off the journal and keeps it in ``study.journal.torn``.

    Does nothing while another process is writing, whose end is only unfinished for now, and
    nothing where this process may not write or lock.

    Returns:
        What was done, as a sentence; None if the journal is whole.
    """
    try:
        with os.fdopen(open_file(paths.journal, os.O_RDWR), "r+b") as file:
            is_ours = try_lock(file.fileno(), paths.journal)
            lost = _cut_torn_end(file, paths.journal_torn) if is_ours else 0
    except PrepareMachine:
        return None
    except OSError as error:
        if error.errno in _NOT_OURS_TO_REPAIR:
            return None
        raise
    if not lost:
        return None
    note = (
        f"the end of {paths.journal.name} was torn: {lost} bytes of an unfinished line were moved "
        f"to {paths.journal_torn.name}; nothing else is lost"
    )
    _log.warning(note)
    return note


def _cut_torn_end(file: BinaryIO, torn: Path) -> int:
    """Moves what follows the last whole line of an open file to another; how many bytes it was."""
    content = file.read()
    whole = _whole_length(content)
    if whole < len(content):
        with os.fdopen(writable(torn, os.O_WRONLY | os.O_APPEND), "ab") as kept:
            kept.write(content[whole:] + b"\n")
        file.truncate(whole)
        os.fsync(file.fileno())
    return len(content) - whole


def _whole_length(content: bytes) -> int:
    """How many bytes hold whole lines; the last whole line must be JSON, or it is torn too."""
    end = content.rfind(b"\n") + 1
    start = content.rfind(b"\n", 0, max(0, end - 1)) + 1
    try:
        parse_json(content[start:end] or b"{}")
    except ValueError:
        return start
    return end
