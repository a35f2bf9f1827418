"""The door of the command line: everything that is printed goes out through it.

Names of skills, classes and metrics, lines of logs and words of a command line are other people's
texts. What in them would move the cursor, set a title or hide a word is made visible here; what
the terminal's encoding lacks is escaped instead of raising.
"""

import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from automl.visible import visible

__all__ = ["beneath", "door", "screen_width", "text_width"]

_NARROWEST, _WIDEST = 40, 100


class _Door:
    """A text stream that makes visible what is written to it; in all else the stream itself."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Writes the text; returns its length."""
        self.stream.write(visible(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def door() -> Iterator[None]:
    """Inside the block standard output and error are reached through the door alone."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_guarded(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _guarded(stream: TextIO | None) -> TextIO:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    # A process may have been started without the stream, to which print then writes nothing.
    return cast("TextIO", None if stream is None else _Door(stream))


def beneath(stream: TextIO) -> TextIO:
    """The stream behind the door, for what moves the cursor itself and holds no foreign text."""
    return stream.stream if isinstance(stream, _Door) else stream


def screen_width() -> int:
    """Columns that every line must fit into; without end where a text is piped or kept."""
    is_bound = "COLUMNS" in os.environ or sys.stdout.isatty()
    return text_width() if is_bound else sys.maxsize


def text_width() -> int:
    """Columns that a text on standard output may take: those of the terminal, at most 100.

    What is piped is not cut to any terminal, unless ``COLUMNS`` says a width.
    """
    if "COLUMNS" not in os.environ and not sys.stdout.isatty():
        return _WIDEST
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns))
