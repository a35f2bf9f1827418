"""Data at an address of another machine (``s3://``, ``https://``, ...), brought here once.

What was brought is known by its address and by what the store says of it (ETag, size, time): data
that changed is brought again, beside the old. It is kept in a folder of the cache (``store``), so
that an interrupted transfer is never taken for data::

    <cache>/remote/<key>/<name>       a tarball, or a folder with everything below the address
    <cache>/remote/<key>/staged.json  its address, ETag, size and SHA-256

Any scheme of fsspec works; those that need a package of their own say so.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from automl.data.refusals import explained
from automl.data.store import kept
from automl.errors import FixInput, InstallExtra, PrepareMachine
from automl.extras import how_to_get
from automl.files import sha256_of, write_json
from automl.jsontext import read_json

__all__ = ["Staged", "Transfer", "is_remote", "stage"]

Transfer: TypeAlias = Callable[[int, int], None]
"""Called with the bytes brought so far and the bytes in all."""

_RECORD: Final = "staged.json"
_BLOCK: Final = 1 << 20
#: Seconds for a web server to take a connection, and to send the next bytes.
_CONNECT_S: Final = 20.0
_ANSWER_S: Final = 60.0
#: Names that end so are files; any other address is a folder's.
_ENDINGS: Final = (".tar", ".tar.gz", ".tgz", ".zip", ".pth", ".pt", ".tlt", ".ckpt", ".bin",
                   ".onnx", ".safetensors", ".h5", ".hdf5", ".npz", ".pkl", ".json")  # fmt: skip
#: What stores call the mark that changes with the content, or at least the time of change.
_MARKS: Final = ("ETag", "etag", "checksum", "mtime", "LastModified", "last_modified", "created")


@dataclass(frozen=True, slots=True)
class Staged:
    """Data that was brought here.

    Attributes:
        path: The tarball or the folder.
        address: Where it came from, without any query.
        mark: The store's own mark of this content; empty if it gives none.
        n_bytes: Its size.
        sha256: Of a tarball its content's; of a folder that of its list of names and contents.
    """

    path: Path
    address: str
    mark: str
    n_bytes: int
    sha256: str

    def __str__(self) -> str:
        mark = f", mark {self.mark}" if self.mark else ""
        return f"{self.address} ({self.n_bytes} bytes{mark}, sha256 {self.sha256})"


@dataclass(frozen=True, slots=True)
class _Remote:
    """What lies at an address: each file by its name below it, with its size and mark."""

    system: Any
    name: str
    files: Mapping[str, tuple[str, int, str]]

    @property
    def n_bytes(self) -> int:
        return sum(size for _, size, _ in self.files.values())

    @property
    def mark(self) -> str:
        marks = [mark for _, _, mark in self.files.values()]
        if len(marks) == 1:
            return marks[0]
        return hashlib.sha256(json.dumps(sorted(self.files.items())).encode()).hexdigest()[:32]


def is_remote(path: str) -> bool:
    """Whether data is named by an address rather than by a path."""
    return "://" in path


def stage(address: str, cache: Path, transfer: Transfer | None = None) -> Staged:
    """What lies at an address, brought here first unless it already was.

    Args:
        address: A tarball, or a folder with the split in it.
        cache: Where it is kept; made when needed.
        transfer: Told how far the transfer is; not called if nothing has to be brought.

    Raises:
        FixInput: Nothing is there, it may not be read, or its names leave the folder.
        InstallExtra: The scheme needs a package that is not installed.
        PrepareMachine: The cache is too small or cannot be written, nobody answers, or the
            connection failed.
    """
    shown = _shown(address)
    with explained(shown):
        remote = _look(address)
    key = hashlib.sha256(os.fsencode(f"{shown}\n{remote.mark}\n{remote.n_bytes}")).hexdigest()[:32]
    store = cache.absolute() / "remote"

    def make(partial: Path) -> None:
        _check_room(store, remote, shown)
        with explained(shown, has_begun=True):
            _bring(remote, partial, transfer)
        write_json(partial / _RECORD, _record(remote, partial, shown))

    target = kept(store, key, make)
    known = read_json(target / _RECORD)
    return Staged(**known | {"path": target / remote.name})


def _shown(address: str) -> str:
    """The address as it may be written down.

    Raises:
        FixInput: It is none, or holds a password: addresses are recorded.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise FixInput("an address must be well formed", got=f"{address}: {error}") from error
    if not parts.scheme or not (parts.netloc or parts.path.strip("/")):
        raise FixInput(
            "an address must name its scheme and a place",
            got=address,
            fix="write s3://BUCKET/FOLDER or https://HOST/FILE",
        )
    if "@" in parts.netloc and parts.username is not None and parts.password is not None:
        host = parts.netloc.rpartition("@")[2]
        raise FixInput(
            "an address must hold no password: it is written into the study's records",
            got=urlunsplit((parts.scheme, f"...@{host}", parts.path, "", "")),
            fix="give credentials through the environment, as the store's own tools take them",
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


def _look(address: str) -> _Remote:
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError as error:
        raise _missing(address) from error
    try:
        system, path = url_to_fs(address, **_patience(address))
    except (ImportError, ValueError) as error:
        if "Protocol not known" in str(error):
            raise FixInput("an address must have a known scheme", got=str(error)) from error
        raise _missing(address) from error
    name = PurePosixPath(urlsplit(address).path).name
    if name.lower().endswith(_ENDINGS):
        return _Remote(system, name, {name: _facts(system.info(path))})
    found = system.find(path, detail=True)
    root = str(system._strip_protocol(path)).rstrip("/")
    files = {_below(str(where), root): _facts(about) for where, about in found.items()}
    if not files:
        system.info(path)  # says why there are none, where nobody answers
        raise FileNotFoundError(address)
    return _Remote(system, "data", files)


def _patience(address: str) -> dict[str, Any]:
    """How long a web server may be silent; how long the whole takes is the size's affair."""
    if urlsplit(address).scheme not in ("http", "https"):
        return {}
    try:
        from aiohttp import ClientTimeout
    except ModuleNotFoundError as error:
        raise _missing(address) from error
    waits = ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_ANSWER_S)
    return {"client_kwargs": {"timeout": waits}}


def _missing(address: str) -> InstallExtra:
    return InstallExtra(
        f"data at {urlsplit(address).scheme}:// needs a package of its own",
        fix=how_to_get("remote"),
    )


def _facts(about: Mapping[str, Any]) -> tuple[str, int, str]:
    """Path, size in bytes (-1 if not told) and mark of one file."""
    mark = next((str(about[name]) for name in _MARKS if about.get(name)), "")
    size = about.get("size")
    return str(about["name"]), -1 if size is None else int(size), mark.strip('"')


def _below(where: str, root: str) -> str:
    """The name of a file below the address.

    Raises:
        FixInput: It would lie outside.
    """
    name = PurePosixPath(where.removeprefix(root).lstrip("/"))
    if not where.startswith(root) or name.is_absolute() or ".." in name.parts or not name.parts:
        raise FixInput("what lies at an address must have names below it", got=where)
    return str(name)


def _check_room(store: Path, remote: _Remote, shown: str) -> None:
    free = shutil.disk_usage(store).free
    if remote.n_bytes > free:
        raise PrepareMachine(
            "the disk of the cache must have room for what is fetched",
            got=f"{remote.n_bytes} bytes for {shown}, {free} free",
            where=str(store),
            fix="free some space, or put the cache elsewhere with AUTOML_CACHE_DIR",
        )


def _bring(remote: _Remote, partial: Path, transfer: Transfer | None) -> None:
    total, done = max(0, remote.n_bytes), 0
    root = partial if remote.name in remote.files else partial / remote.name
    for name, (where, size, _) in remote.files.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with remote.system.open(where, "rb") as source, target.open("xb") as file:
            while block := source.read(_BLOCK):
                file.write(block)
                done += len(block)
                if transfer is not None:
                    transfer(done, max(total, done))
        got = target.stat().st_size
        if size >= 0 and got != size:
            raise ConnectionError(f"{name} ended after {got} of {size} bytes")


def _record(remote: _Remote, partial: Path, shown: str) -> dict[str, Any]:
    path = partial / remote.name
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    digests = [f"{sha256_of(file)}  {file.relative_to(partial)}" for file in files]
    whole = "\n".join(digests)
    sha256 = digests[0][:64] if path.is_file() else hashlib.sha256(os.fsencode(whole)).hexdigest()
    n_bytes = sum(file.stat().st_size for file in files)
    staged = Staged(Path(remote.name), shown, remote.mark, n_bytes, sha256)
    return asdict(staged) | {"path": remote.name}
