"""What an image file is, from the first bytes of its file alone.

The checker of data sets and the trainer both ask here, so that what one accepts the other reads.
"""

import os
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from automl.errors import FixData

__all__ = ["BrokenImage", "ImageFile", "image_file", "naming"]

MAX_PIXELS: Final = 100_000_000
"""More is no photograph: decoded it would take 300 MB, whatever the size of its file."""

_JPEG: Final = b"\xff\xd8"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_BMP: Final = b"BM"
FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that carry the size; the three left out share their range by accident."""
ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers with no segment after them."""
_EXIF_MARKER: Final = 0xE1
_EXIF: Final = b"Exif\0\0"
_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = 1
_BYTE_ORDERS: Final = {b"II*\0": "<", b"MM\0*": ">"}


class BrokenImage(ValueError):
    """An image that cannot be read.

    Args:
        rule: The rule that it breaks.
        got: What it is instead.
        fix: What to do; empty where the rule says it.
    """

    def __init__(self, rule: str, got: str, fix: str = "") -> None:
        self.rule = rule
        self.got = got
        self.fix = fix
        super().__init__(rule, got, fix)


@dataclass(frozen=True, slots=True)
class ImageFile:
    """What the header of an image file says.

    Attributes:
        kind: ``JPEG``, ``PNG`` or ``BMP``, told from the content and not from the name.
        width: Pixels, as stored.
        height: Pixels, as stored.
        orientation: How a viewer turns it, as EXIF numbers it: 1 for not at all, up to 8.
    """

    kind: str
    width: int
    height: int
    orientation: int = _UPRIGHT

    def require_upright(self) -> None:
        """Refuses an image that decoders turn: its labels could be meant before or after.

        Raises:
            BrokenImage: It has an orientation.
        """
        if self.orientation != _UPRIGHT:
            raise BrokenImage(
                "a labelled image must be stored upright, without an EXIF orientation",
                f"orientation {self.orientation}",
                "turn its pixels so that they fit the labels, and remove the orientation",
            )


def image_file(path: Path) -> ImageFile:
    """What a JPEG, PNG or BMP file holds.

    Raises:
        BrokenImage: The file is missing, no regular file, none of the three kinds, cut off within
            its header, or claims more pixels than any photograph has.
    """
    with _opened(path) as file:
        start = file.read(8)
        for magic, kind, read in _READERS:
            if start.startswith(magic):
                file.seek(len(magic))
                return _checked(kind, read, file)
        size = os.fstat(file.fileno()).st_size
    raise BrokenImage("an image must be a JPEG, PNG or BMP", f"{size} bytes that are neither")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Names the file of an image that turns out to be broken.

    Raises:
        FixData: It is.
    """
    try:
        yield
    except BrokenImage as error:
        raise FixData(error.rule, got=error.got, where=str(path), fix=error.fix) from error


def _opened(path: Path) -> BinaryIO:
    """Opens a regular file; a pipe is not waited for, and a device is not read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BrokenImage("an image must be a regular file", _kind_of(path))
        return path.open("rb")
    except FileNotFoundError:
        gone = f"a link to {path.readlink()}, which is not there" if path.is_symlink() else "none"
        raise BrokenImage("an image must exist", gone) from None
    except OSError as error:
        raise BrokenImage("an image must be readable", str(error.strerror)) from error


def _kind_of(path: Path) -> str:
    kinds = (
        (Path.is_fifo, "a named pipe"),
        (Path.is_dir, "a folder"),
        (Path.is_socket, "a socket"),
    )
    return next((words for is_kind, words in kinds if is_kind(path)), "a device")


_Header = tuple[int, int, int]


def _checked(kind: str, read: Callable[[BinaryIO], _Header], file: BinaryIO) -> ImageFile:
    try:
        width, height, orientation = read(file)
    except struct.error:
        raise BrokenImage("an image must be whole", f"a {kind} with a broken header") from None
    if width < 1 or height < 1:
        raise BrokenImage("an image must have pixels", f"{width} x {height}")
    if width * height > MAX_PIXELS:
        raise BrokenImage(
            f"an image must have at most {MAX_PIXELS // 1_000_000} million pixels",
            f"{width} x {height}",
        )
    return ImageFile(kind, width, height, orientation)


def _png(file: BinaryIO) -> _Header:
    width, height = struct.unpack(">8xII", file.read(16))
    file.seek(5 + 4, os.SEEK_CUR)  # the rest of the header and its checksum
    while True:
        head = file.read(8)
        if len(head) < 8:
            return width, height, _UPRIGHT
        length, kind = struct.unpack(">I4s", head)
        if kind == b"eXIf":
            return width, height, _exif_orientation(file.read(length))
        if kind == b"IDAT":
            return width, height, _UPRIGHT
        file.seek(length + 4, os.SEEK_CUR)


def _bmp(file: BinaryIO) -> _Header:
    width, height = struct.unpack("<16xii", file.read(24))
    return width, abs(height), _UPRIGHT  # a negative height says that the rows run downwards


def _jpeg(file: BinaryIO) -> _Header:
    """Skips from segment to segment up to the one that describes the frame."""
    orientation = _UPRIGHT
    while True:
        (lead, marker) = struct.unpack("BB", file.read(2))
        while marker == 0xFF:  # fill bytes
            (marker,) = struct.unpack("B", file.read(1))
        if lead != 0xFF:
            raise struct.error("a segment starts with 0xff")
        if marker in ALONE:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if marker in FRAME_HEADERS:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height, orientation
        if marker == _EXIF_MARKER:
            body = file.read(length - 2)
            if body.startswith(_EXIF):
                orientation = _exif_orientation(body[len(_EXIF) :])
        else:
            file.seek(length - 2, os.SEEK_CUR)


def _exif_orientation(block: bytes) -> int:
    """The orientation in a block of EXIF (a TIFF header and its first directory); 1 if none."""
    order = _BYTE_ORDERS.get(block[:4])
    if order is None:
        return _UPRIGHT
    try:
        (place,) = struct.unpack_from(f"{order}I", block, 4)
        (count,) = struct.unpack_from(f"{order}H", block, place)
        for entry in range(count):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", block, place + 2 + 12 * entry)
            if tag == _ORIENTATION and 1 <= value <= 8:
                return int(value)
    except struct.error:
        return _UPRIGHT
    return _UPRIGHT


_READERS: Final = ((_JPEG, "JPEG", _jpeg), (_PNG, "PNG", _png), (_BMP, "BMP", _bmp))
