"""Signals that end a command by an exception, as Ctrl-C does, so that it clears up first."""

import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["EndedBySignal", "ending_by_exception", "exit_code_of", "leave_terminal", "said_of"]

_SIGNALS_FROM = 128
_SAID = {
    signal.SIGINT: "stopped by Ctrl-C",
    signal.SIGTERM: "stopped by SIGTERM",
    signal.SIGHUP: "stopped: its terminal was closed",
}


class EndedBySignal(KeyboardInterrupt):
    """SIGTERM or SIGHUP came.

    Args:
        number: Which of them.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = signal.Signals(number)


@contextmanager
def ending_by_exception() -> Iterator[None]:
    """Inside the block SIGTERM and SIGHUP raise ``EndedBySignal``; a second one ends at once.

    One that is ignored (``nohup``) stays so. Does nothing outside the main thread, where Python
    allows no handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    deadly = [number for number, handler in before.items() if handler is signal.SIG_DFL]
    for number in deadly:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in deadly:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 -- the signature
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) is _end:
            signal.signal(each, signal.SIG_DFL)
    if number == signal.SIGHUP:
        leave_terminal()
    raise EndedBySignal(number)


def exit_code_of(error: KeyboardInterrupt) -> int:
    """128 plus the number of the signal that an interruption stands for."""
    return _SIGNALS_FROM + _number_of(error)


def said_of(error: KeyboardInterrupt) -> str:
    """What ended the command, in words."""
    return _SAID[_number_of(error)]


def _number_of(error: KeyboardInterrupt) -> signal.Signals:
    return error.number if isinstance(error, EndedBySignal) else signal.SIGINT


def leave_terminal() -> None:
    """Lets what is written to a terminal go nowhere: one that was closed would refuse it."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(standard).st_mode):
                os.dup2(nowhere, standard)
    os.close(nowhere)
