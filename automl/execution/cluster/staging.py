"""Data that a node does not see, brought there once through Ray's own transfer of objects.

An actor on the driver's machine reads the files and names them by their hashes. A task on the node
asks it for pieces, and puts them into the node's cache under the hash of the whole, so that the
next study over the same data finds it there::

    <cache>/staged/<hash>/data/...    what the driver's folder holds, or its one file
"""

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from automl.data.cache import cache_dir
from automl.data.store import kept
from automl.errors import AutomlError, PrepareMachine
from automl.files import sha256_of

__all__ = ["DataSource", "FolderContent", "Piece", "Taken", "pieces_of", "take_in"]

#: Bytes that are asked for at once, and how many such questions are under way.
_PARCEL = 8 << 20
_AHEAD = 3
#: Bytes that stay free on a node's disk, for checkpoints and logs.
_SPARE = 1 << 30


@dataclass(frozen=True, slots=True)
class FolderContent:
    """What a folder holds, or the one file that stands for itself.

    Attributes:
        files: Name below the folder, size in bytes, SHA-256; in the order of the names.
        is_file: Whether it is one file.
    """

    files: tuple[tuple[str, int, str], ...]
    is_file: bool = False

    @property
    def n_bytes(self) -> int:
        """Size of all files."""
        return sum(size for _, size, _ in self.files)

    @property
    def digest(self) -> str:
        """Stands for names and content."""
        lines = "".join(f"{name}\0{digest}\n" for name, _, digest in self.files)
        return hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()[:32]

    @classmethod
    def of(cls, folder: Path) -> "FolderContent":
        """Reads every file below a folder, also through links; or the one file that it is.

        Raises:
            OSError: A file cannot be read.
        """
        if folder.is_file():
            return cls(((folder.name, folder.stat().st_size, sha256_of(folder)),), is_file=True)
        walked = os.walk(folder, followlinks=True)
        found = sorted(Path(at, name) for at, _, names in walked for name in names)
        return cls(
            tuple((str(p.relative_to(folder)), p.stat().st_size, sha256_of(p)) for p in found)
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file.

    Attributes:
        name: The file.
        offset: Where it begins, in bytes.
        size: Its length, in bytes.
    """

    name: str
    offset: int
    size: int


def pieces_of(listing: FolderContent, parcel: int = _PARCEL) -> Iterator[tuple[Piece, ...]]:
    """The pieces of all files, in parcels of about as many bytes each."""
    pieces = (
        Piece(name, offset, min(parcel, size - offset))
        for name, size, _ in listing.files
        for offset in range(0, max(size, 1), parcel)
    )
    taken, batch = 0, list[Piece]()
    for piece in pieces:
        if batch and taken + piece.size > parcel:
            yield tuple(batch)
            taken, batch = 0, []
        taken += piece.size
        batch.append(piece)
    if batch:
        yield tuple(batch)


class DataSource:
    """Reads the driver's data, and other files of its, for other nodes.

    Args:
        folders: Folders and files that may be asked for.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = tuple(folders)
        self._listings: dict[str, FolderContent] = {}
        self._reading = threading.Lock()
        self._given: dict[tuple[str, str], int] = {}

    def listing(self, folder: str) -> FolderContent:
        """What a folder holds; read once."""
        if folder not in self._folders:
            raise ValueError(f"{folder} is no data of this study")
        with self._reading:
            if folder not in self._listings:
                self._listings[folder] = FolderContent.of(Path(folder))
        return self._listings[folder]

    def parcel(self, node: str, folder: str, pieces: Sequence[Piece]) -> list[bytes]:
        """The bytes of some pieces, for a node."""
        listing = self.listing(folder)
        known = {name for name, _, _ in listing.files}
        if not known.issuperset(piece.name for piece in pieces):
            raise ValueError(f"{folder} holds no such file")
        self._given[node, folder] = self.given(node, folder) + sum(each.size for each in pieces)
        root = Path(folder).parent if listing.is_file else Path(folder)
        return [_read(root / piece.name, piece) for piece in pieces]

    def given(self, node: str, folder: str) -> int:
        """Bytes of a folder that a node was given so far."""
        return self._given.get((node, folder), 0)


def _read(path: Path, piece: Piece) -> bytes:
    with path.open("rb") as file:
        file.seek(piece.offset)
        return file.read(piece.size)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of data on a node.

    Attributes:
        path: Where it lies there; empty where it does not.
        error: Why it does not, as part of a sentence.
    """

    path: str = ""
    error: str = ""


def take_in(source: Any, node: str, folder: str, listing: FolderContent) -> Taken:
    """Brings a folder of the driver's into the cache of the machine that this runs on.

    Args:
        source: The actor that reads it.
        node: Id of this node.
        folder: The folder, as the driver names it.
        listing: What it holds.
    """
    import ray

    def ask(pieces: tuple[Piece, ...]) -> Any:
        return source.parcel.remote(node, folder, pieces)

    try:
        there = _kept(listing, ask, ray.get)
        return Taken(str(there / listing.files[0][0] if listing.is_file else there))
    except AutomlError as error:
        return Taken(error=f"{error.rule}, got {error.got}")
    except OSError as error:
        return Taken(error=f"{error.strerror or error}")


def _kept(
    listing: FolderContent,
    ask: Callable[[tuple[Piece, ...]], Any],
    get: Callable[[Any], list[bytes]],
) -> Path:
    """The folder of the cache that holds a listing, filled first if it is not there."""
    store = cache_dir().absolute() / "staged"

    def make(partial: Path) -> None:
        _check_room(store, listing.n_bytes)
        parcels = _arriving(pieces_of(listing), ask, get)
        content = chain.from_iterable(parcels)
        for name, pieces in groupby(content, key=lambda each: each[0].name):
            _write(partial / "data" / name, (part for _, part in pieces))
        for name, _, digest in listing.files:
            if sha256_of(partial / "data" / name) != digest:
                raise OSError(f"{name} has changed while it was brought")

    return kept(store, listing.digest, make) / "data"


def _arriving(
    parcels: Iterator[tuple[Piece, ...]],
    ask: Callable[[tuple[Piece, ...]], Any],
    get: Callable[[Any], list[bytes]],
) -> Iterator[Iterator[tuple[Piece, bytes]]]:
    """Pieces with their bytes, a parcel at a time; the next ones are under way meanwhile."""
    waiting: list[tuple[tuple[Piece, ...], Any]] = []
    for pieces in parcels:
        waiting.append((pieces, ask(pieces)))
        if len(waiting) > _AHEAD:
            first, reference = waiting.pop(0)
            yield zip(first, get(reference), strict=True)
    for first, reference in waiting:
        yield zip(first, get(reference), strict=True)


def _write(path: Path, parts: Iterator[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(parts)


def _check_room(store: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(store).free
    if n_bytes + _SPARE > free:
        raise PrepareMachine(
            "the disk of the cache must have room for the data and a gigabyte",
            got=f"{n_bytes} bytes of data, {free} free",
            where=str(store),
            fix="free some space, or put the cache elsewhere with AUTOML_CACHE_DIR",
        )
