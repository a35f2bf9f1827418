"""TensorBoard's event files as a writer of the tests' own leaves them."""

import struct

__all__ = ["scalar"]


def _field(number: int, content: bytes) -> bytes:
    """A field of length-delimited content."""
    return bytes([number << 3 | 2, len(content)]) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def scalar(tag: str, value: float, step: int) -> bytes:
    """One record with a scalar, its checksums left at 0."""
    entry = _field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)
    event = b"\x10" + _varint(step) + _field(5, _field(1, entry))
    return struct.pack("<QI", len(event), 0) + event + bytes(4)
