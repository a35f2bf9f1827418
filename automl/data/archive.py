"""A split given as a folder or as a tarball, and the cache that tarballs are extracted into.

A folder is used as it is. What lies at an address is brought here first (``staging``). A tarball
is extracted once, into a folder of the cache (``store``) named for the SHA-256 of its bytes::

    <cache>/archives/<sha256>/      what the tarball holds
    <cache>/archives/known/*.json   path, size and time of tarballs already hashed
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from automl.data.staging import Transfer, is_remote, stage
from automl.data.store import kept
from automl.data.untar import extract
from automl.errors import FixInput
from automl.files import sha256_of, write_json
from automl.jsontext import read_json

__all__ = ["is_tarball", "resolve_source"]

_ENDINGS: Final = (".tar", ".tar.gz", ".tgz")
_SPLITS: Final = frozenset({"train", "val", "test"})


def is_tarball(path: Path) -> bool:
    """Whether a file's name says that it is a tarball this package extracts."""
    return path.name.lower().endswith(_ENDINGS)


def resolve_source(path: str, cache: Path, transfer: Transfer | None = None) -> Path:
    """The folder that holds a split's sequences, extracted first if it comes as a tarball.

    Args:
        path: A folder, or a tarball (.tar, .tar.gz, .tgz) of one; ``~`` is understood. Or the
            address of such.
        cache: Where extracted tarballs are kept; it is made when needed.
        transfer: Told how far it is when something is brought from another machine.

    Returns:
        An absolute folder. A tarball with a single top folder train, val or test gives that one.

    Raises:
        FixInput: Nothing is there, or the tarball is cut short or unsafe to extract.
        PrepareMachine: The disk is full, the cache cannot be written, or the connection failed.
    """
    if is_remote(path):
        path = str(stage(path, cache, transfer).path)
    source = Path(path).expanduser().absolute()
    if source.is_dir():
        return _entered(source) if source.parent.parent == cache.absolute() / "remote" else source
    if not source.is_file():
        raise FixInput("data must be a folder or a tarball that exists", got=str(source))
    if not is_tarball(source):
        raise FixInput(
            "a file given as data must be a tarball",
            got=source.name,
            fix=f"give a folder, or a file ending in {', '.join(_ENDINGS)}",
        )
    store = cache.absolute() / "archives"
    return _entered(_extracted(source, store))


def _extracted(source: Path, store: Path) -> Path:
    """The folder with the tarball's content, extracted now unless it is there whole."""
    return kept(store, _digest_of(source, store), lambda folder: extract(source, folder))


def _digest_of(source: Path, store: Path) -> str:
    """The SHA-256 of the tarball, remembered while its size and modification time stay."""
    status = source.stat()
    facts = {"path": str(source), "size": status.st_size, "mtime_ns": status.st_mtime_ns}
    name = hashlib.sha256(os.fsencode(source)).hexdigest()
    memory = store / "known" / f"{name}.json"
    try:
        known = read_json(memory)
    except (OSError, ValueError):
        known = {}
    if isinstance(known, dict) and known.items() >= facts.items() and "sha256" in known:
        return str(known["sha256"])
    digest = sha256_of(source)
    with suppress(OSError):  # a cache that cannot be written may hold the folder all the same
        write_json(memory, {**facts, "sha256": digest})
    return digest


def _entered(folder: Path) -> Path:
    """The split inside an extracted tarball: its one top folder, if that is named for a split."""
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    if len(entries) == 1 and entries[0].is_dir() and entries[0].name in _SPLITS:
        return entries[0]
    return folder
