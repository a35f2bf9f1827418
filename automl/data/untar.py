"""Extracting a tarball that nobody vouches for.

Only folders and regular files are made, each at a relative path below the target; a tarball with
anything else (a link, a device, a path that leaves the target, the same name twice) is refused by
the member's name. Two names that some file systems take for one (other case, another form of the
same letters) count as the same name, so that a tarball gives the same data everywhere. What a
small file may grow to is bounded too, in bytes and in members: decompression stops as soon as the
content exceeds what the compressed size allows.
"""

import gzip
import io
import os
import shutil
import tarfile
import unicodedata
import zlib
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, cast

from automl.errors import FixData, PrepareMachine
from automl.files import FULL

__all__ = ["extract"]

_GZIP_MAGIC: Final = b"\x1f\x8b"
_MAX_RATIO: Final = 100
"""Images hardly compress and annotations by less than ten: a hundred is no data set."""
_ALWAYS_ALLOWED: Final = 64 << 20
"""Bytes below which no ratio is looked at: they can harm nobody."""
_MAX_MEMBERS: Final = 4_000_000
"""Two million frames with their annotations; empty files are cheap to pack and dear to make."""
_BLOCK: Final = 1 << 20
_KINDS: Final = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a named pipe",
}


class _Bounded(io.RawIOBase):
    """A reader that refuses to give more bytes than a limit; seeking forward counts as reading."""

    def __init__(self, inner: BinaryIO, limit: int, source: Path) -> None:
        self._inner = inner
        self._limit = limit
        self._source = source

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._inner.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only absolute positions are known in a stream")
        self._check(offset)
        return self._inner.seek(offset)

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            size = self._limit - self.tell() + 1
        self._check(self.tell() + size if size > _BLOCK else self.tell())
        content = self._inner.read(size)
        self._check(self.tell())
        return content

    def _check(self, position: int) -> None:
        if position > self._limit:
            raise FixData(
                "a tarball must not grow to more than "
                f"{_MAX_RATIO} times its size when it is extracted",
                got=f"{self._source.stat().st_size} bytes that exceed {self._limit}",
                where=str(self._source),
                fix="look at what it holds; if it can be trusted, extract it and give the folder",
            )


def extract(source: Path, target: Path) -> None:
    """Extracts a tarball into a folder that exists and is empty.

    Whoever calls removes the folder when this raises: what was extracted until then stays in it.

    Raises:
        FixData: The file is no tarball, is cut short, holds an unsafe member or grows too much.
        PrepareMachine: The disk is full.
    """
    limit = max(_ALWAYS_ALLOWED, _MAX_RATIO * source.stat().st_size)
    try:
        with ExitStack() as stack:
            content = stack.enter_context(_open(source))
            bounded = _Bounded(content, limit, source)
            _extract_members(cast("BinaryIO", bounded), source, target)
            while bounded.read(_BLOCK):  # up to the checksum, which vouches for the whole
                pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FixData(
            "a tarball must be whole", got=str(error) or "an early end", where=str(source)
        ) from error
    except OSError as error:
        raise _explained(error, source, target) from error


def _open(source: Path) -> BinaryIO:
    with source.open("rb") as file:
        compressed = file.read(2) == _GZIP_MAGIC
    return cast("BinaryIO", gzip.GzipFile(source)) if compressed else source.open("rb")


def _extract_members(content: BinaryIO, source: Path, target: Path) -> None:
    names = _Names(source)
    with tarfile.open(fileobj=content, mode="r:") as archive:
        for member in archive:
            name = _safe_name(member, source)
            names.add(member, name)
            path = target / name
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            body = archive.extractfile(member)
            if body is None:
                raise _refused(member, "is neither a folder nor a regular file", source)
            with body, path.open("xb") as file:
                shutil.copyfileobj(body, file, _BLOCK)


class _Names:
    """The names of a tarball so far, as a file system that minds neither case nor form has them.

    Args:
        source: The tarball, for errors.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._spelled: dict[str, str] = {}
        self._count = 0

    def add(self, member: tarfile.TarInfo, name: PurePosixPath) -> None:
        """Takes note of a member and of the folders above it.

        Raises:
            FixData: Another spelling of the name came before, or there are too many members.
        """
        self._count += 1
        if self._count > _MAX_MEMBERS:
            raise FixData(
                f"a tarball must hold at most {_MAX_MEMBERS} members",
                got="more",
                where=str(self._source),
                fix="look at what it holds; if it can be trusted, extract it, give the folder",
            )
        for path in (name, *name.parents):
            spelling = str(path)
            known = self._spelled.setdefault(_folded(spelling), spelling)
            if known != spelling:
                why = f"some file systems take for {known!r}"
                raise _refused(member, why, self._source)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _safe_name(member: tarfile.TarInfo, source: Path) -> PurePosixPath:
    """The member's path below the target.

    Raises:
        FixData: The member could reach outside the target, or is no folder or regular file.
    """
    name = PurePosixPath(member.name)
    if not _can_be_named(member.name):
        raise _refused(member, "has a name that no file can have", source)
    if name.is_absolute():
        raise _refused(member, "has an absolute path", source)
    if ".." in name.parts:
        raise _refused(member, "leaves the folder through '..'", source)
    if member.issparse():
        raise _refused(member, "is a sparse file", source)
    if not (member.isdir() or member.isreg()):
        kind = _KINDS.get(member.type, "neither a folder nor a regular file")
        raise _refused(member, f"is {kind}", source)
    if not member.isdir() and name == PurePosixPath():
        raise _refused(member, "has no name", source)
    return name


def _can_be_named(name: str) -> bool:
    """Whether the system has a form of a name: it has none of a zero byte and of half a sign."""
    try:
        return b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        return False


def _refused(member: tarfile.TarInfo, why: str, source: Path) -> FixData:
    return FixData(
        "a tarball must hold folders and regular files below its own top alone",
        got=f"member {member.name!r}, which {why}",
        where=str(source),
        fix="pack it again without that member",
    )


def _explained(error: OSError, source: Path, target: Path) -> FixData | PrepareMachine:
    if error.errno in FULL:
        return PrepareMachine(
            "the disk of the cache must have room for the extracted tarball",
            got=str(error.strerror),
            where=str(target.parent),
            fix="free some space, or put the cache elsewhere",
        )
    if isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError):
        return FixData(
            "a tarball must name each file once",
            got=f"{Path(str(error.filename)).name!r} twice",
            where=str(source),
        )
    return FixData(
        "a tarball must be one that can be extracted", got=str(error), where=str(source)
    )
