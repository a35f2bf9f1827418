"""Writing files so that a crash never leaves half of one, and telling files by their content."""

import errno
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from automl.inside import held, read_file

__all__ = [
    "FULL",
    "ReadOnce",
    "clear_unfinished",
    "replaced",
    "sha256_of",
    "write_bytes",
    "write_json",
    "write_text",
]

#: What the system says of a disk, or a share of it, that is full.
FULL = (errno.ENOSPC, errno.EDQUOT)

_BLOCK = 1 << 20
_Parsed = TypeVar("_Parsed")
#: Random signs that mkstemp ends a name with.
_RANDOM_SIGNS = 8


class ReadOnce:
    """Files as they were when they were first asked for; each is read and parsed once.

    What it gives is shared by all who ask, and must not be changed. A copy in another process
    starts empty.
    """

    def __init__(self) -> None:
        self._parsed: dict[tuple[Path, object], Any] = {}

    def __call__(self, path: Path, parse: Callable[[Path], _Parsed]) -> _Parsed:
        """What ``parse`` makes of the file; an error is raised each time."""
        if (path, parse) not in self._parsed:
            self._parsed[path, parse] = parse(path)
        parsed: _Parsed = self._parsed[path, parse]
        return parsed

    def __reduce__(self) -> tuple[type["ReadOnce"], tuple[()]]:
        return ReadOnce, ()


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yields a fresh path beside ``path`` that replaces it when the block ends without error.

    The new content is flushed to disk before the rename, so that after a crash a reader finds the
    old file or the new one, whole. Nothing stays behind when the block raises.

    Raises:
        OSError: What the block left there is no regular file, or cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with read_file(temporary) as file:
            _finish(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _finish(file: int) -> None:
    """Gives a written file the rights of any other, and sees it to the disk."""
    os.fchmod(file, 0o644)
    os.fsync(file)


def clear_unfinished(folder: Path, older_than_s: float = 0.0) -> None:
    """Deletes what a crash in the middle of ``replaced`` left in a folder.

    Args:
        folder: Where; it need not exist.
        older_than_s: How long ago a file must have been written to last. Only whoever writes there
            alone gives 0: the unfinished file of another writer would go too.
    """
    latest = time.time() - older_than_s
    for path in folder.glob(f".*.{'?' * _RANDOM_SIGNS}"):
        if path.is_file() and (not older_than_s or path.lstat().st_mtime <= latest):
            path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes, within: Path | None = None) -> None:
    """Writes ``content`` to ``path`` whole or not at all.

    What is written goes through one descriptor: a file that somebody puts under the unfinished
    name meanwhile gets none of it.

    Args:
        path: Where to.
        content: What.
        within: Folder of a study, below which no link is followed; None where the path is the
            user's own.

    Raises:
        FixInput: Below ``within`` a link stands in the place of a folder.
        OSError: It cannot be written.
    """
    if within is not None:
        with held(path.parent, within, make=True) as folder:
            write_bytes(folder / path.name, content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            _finish(handle)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, content: str, within: Path | None = None) -> None:
    r"""Writes ``content`` to ``path`` as UTF-8, whole or not at all; see :func:`write_bytes`.

    A lone surrogate, as Python reads a file name that is no UTF-8, becomes ``\\udc80``.
    """
    write_bytes(path, content.encode(errors="backslashreplace"), within)


def write_json(path: Path, value: Any, within: Path | None = None) -> None:
    """Writes ``value`` to ``path`` as strict, indented JSON, whole or not at all.

    Raises:
        ValueError: A number is NaN or infinite: strict JSON has no word for it.
    """
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
    write_text(path, f"{text}\n", within)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a regular file's content, in lower-case hexadecimal."""
    digest = hashlib.sha256()
    with read_file(path, follow=True) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
