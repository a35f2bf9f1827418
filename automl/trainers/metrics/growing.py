"""Files that grow while they are read, and that somebody else writes."""

import time
from collections.abc import Iterator
from pathlib import Path

from automl.inside import read_file

__all__ = ["FileSearch", "GrowingLines", "find_file", "whole_text"]

#: Characters that a line may have; a longer one is passed over without being held in memory.
LONGEST_LINE = 1 << 16
_BLOCK = 1 << 20
_MOST_BYTES = 16 << 20
#: Seconds from one look through folders for a file to the next.
LOOK_EVERY_S = 2.0


class FileSearch:
    """Looks for the file of a pattern, not at every call.

    Args:
        folder: Where it will be.
        patterns: Its names below the folder, best first; ``*`` and ``**`` as of ``Path.glob``.
    """

    def __init__(self, folder: Path, patterns: tuple[str, ...]) -> None:
        self._folder = folder
        self._patterns = patterns
        self._found: Path | None = None
        self._looked_at = float("-inf")

    def path(self, *, now: bool = False) -> Path | None:
        """The file, once there is one; ``now`` looks in any case."""
        if self._found is None:
            is_due = now or time.monotonic() - self._looked_at >= LOOK_EVERY_S
            plain = tuple(pattern for pattern in self._patterns if not _is_wild(pattern))
            self._found = find_file(self._folder, self._patterns if is_due else plain)
            self._looked_at = time.monotonic() if is_due else self._looked_at
        return self._found


def find_file(folder: Path, patterns: tuple[str, ...]) -> Path | None:
    """The file of the first pattern that has one; of several the newest by name. No links."""
    for pattern in patterns:
        found = sorted(folder.glob(pattern)) if _is_wild(pattern) else [folder / pattern]
        files = [path for path in found if path.is_file() and not path.is_symlink()]
        if files:
            return files[-1]
    return None


def _is_wild(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")


class GrowingLines:
    """The lines of a text file, each once, as they become whole."""

    def __init__(self) -> None:
        self._offset = 0
        self._torn = b""
        self._is_too_long = False

    def new(self, path: Path, *, final: bool) -> Iterator[str]:
        """The lines that are new; the last one too, whole or not, once nothing more is written."""
        for block in self._blocks(path):
            *whole, self._torn = (self._torn + block.replace(b"\r", b"\n")).split(b"\n")
            for text in whole:
                if not self._is_too_long and len(text) <= LONGEST_LINE:
                    yield text.decode(errors="replace")
                self._is_too_long = False
            if len(self._torn) > LONGEST_LINE:
                self._torn, self._is_too_long = b"", True
        if final and self._torn and not self._is_too_long:
            yield self._torn.decode(errors="replace")
            self._torn = b""

    def _blocks(self, path: Path) -> Iterator[bytes]:
        try:
            with read_file(path) as file:
                file.seek(self._offset)
                while block := file.read(_BLOCK):
                    self._offset += len(block)
                    yield block
        except OSError:
            return


def whole_text(path: Path) -> str | None:
    """What a file holds; None where it cannot be read or is too large."""
    try:
        with read_file(path) as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError:
        return None
    return None if len(content) > _MOST_BYTES else content.decode(errors="replace")
