"""Files and folders that others may have written to: no link is followed, no pipe waited for.

A container writes what it likes into its attempt's folder, and a study may come from anywhere. A
link there could lead what is read, appended to, replaced or deleted to a file outside.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from automl.errors import FixInput

__all__ = ["held", "open_file", "read_file", "refused_link", "writable"]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_RIGHTS = 0o644


def open_file(path: Path, flags: int = os.O_RDONLY, *, follow: bool = False) -> int:
    """A descriptor of a regular file.

    Args:
        path: The file.
        flags: As of ``os.open``.
        follow: Whether the path may be a link.

    Raises:
        OSError: It cannot be opened; ELOOP for a link, EINVAL for what is no regular file.
    """
    flags |= os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    file = os.open(path, flags, _RIGHTS)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return file


def read_file(path: Path, *, follow: bool = False) -> BinaryIO:
    """A regular file opened for reading; see :func:`open_file`."""
    return os.fdopen(open_file(path, follow=follow), "rb")


def writable(path: Path, flags: int) -> int:
    """A descriptor of a file of a study's layout, made if need be.

    Raises:
        FixInput: A link stands in its place.
        OSError: It cannot be opened.
    """
    try:
        return open_file(path, flags | os.O_CREAT)
    except OSError as error:
        if path.is_symlink():
            raise refused_link(path) from error
        raise


@contextmanager
def held(folder: Path, root: Path, *, make: bool = False) -> Iterator[Path]:
    """A folder under a path that stays this folder's inside the block, whatever takes its place.

    Args:
        folder: At or below ``root``.
        root: May be a link itself; nothing below it may.
        make: Whether folders that are missing are made.

    Raises:
        FixInput: A link stands in the place of a folder.
        OSError: A folder is missing or cannot be opened.
    """
    file = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        here = root
        for name in folder.relative_to(root).parts:
            here /= name
            below = _below(file, here, make=make)
            os.close(file)
            file = below
        yield Path(f"/proc/self/fd/{file}")
    finally:
        os.close(file)


def _below(above: int, folder: Path, *, make: bool) -> int:
    try:
        if make:
            with suppress(FileExistsError):
                os.mkdir(folder.name, dir_fd=above)
        return os.open(folder.name, _FOLDER, dir_fd=above)
    except OSError as error:
        if folder.is_symlink():
            raise refused_link(folder) from error
        raise


def refused_link(path: Path) -> FixInput:
    """The error that names a link where a study has a file or a folder of its own."""
    try:
        target = str(path.readlink())
    except OSError:
        target = "elsewhere"
    return FixInput(
        "the files and folders of a study must be its own and not links",
        got=f"a link to {target}",
        where=str(path),
        fix="remove the link, or put what it leads to in its place",
    )
