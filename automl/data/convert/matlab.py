"""Numbers in MATLAB files of version 5 (as ``save -v6`` and ``-v7`` write them).

``scipy.io.loadmat`` ends the process on some damaged files, and unpacks what nobody asks for; here
a damaged file is an error, and an array that is not wanted costs its header. Source: MathWorks,
"MAT-File Format", level 5.
"""

import struct
import zlib
from collections.abc import Collection, Iterator
from typing import Final, TypeAlias

import numpy as np

from automl.data.geometry import Array

__all__ = ["read_arrays"]

_HEADER: Final = 128
_ENDIANS: Final = {b"IM": "<", b"MI": ">"}
_NUMBERS: Final = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_MATRIX, _COMPRESSED = 14, 15
_NUMERIC_CLASSES: Final = range(6, 16)
_COMPLEX: Final = 0x0800
_PEEK: Final = 512
"""Bytes in which an array's flags, dimensions and name stand."""
_MOST: Final = 1 << 20
"""Bytes of an array that is read; those that are wanted here have some hundred."""

_Element: TypeAlias = tuple[int, bytes]


def read_arrays(content: bytes, names: Collection[str]) -> dict[str, Array]:
    """The real numeric arrays of these names.

    Args:
        content: Of the file.
        names: The arrays that are wanted; those that the file lacks are missing from the result.

    Raises:
        ValueError: It is no such file, it is damaged, or an array is larger than a mebibyte.
    """
    endian = _ENDIANS.get(content[126:_HEADER])
    if endian is None:
        raise ValueError("no MATLAB file of version 5")
    found = {}
    try:
        for kind, data in _elements(content[_HEADER:], endian):
            name, array = _array(kind, data, names, endian)
            if array is not None:
                found[name] = array
    except (struct.error, zlib.error) as error:
        raise ValueError(str(error)) from error
    return found


def _elements(content: bytes, endian: str) -> Iterator[_Element]:
    """Type and data of each element, one after the other."""
    at = 0
    while at + 8 <= len(content):
        kind, size = struct.unpack_from(f"{endian}II", content, at)
        start = at + 8
        if kind >> 16:  # a small one: type and size share a word, the data are in the next
            kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
        if start + size > len(content):
            raise ValueError("an element that is cut off")
        yield kind, content[start : start + size]
        padded = size if kind == _COMPRESSED else -(-(start + size) // 8) * 8 - start
        at = start + padded


def _array(
    kind: int, data: bytes, names: Collection[str], endian: str
) -> tuple[str, Array | None]:
    """Name and numbers of an array; None where it is not wanted."""
    if kind == _COMPRESSED:
        peeked = zlib.decompressobj().decompress(data, _PEEK)
        if _name(peeked[8:], endian) not in names:
            return "", None
        data = zlib.decompressobj().decompress(data, _MOST)
        (kind, size), data = struct.unpack_from(f"{endian}II", data), data[8:]
        if size > len(data):
            raise ValueError("an array that is cut off, or larger than a mebibyte")
    name = _name(data, endian) if kind == _MATRIX else ""
    return name, _numbers(data, endian) if name in names else None


def _name(data: bytes, endian: str) -> str:
    """The name of an array, for which its beginning is enough."""
    found = _begun(data, endian)
    return found[2][1].decode("latin-1") if len(found) > 2 else ""


def _begun(data: bytes, endian: str) -> list[_Element]:
    """Flags, dimensions and name of an array."""
    found = []
    try:
        for element in _elements(data, endian):
            found.append(element)
            if len(found) == 3:
                break
    except ValueError:
        pass  # what follows the name may be cut off, and is not asked for
    return found


def _numbers(data: bytes, endian: str) -> Array:
    parts = list(_elements(data, endian))
    if len(parts) < 4:
        raise ValueError("an array without numbers")
    (_, flags), (_, dimensions), _, (kind, values) = parts[:4]
    (word,) = struct.unpack_from(f"{endian}I", flags)
    if word & 0xFF not in _NUMERIC_CLASSES or word & _COMPLEX or kind not in _NUMBERS:
        raise ValueError("an array of something else than real numbers")
    shape = np.frombuffer(dimensions, f"{endian}i4")
    array = np.frombuffer(values, f"{endian}{_NUMBERS[kind]}").astype(np.float64)
    if (shape < 0).any() or int(np.prod(shape.astype(object))) != array.size:
        raise ValueError("an array of another size than it says")
    return array.reshape(shape.tolist(), order="F")
