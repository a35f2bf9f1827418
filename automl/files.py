"""Writing files so that a crash never leaves half of one, and telling files by their content."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

__all__ = [
    "ReadOnce",
    "clear_unfinished",
    "replaced",
    "sha256_of",
    "write_bytes",
    "write_json",
    "write_text",
]

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
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def clear_unfinished(folder: Path) -> None:
    """Deletes what a crash in the middle of ``replaced`` left in a folder.

    Only for whoever writes there alone: the unfinished file of another writer would go too.
    """
    for path in folder.glob(f".*.{'?' * _RANDOM_SIGNS}"):
        if path.is_file():
            path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes ``content`` to ``path`` whole or not at all."""
    with replaced(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Writes ``content`` to ``path`` as UTF-8, whole or not at all."""
    write_bytes(path, content.encode())


def write_json(path: Path, value: Any) -> None:
    """Writes ``value`` to ``path`` as strict, indented JSON, whole or not at all.

    Raises:
        ValueError: A number is NaN or infinite: strict JSON has no word for it.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in lower-case hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
