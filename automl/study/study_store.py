"""A study's files in an object store, for machines that share no file system.

A folder is stored as a snapshot: its files by the hash of their content, and a list that names
them, which is written last. So whoever reads sees a whole state, and can check what was read::

    <store>/<study>/trials/0007/1/files.json   name to hash and size
    <store>/<study>/trials/0007/1/<sha256>     a file

What a list no longer names is removed one list later: a reader may still be at it.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from automl.errors import InstallExtra, PrepareMachine
from automl.extras import how_to_get
from automl.files import FULL, replaced, sha256_of
from automl.jsontext import parse_json

__all__ = ["Snapshots", "StoreError", "StudyStore"]

_LIST = "files.json"
_SHA256_LENGTH = 64
#: Files below this size are read at once; larger ones are checkpoints, which do not grow.
_AT_ONCE = 64 << 20
#: A server that does not answer is asked again by us, who say so; its client must give up soon.
_S3 = {"connect_timeout": 5, "read_timeout": 20, "retries": {"max_attempts": 1}}
_LONGEST = 200


class StoreError(OSError):
    """The store did not do what it was asked for; it may do so later."""

    @classmethod
    def of(cls, error: Exception) -> "StoreError":
        """By what its client said."""
        lines = str(error).strip().splitlines()
        text = (lines[0] if lines else type(error).__name__)[:_LONGEST]
        if isinstance(error, PermissionError):
            return cls(f"it refuses access: {text}")
        if isinstance(error, FileNotFoundError):
            return cls(f"what it held is gone: {text}")
        return cls(text)


@dataclass(frozen=True, slots=True)
class StudyStore:
    """Where one study's snapshots lie.

    Attributes:
        url: Address of the study in the store, such as ``s3://bucket/studies/bike``.
    """

    url: str

    def snapshots(self) -> "Snapshots":
        """Opens the store.

        Raises:
            InstallExtra: The packages for such a store are not installed.
            PrepareMachine: The store does not take the address.
        """
        try:
            import fsspec
        except ImportError:
            raise self._lacks("fsspec") from None
        try:
            system, root = fsspec.core.url_to_fs(self.url, **_options(self.url))
            if self.url.startswith("s3:"):
                system.retries = 1
        except ImportError as error:
            raise self._lacks(str(error)) from None
        except (ValueError, OSError) as error:
            raise PrepareMachine(
                "the store of a study must be an address that fsspec knows",
                got=str(error),
                where=f"--study-store {self.url}",
                fix="write s3://bucket/prefix",
            ) from error
        return Snapshots(system, root)

    def _lacks(self, what: str) -> InstallExtra:
        return InstallExtra(
            "a study store needs an optional part of this package",
            got=what,
            where=f"--study-store {self.url}",
            fix=how_to_get("remote"),
        )


def _options(url: str) -> dict[str, Any]:
    """What a store's client is told."""
    if url.startswith("file:"):
        return {"auto_mkdir": True}
    return {"config_kwargs": _S3} if url.startswith("s3:") else {}


class Snapshots:
    """Reads and writes the snapshots of folders; one reader or writer of a folder at a time.

    Args:
        system: The file system, as fsspec has it.
        root: Where the study lies in it.
    """

    def __init__(self, system: Any, root: str) -> None:
        self._system = system
        self._root = PurePosixPath(root)
        self._hashes: dict[Path, tuple[tuple[int, int], str]] = {}
        self._unlisted: dict[str, frozenset[str]] = {}

    def try_out(self) -> None:
        """Writes something, and takes it away again.

        Raises:
            StoreError: The store does not let that happen.
        """
        place = self._at("", f".tried-{secrets.token_hex(4)}")
        self._ask("pipe_file", place, b"")
        self._ask("rm_file", place)

    def push(self, key: str, files: Iterable[Path]) -> bool:
        """Stores the files as the snapshot of a folder; whether anything had changed.

        A file that vanishes meanwhile is left out.

        Args:
            key: The folder, relative to the study; empty for the study's own.
            files: Files of that folder; their names must differ.

        Raises:
            StoreError: The store cannot be written.
            OSError: A file cannot be read.
        """
        before = self._listed(key)
        now = dict(entry for path in files if (entry := self._put(key, path, before)) is not None)
        if now == before:
            return False
        self._ask("pipe_file", self._at(key, _LIST), json.dumps(now, indent=1).encode())
        wanted = {entry["sha256"] for entry in now.values()}
        for name in self._unlisted.pop(key, frozenset()) - wanted:
            self._remove(key, name)
        gone = {entry["sha256"] for entry in before.values()} - wanted
        self._unlisted[key] = frozenset(gone)
        return True

    def pull(self, key: str, folder: Path, only: str = "") -> tuple[str, ...]:
        """Brings a snapshot into a folder; files that it does not name stay.

        Args:
            key: The folder, relative to the study; empty for the study's own.
            folder: Where to.
            only: The one file that is wanted; empty for all.

        Returns:
            The names of the files that the snapshot has.

        Raises:
            StoreError: The store cannot be read, or what it gave is not what its list names.
            OSError: A file cannot be written.
        """
        listed = self._listed(key)
        for name, entry in listed.items():
            if only and name != only:
                continue
            path = folder / PurePosixPath(name).name
            if self._hash_of(path) != entry["sha256"]:
                self._get(key, entry["sha256"], path)
        return tuple(listed)

    def _put(
        self, key: str, path: Path, before: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]] | None:
        digest = self._hash_of(path)
        if digest is None:
            return None
        stored = {entry["sha256"] for entry in before.values()}
        if digest not in stored:
            # Read once, so that a file that grows meanwhile is stored under its own hash.
            content = path.read_bytes() if path.stat().st_size < _AT_ONCE else None
            if content is None:
                self._ask("put_file", str(path), self._at(key, digest))
            else:
                digest = _digest(content)
                self._ask("pipe_file", self._at(key, digest), content)
        return path.name, {"sha256": digest, "size": path.stat().st_size}

    def _get(self, key: str, digest: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as aside:
            self._ask("get_file", self._at(key, digest), str(aside))
            if sha256_of(aside) != digest:
                raise StoreError(f"{path.name} is damaged in the store ({key or 'the study'})")

    def _ask(self, call: str, *arguments: Any) -> Any:
        """Has the store's client do something.

        Raises:
            StoreError: It did not.
        """
        try:
            return getattr(self._system, call)(*arguments)
        except Exception as error:  # each store has errors of its own
            if isinstance(error, OSError) and error.errno in FULL:
                raise  # this machine's disk
            raise StoreError.of(error) from error

    def _remove(self, key: str, name: str) -> None:
        try:
            self._ask("rm_file", self._at(key, name))
        except StoreError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise

    def _listed(self, key: str) -> dict[str, Any]:
        try:
            value = parse_json(self._ask("cat_file", self._at(key, _LIST)))
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return {}
            raise
        except ValueError as error:
            raise StoreError(f"the list of {key or 'the study'} in the store is broken") from error
        return {
            str(name): entry
            for name, entry in value.items()
            if len(str(entry["sha256"])) == _SHA256_LENGTH
        }

    def folders(self) -> list[str]:
        """The folders that have a snapshot, relative to the study; empty for the study's own."""
        self._system.invalidate_cache()
        found = self._ask("glob", str(self._root / "**" / _LIST))
        folders = (PurePosixPath(path).parent for path in found)
        return sorted(
            "" if folder == self._root else str(folder.relative_to(self._root))
            for folder in folders
        )

    def _at(self, key: str, name: str) -> str:
        return str(self._root / key / name)

    def _hash_of(self, path: Path) -> str | None:
        """The hash of a file; None where there is none. Computed again only after a change."""
        try:
            found = path.stat()
            known = self._hashes.get(path)
            mark = (found.st_mtime_ns, found.st_size)
            if known is None or known[0] != mark:
                known = self._hashes[path] = (mark, sha256_of(path))
        except OSError:
            return None
        return known[1]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
