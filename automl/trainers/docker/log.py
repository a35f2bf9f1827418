"""A container's output on its way into the attempt's log."""

import re
from collections.abc import Iterable
from pathlib import Path

__all__ = ["LogFile", "Redactor"]

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
        lines = {line.strip().encode() for text in secrets for line in text.splitlines()}
        self._hidden = sorted((line for line in lines if len(line) >= _LEAST_SECRET), key=len)

    def __call__(self, text: bytes) -> bytes:
        """``text`` without them, as long as it was."""
        for secret in reversed(self._hidden):
            text = text.replace(secret, b"*" * len(secret))
        return text


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
        self._skip = self._path.stat().st_size if self._path.exists() else 0

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
        with self._path.open("ab") as file:
            file.write(text)
