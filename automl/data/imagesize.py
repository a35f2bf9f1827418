"""The size of an image, from the first bytes of its file alone."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["image_size"]

_JPEG: Final = b"\xff\xd8"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_BMP: Final = b"BM"
_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that carry the size; the three left out share their range by accident."""
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers with no segment after them."""


def image_size(path: Path) -> tuple[int, int] | None:
    """Width and height in pixels of a JPEG, PNG or BMP file, as stored.

    What the file is, is told from its content, not from its name. None if it is none of the
    three, or is cut off within its header.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(8)
        for magic, read in _READERS:
            if start.startswith(magic):
                file.seek(len(magic))
                return _checked(read, file)
    return None


def _checked(
    read: Callable[[BinaryIO], tuple[int, int]], file: BinaryIO
) -> tuple[int, int] | None:
    try:
        width, height = read(file)
    except struct.error:
        return None
    return (width, height) if width > 0 and height > 0 else None


def _png(file: BinaryIO) -> tuple[int, int]:
    width, height = struct.unpack(">8xII", file.read(16))
    return width, height


def _bmp(file: BinaryIO) -> tuple[int, int]:
    width, height = struct.unpack("<16xii", file.read(24))
    return width, abs(height)  # a negative height says that the rows run downwards


def _jpeg(file: BinaryIO) -> tuple[int, int]:
    """Skips from segment to segment up to the one that describes the frame."""
    while True:
        (lead, marker) = struct.unpack("BB", file.read(2))
        while marker == 0xFF:  # fill bytes
            (marker,) = struct.unpack("B", file.read(1))
        if lead != 0xFF:
            raise struct.error("a segment starts with 0xff")
        if marker in _ALONE:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if marker in _FRAME_HEADERS:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        file.seek(length - 2, 1)


_READERS: Final = ((_JPEG, _jpeg), (_PNG, _png), (_BMP, _bmp))
