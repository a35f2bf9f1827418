"""JSON as this package reads it, from files that anybody may have written.

Python's reader raises another error for text that is nested too deeply than for text that is no
JSON, and opens a pipe or a device like a file. Here what cannot be read is one ``ValueError``.
"""

import errno
import json
import math
import os
from pathlib import Path
from typing import Any

from automl.inside import read_file

__all__ = ["parse_json", "read_json"]

#: More than any file of this package or of a data set holds.
_MAX_BYTES = 256 << 20
#: How the system refuses a device without a driver, a link, and what is no file.
_OTHER_KINDS = frozenset({errno.EINVAL, errno.ELOOP, errno.ENXIO, errno.EISDIR})


def parse_json(text: str | bytes, *, finite: bool = False) -> Any:
    """The value of a JSON text.

    Args:
        text: The text; bytes are UTF-8, with or without a byte order mark.
        finite: Whether numbers that are none are refused: ``NaN`` and ``Infinity``, which Python
            writes and JSON lacks, and ``1e400``, which Python reads as infinity.

    Raises:
        ValueError: The text is no JSON, is not UTF-8, or is nested too deeply to be read.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    try:
        if finite:
            return json.loads(text, parse_constant=_finite, parse_float=_finite)
        return json.loads(text)
    except RecursionError:
        raise ValueError("brackets that are nested too deeply") from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"numbers must be finite, but got {text}")
    return number


def read_json(path: Path, *, finite: bool = False, follow: bool = True) -> Any:
    """The value in a JSON file.

    Args:
        path: The file.
        finite: As of :func:`parse_json`.
        follow: Whether the path may be a link.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no regular file, it is too large, or its text is no JSON (see
            :func:`parse_json`).
    """
    try:
        file = read_file(path, follow=follow)
    except OSError as error:
        if error.errno in _OTHER_KINDS:
            raise ValueError("no regular file") from error
        raise
    with file:
        if os.fstat(file.fileno()).st_size > _MAX_BYTES:
            raise ValueError(f"more than {_MAX_BYTES >> 20} MiB")
        return parse_json(file.read(), finite=finite)
