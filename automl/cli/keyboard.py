"""Single keys from a terminal, without Enter and without an echo."""

import os
import select
import sys
import termios
import tty
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

__all__ = ["GONE", "keyboard"]

#: What is read where nobody will press a key any more.
GONE = "gone"
_MOST_BYTES = 64
_ESCAPE = "\x1b"


@contextmanager
def keyboard(descriptor: int | None = None) -> Iterator[Callable[[float], str]]:
    """Inside the block keys come one by one; afterwards the terminal is as it was.

    Yields a function that waits so many seconds and returns the key that was pressed, as the
    terminal sends it; empty if none was.

    Args:
        descriptor: Of the terminal; standard input by default.
    """
    terminal = sys.stdin.fileno() if descriptor is None else descriptor
    waiting: deque[str] = deque()

    def key(wait_s: float) -> str:
        if not waiting:
            waiting.extend(_keys(terminal, wait_s))
        return waiting.popleft() if waiting else ""

    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSADRAIN)
    try:
        yield key
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _keys(terminal: int, wait_s: float) -> Sequence[str]:
    """The keys that have been pressed: several where somebody is quick."""
    ready, _, _ = select.select([terminal], [], [], wait_s)
    if not ready:
        return []
    try:
        pressed = os.read(terminal, _MOST_BYTES).decode(errors="replace")
    except OSError:
        return [GONE]
    if not pressed:
        return [GONE]
    # An arrow or a function key is one key of several signs.
    return [pressed] if pressed.startswith(_ESCAPE) else list(pressed)
