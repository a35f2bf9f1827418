"""Locks between processes on open files.

The lock is ``flock``: the kernel drops it with the process that holds it, however that dies, so
there is never anything to break by hand. Linux passes it on to the server on NFS (version 3 with
its lock daemon, version 4 always); some network mounts keep it to each machine, some have none.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automl.errors import PrepareMachine
from automl.inside import open_file

__all__ = ["is_locked", "lock", "locked", "try_lock"]


def lock(file: int, path: Path) -> None:
    """Locks an open file, waiting until no other process or open file holds its lock.

    Args:
        file: Descriptor of the file; to close it is to release the lock.
        path: Where the file is, for the error.

    Raises:
        PrepareMachine: The file system has no locks.
    """
    _flock(file, path, fcntl.LOCK_EX)


def try_lock(file: int, path: Path) -> bool:
    """Locks an open file unless its lock is held; whether it did.

    Args:
        file: Descriptor of the file; to close it is to release the lock.
        path: Where the file is, for the error.

    Raises:
        PrepareMachine: The file system has no locks.
    """
    try:
        _flock(file, path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _flock(file: int, path: Path, operation: int) -> None:
    try:
        fcntl.flock(file, operation)
    except BlockingIOError:
        raise
    except OSError as error:
        raise PrepareMachine(
            "the file system of this folder must be able to lock files",
            got=error.strerror or "",
            where=str(path),
            fix="choose a folder on another file system, or mount this one with locking",
        ) from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock of a file, which is made if need be, while the ``with`` block runs.

    The file stays: to remove it would let two processes hold locks of one name.

    Raises:
        PrepareMachine: The file system has no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = open_file(path, os.O_RDWR | os.O_CREAT)
    try:
        lock(file, path)
        yield
    finally:
        os.close(file)


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock of a file, or may hold it; False where there is no file."""
    try:
        with path.open("rb") as file:
            return not try_lock(file.fileno(), path)
    except FileNotFoundError:
        return False
    except (OSError, PrepareMachine):
        return True
