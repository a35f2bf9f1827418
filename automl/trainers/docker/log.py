"""A container's output on its way into the attempt's log."""

import errno
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from automl.inside import open_file

__all__ = ["LogFile", "Redactor"]

#: How the system refuses to open a link, a pipe that nobody reads, and what is no file.
_NOT_OURS = frozenset({errno.ELOOP, errno.ENXIO, errno.EINVAL})

_LINE_END = re.compile(rb"[\r\n]")
#: Longest unfinished line that is held back; a longer one is written in parts.
_MOST_HELD = 1 << 16
#: Shorter values are no secrets, and their letters may well occur in any text.
_LEAST_SECRET = 6


class Redactor:
    """Blots out secrets, each by as many stars as it has bytes.

    Args:
        secrets: Texts that must not appear; of one with several lines, each line.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        lines = {os.fsencode(line.strip()) for text in secrets for line in text.splitlines()}
        self._hidden = sorted((line for line in lines if len(line) >= _LEAST_SECRET), key=len)

    def __call__(self, text: bytes) -> bytes:
        """``text`` without them, as long as it was."""
        for secret in reversed(self._hidden):
            text = text.replace(secret, b"*" * len(secret))
        return text


def _size(path: Path) -> int:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


class LogFile:
    """Appends a container's output to a file, exactly once.

    The output is always read from its start. What the file holds already is skipped by its length,
    so that a broken stream, or another driver, goes on where the last one came to.

    Args:
        path: The attempt's log.
        hide: What is done to each piece before it is written; keeps its length.
    """

    def __init__(self, path: Path, hide: Redactor) -> None:
        self._path = path
        self._hide = hide
        self._skip = 0
        self._held = b""

    def reopen(self) -> None:
        """Prepares for the output from its start once more."""
        self._held = b""
        self._skip = _size(self._path)

    def take(self, piece: bytes) -> None:
        """The next piece of the output; its unfinished last line is held back."""
        skipped = min(self._skip, len(piece))
        self._skip -= skipped
        self._held += piece[skipped:]
        ends = [match.end() for match in _LINE_END.finditer(self._held)]
        if ends:
            self._write(ends[-1])
        elif len(self._held) > _MOST_HELD:
            self._write(len(self._held))

    def close(self, last: str = "") -> None:
        """Writes what was held back, and a last line of our own if there is one to say."""
        self._write(len(self._held))
        if last:
            self._append(f"{last}\n".encode())

    def _write(self, length: int) -> None:
        text, self._held = self._held[:length], self._held[length:]
        if text:
            self._append(self._hide(text))

    def _append(self, text: bytes) -> None:
        with os.fdopen(self._open(), "ab") as file:
            file.write(text)

    def _open(self) -> int:
        """The log; what a container has put in its place is taken away, and never written to."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        try:
            return open_file(self._path, flags)
        except OSError as error:
            if error.errno not in _NOT_OURS:
                raise
        self._path.unlink()
        file = open_file(self._path, flags | os.O_EXCL)
        os.write(file, f"automl: {self._path.name} had been replaced; it starts again\n".encode())
        return file
