"""What a node of the cluster says of itself: a small task that is sent there as source.

It runs where this package may be missing, or be another one, so it needs the standard library
alone; the driver asks itself the same questions and compares (``probe``).
"""

import hashlib
import importlib.metadata
import importlib.util
import itertools
import os
import platform
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["PACKAGE", "answer", "clock"]

PACKAGE = "automl"
_VERSION = re.compile(r'^__version__ = "(.+)"', re.MULTILINE)
_MOST_ENTRIES = 200_000
#: Files of a folder that are read, chosen by their names' hashes, and bytes of them, about.
_MOST_READ = 2_000
_MOST_BYTES = 64 << 20
_BLOCK = 1 << 20
#: Seconds that a file of the driver's gets to be seen; network mounts cache what they have listed.
_SEEN_WITHIN_S = 5.0
_POLL_S = 0.2


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """What is true of the machine that this runs on.

    Args:
        question: ``file``: a file whose content is to be read, or empty; ``reply``: a file to
            write that content into; ``data``: folders and files to look at.

    Returns:
        Plain values: ``python``, ``torch``, ``version`` and ``digest`` of this package's code
        (empty where it cannot be imported), ``content`` of the file, ``data`` (path to a digest of
        what is there), ``error``.
    """
    version, digest = _package()
    facts: dict[str, Any] = {
        "python": platform.python_version(),
        "torch": _version_of("torch"),
        "version": version,
        "digest": digest,
        "content": "",
        "error": "",
        "data": {path: _digest_of(Path(path)) for path in question["data"]},
    }
    if question["file"]:
        try:
            facts["content"] = _exchanged(Path(question["file"]), Path(question["reply"]))
        except OSError as error:
            facts["error"] = f"{error.strerror}: {error.filename}"
    return facts


def _version_of(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _package() -> tuple[str, str]:
    """Version and digest of the code that ``import automl`` would find."""
    try:
        found = importlib.util.find_spec(PACKAGE)
    except (ImportError, ValueError):
        return "", ""
    if found is None or not found.origin:
        return "", ""
    origin = Path(found.origin)
    total = hashlib.sha256()
    for path in sorted(origin.parent.rglob("*.py")):
        total.update(path.relative_to(origin.parent).as_posix().encode() + b"\0")
        total.update(path.read_bytes() + b"\0")
    named = _VERSION.search(origin.read_text(encoding="utf-8"))
    return named.group(1) if named else "", total.hexdigest()[:12]


def _digest_of(path: Path) -> str:
    """A digest of a file, or of a folder's files: names, sizes, and a part of their content.

    The part is the same on every machine. Empty where something cannot be read.
    """
    total = hashlib.sha256()
    try:
        if not path.is_dir():
            _read_into(total, path)
            return total.hexdigest()[:12]
        sizes = dict(itertools.islice(_sizes(path), _MOST_ENTRIES))
        for name in sorted(sizes):
            total.update(f"{name}\0{sizes[name]}\n".encode(errors="surrogateescape"))
        for name in _sample(sizes):
            _read_into(total, path / name)
    except OSError:
        return ""
    return total.hexdigest()[:12]


def _sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """The files below a folder, each with its size in bytes, in an order of their own."""
    for at, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        folders.sort()
        for name in sorted(names):
            path = Path(at, name)
            yield str(path.relative_to(folder)), path.stat().st_size


def _sample(sizes: Mapping[str, int]) -> Iterator[str]:
    """The files that are read: all of a small folder, some of a large one."""
    left = _MOST_BYTES
    for name in sorted(sizes, key=_place)[:_MOST_READ]:
        if sizes[name] <= left:
            left -= sizes[name]
            yield name


def _place(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()


def _read_into(total: Any, path: Path) -> None:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            total.update(block)
    total.update(b"\0")


def _raise(error: OSError) -> None:
    raise error


def _exchanged(file: Path, reply: Path) -> str:
    """The content of the driver's file, which is also written back for the driver to read."""
    deadline = time.monotonic() + _SEEN_WITHIN_S
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    content = file.read_text(encoding="utf-8")
    reply.write_text(content, encoding="utf-8")
    return content


def clock() -> float:
    """The time of day there, in Unix seconds."""
    return time.time()
