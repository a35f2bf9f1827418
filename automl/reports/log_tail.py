"""The last lines of a log as a reader may see them: few, and without keys and passwords."""

import os
import re
from collections import deque
from pathlib import Path

from automl.inside import read_file

__all__ = ["last_lines", "without_secrets"]

#: How much of a log's end is read for its last lines.
_TAIL_BYTES = 64 << 10
_NAMED = r"(?:api[_-]?key|access[_-]?key|secret|token|passw(?:or)?d|credential)s?"
#: What a name such as ``WANDB_API_KEY`` or ``"password"`` is given.
_GIVEN = re.compile(rf"({_NAMED}[\"']?\s*[=:]\s*[\"']?)([^\s\"',;&]{{6,}})", re.IGNORECASE)
_HEADER = re.compile(r"(\b(?:bearer|basic)\s+)([\w.~+/=-]{6,})", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(\w+://[^\s:/@]+:)([^\s/@]+)(?=@)")


def without_secrets(text: str) -> str:
    """``text`` with stars for whatever is given as a key, a token or a password.

    What a trainer is handed as a secret never reaches its log; this is for what it prints of its
    own accord.
    """
    for pattern in (_GIVEN, _HEADER, _IN_ADDRESS):
        text = pattern.sub(lambda hit: hit[1] + "*" * min(12, len(hit[2])), text)
    return text


def last_lines(path: Path, most: int) -> tuple[str, ...]:
    """The last lines of a log; of a progress bar's many states in one line only the last.

    Args:
        path: The log.
        most: How many lines.

    Raises:
        OSError: It cannot be read.
    """
    with read_file(path) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
        text = file.read().decode(errors="replace")
    lines = (line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n"))
    return tuple(map(without_secrets, deque((line for line in lines if line), maxlen=most)))
