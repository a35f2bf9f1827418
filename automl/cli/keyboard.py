"""Single keys from a terminal, without Enter and without an echo."""

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["GONE", "keyboard"]

#: What is read where nobody will press a key any more.
GONE = "gone"
_LONGEST_KEY = 16


@contextmanager
def keyboard(descriptor: int | None = None) -> Iterator[Callable[[float], str]]:
    """Inside the block keys come one by one; afterwards the terminal is as it was.

    Yields a function that waits so many seconds and returns the key that was pressed, as the
    terminal sends it; empty if none was.

    Args:
        descriptor: Of the terminal; standard input by default.
    """
    terminal = sys.stdin.fileno() if descriptor is None else descriptor
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSADRAIN)
    try:
        yield lambda wait_s: _key(terminal, wait_s)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _key(terminal: int, wait_s: float) -> str:
    ready, _, _ = select.select([terminal], [], [], wait_s)
    if not ready:
        return ""
    try:
        pressed = os.read(terminal, _LONGEST_KEY)
    except OSError:
        return GONE
    return pressed.decode(errors="replace") if pressed else GONE
