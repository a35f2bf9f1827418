"""Saying now and then that something long is still under way, before a study has a screen."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TextIO

from automl.cli.quiet import Quiet
from automl.reports import words

__all__ = ["quiet_on", "waiting"]

_TERMINAL_S = 10.0
_LOOK_S = 0.5


def quiet_on(stream: TextIO) -> Quiet:
    """A person at a terminal hears something every ten seconds, a log ever more rarely."""
    return Quiet(most_s=_TERMINAL_S) if stream.isatty() else Quiet()


@contextmanager
def waiting(
    what: str, quiet: Quiet, stream: TextIO | None = None, look_s: float = _LOOK_S
) -> Iterator[None]:
    """Inside the block silence is broken by what is being done, and for how long.

    Args:
        what: In words: ``the data are being read``.
        quiet: Says when; whoever says something else meanwhile lets it know.
        stream: Where to; standard error by default.
        look_s: Seconds between two looks.
    """
    target = sys.stderr if stream is None else stream
    began, done = monotonic(), threading.Event()

    def say() -> None:
        while not done.wait(look_s):
            if quiet.is_due():
                # Whoever read it may have gone.
                with suppress(OSError):
                    for_s = words.duration(monotonic() - began)
                    print(f"note: {what} ({for_s})", file=target, flush=True)

    thread = threading.Thread(target=say, name="waiting", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
