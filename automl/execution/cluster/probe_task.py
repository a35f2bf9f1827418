"""What a node of the cluster says of itself: a small task that is sent there as source.

It runs where this package may be missing, or be another one, so it needs the standard library
alone; the driver asks itself the same questions and compares (``probe``).
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["PACKAGE", "answer", "clock"]

PACKAGE = "automl"
_VERSION = re.compile(r'^__version__ = "(.+)"', re.MULTILINE)
_MOST_ENTRIES = 10_000
#: Seconds that a file of the driver's gets to be seen; network mounts cache what they have listed.
_SEEN_WITHIN_S = 5.0
_POLL_S = 0.2


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """What is true of the machine that this runs on.

    Args:
        question: ``file``: a file whose content is to be read, or empty; ``reply``: a file to
            write that content into; ``data``: folders to look at.

    Returns:
        Plain values: ``python``, ``torch``, ``version`` and ``digest`` of this package's code
        (empty where it cannot be imported), ``content`` of the file, ``data`` (folder to a digest
        of its entries), ``error``.
    """
    version, digest = _package()
    facts: dict[str, Any] = {
        "python": platform.python_version(),
        "torch": _version_of("torch"),
        "version": version,
        "digest": digest,
        "content": "",
        "error": "",
        "data": {folder: _entries(Path(folder)) for folder in question["data"]},
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


def _entries(folder: Path) -> str:
    """A digest of the names and sizes in a folder; empty where it cannot be read."""
    total = hashlib.sha256()
    try:
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)[:_MOST_ENTRIES]
        for entry in found:
            size = 0 if entry.is_dir() else entry.stat().st_size
            total.update(f"{entry.name}\0{size}\n".encode(errors="surrogateescape"))
    except OSError:
        return ""
    return total.hexdigest()[:12]


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
