"""Whether an image file is whole, by reading it through to its end.

A decoder fills what is missing of an image with grey and says so on standard error alone, so a
copy that was interrupted would be trained on. Here the parts of the file are walked: a JPEG up to
its end marker, a PNG with its checksums and its compressed rows. What was read through is
remembered while size and time of the file stay (:class:`ReadThrough`).
"""

import contextlib
import hashlib
import json
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from automl.data.imagefile import ALONE, BrokenImage, ImageFile, image_file
from automl.files import write_text
from automl.jsontext import read_json

__all__ = ["ReadThrough", "check_whole"]

_RULE: Final = "an image must be whole"
_FIX: Final = "copy it again, or take the frame out"
_END: Final = 0xD9
_SCAN: Final = 0xDA
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PIECE: Final = 1 << 20
#: Start and step of the columns and rows of the seven passes of an interlaced PNG.
_PASSES: Final = (
    (0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4),
    (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2),
)  # fmt: skip
_LAST_FILTER: Final = 4


def check_whole(path: Path, image: ImageFile) -> None:
    """Reads an image file through.

    Args:
        path: The file.
        image: What its header says.

    Raises:
        BrokenImage: It ends early or a part of it is damaged.
        OSError: It can no longer be read.
    """
    data = path.read_bytes()
    try:
        _CHECKS[image.kind](data, image)
    except (struct.error, IndexError):
        raise BrokenImage(_RULE, f"a {image.kind} that ends early", _FIX) from None


def _check_jpeg(data: bytes, _: ImageFile) -> None:
    position = 2
    while True:
        if data[position] != 0xFF:
            raise BrokenImage(_RULE, f"a JPEG that is damaged at byte {position}", _FIX)
        while data[position] == 0xFF:
            position += 1
        marker = data[position]
        position += 1
        if marker == _END:
            return
        if marker in ALONE:
            continue
        (length,) = struct.unpack_from(">H", data, position)
        position += length
        if marker == _SCAN:
            following = _NEXT_MARKER.search(data, position)
            if following is None:
                raise BrokenImage(_RULE, "a JPEG that ends in the middle of its pixels", _FIX)
            position = following.start()


def _check_png(data: bytes, image: ImageFile) -> None:
    depth, colour, _, _, interlaced = struct.unpack_from("5B", data, 24)
    if colour not in _CHANNELS or depth not in (1, 2, 4, 8, 16) or interlaced > 1:
        raise BrokenImage(_RULE, "a PNG with a broken header", _FIX)
    rows = list(_row_bytes(image, depth * _CHANNELS[colour], interlaced=bool(interlaced)))
    pixels = _Pixels(sum(n_rows * (1 + n_bytes) for n_rows, n_bytes in rows))
    if not interlaced:
        pixels.row = 1 + rows[0][1]
    for kind, body in _chunks(data):
        if kind == b"IDAT":
            pixels.add(body)
    pixels.finish()


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG up to its last, each with its checksum proved."""
    position, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, position + 8 + length)
        if zlib.crc32(body, zlib.crc32(kind)) != checksum:
            raise BrokenImage(_RULE, f"a PNG whose part at byte {position} is damaged", _FIX)
        yield kind, body
        position += 12 + length


def _row_bytes(image: ImageFile, bits: int, *, interlaced: bool) -> Iterator[tuple[int, int]]:
    """Rows and bytes of a row, of each pass over the image."""
    for x, step_x, y, step_y in _PASSES if interlaced else ((0, 1, 0, 1),):
        columns = -(-(image.width - x) // step_x)
        n_rows = -(-(image.height - y) // step_y)
        if columns > 0 and n_rows > 0:
            yield n_rows, -(-columns * bits // 8)


class _Pixels:
    """The rows of a PNG, decompressed piece by piece and forgotten.

    Args:
        n_bytes: How many there must be.

    Attributes:
        row: Bytes of a row with its leading filter byte; 0 where rows differ in length.
    """

    def __init__(self, n_bytes: int) -> None:
        self.row = 0
        self._left = n_bytes
        self._at = 0
        self._stream = zlib.decompressobj()

    def add(self, body: bytes) -> None:
        """Decompresses what one chunk holds, and no more than the image needs.

        Raises:
            BrokenImage: It does not decompress, or names a filter that there is not.
        """
        try:
            while body and self._left > 0:
                piece = self._stream.decompress(body, _PIECE)
                body = self._stream.unconsumed_tail
                self._look_at(piece)
                if not piece and not body:
                    break
        except zlib.error:
            raise BrokenImage(_RULE, "a PNG whose pixels are damaged", _FIX) from None

    def _look_at(self, piece: bytes) -> None:
        if self.row and max(piece[-self._at % self.row :: self.row], default=0) > _LAST_FILTER:
            raise BrokenImage(_RULE, "a PNG whose pixels are damaged", _FIX)
        self._at += len(piece)
        self._left -= len(piece)

    def finish(self) -> None:
        """Checks that every row came.

        Raises:
            BrokenImage: There were fewer.
        """
        if self._left > 0:
            raise BrokenImage(_RULE, "a PNG that ends in the middle of its pixels", _FIX)


def _check_bmp(data: bytes, image: ImageFile) -> None:
    offset, bits, compression = (
        *struct.unpack_from("<I", data, 10),
        *struct.unpack_from("<HI", data, 28),
    )
    row = -(-image.width * bits // 32) * 4
    if compression in (0, 3) and len(data) < offset + row * image.height:
        raise BrokenImage(_RULE, "a BMP that ends in the middle of its pixels", _FIX)


_CHECKS: Final[dict[str, Callable[[bytes, ImageFile], None]]] = {
    "JPEG": _check_jpeg,
    "PNG": _check_png,
    "BMP": _check_bmp,
}


class ReadThrough:
    """The images that were read through before, by size and time of their files.

    Args:
        store: Folder of the memory, one file for each split; None to remember nothing.
        root: Folder of the split.
        decodes: Whether the decoder of this machine takes a file; None where there is none.
    """

    def __init__(
        self,
        store: Path | None,
        root: Path,
        decodes: Callable[[Path, ImageFile], bool] | None = None,
    ) -> None:
        self._decodes = decodes
        name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]
        self._file = None if store is None else store / f"{name}.json"
        self._root = root
        self._known = self._read()
        self._whole: dict[str, list[int]] = {}

    def check(self, path: Path) -> ImageFile:
        """What an image file is, read through unless it was before.

        Raises:
            BrokenImage: It cannot be read.
        """
        image = image_file(path)
        status = path.stat()
        name, mark = os.path.relpath(path, self._root), [status.st_size, status.st_mtime_ns]
        if self._known.get(name) != mark:
            check_whole(path, image)
            if self._decodes is not None and not self._decodes(path, image):
                raise BrokenImage("an image must be one that OpenCV decodes", "another", _FIX)
        self._whole[name] = mark
        return image

    def remember(self) -> None:
        """Keeps what was found whole; a store that cannot be written costs reading again."""
        if self._file is None or self._whole == self._known:
            return
        with contextlib.suppress(OSError):
            write_text(self._file, json.dumps(self._whole, separators=(",", ":")))

    def _read(self) -> dict[str, Any]:
        try:
            value = {} if self._file is None else read_json(self._file)
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}
