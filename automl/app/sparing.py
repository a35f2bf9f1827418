"""Costly looks at a study, taken so seldom that they stay a share of the driver's time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Sparing"]


class Sparing:
    """Says whether it is time for a look again.

    Args:
        share: The most of the time that looks may take.
        seldom_s: Seconds after which one is due whatever it takes.
        clock: Seconds that pass.
        work: Seconds of work of this thread.
    """

    def __init__(
        self,
        share: float = 0.1,
        seldom_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        work: Callable[[], float] = time.thread_time,
    ) -> None:
        self._share, self._seldom_s = share, seldom_s
        self._clock, self._work = clock, work
        self._next_s: float | None = None

    @property
    def is_due(self) -> bool:
        """Whether the last look has been paid for."""
        return self._next_s is None or self._clock() >= self._next_s

    @contextmanager
    def look(self) -> Iterator[None]:
        """A look, whose work is measured."""
        began_s = self._work()
        try:
            yield
        finally:
            took_s = self._work() - began_s
            self._next_s = self._clock() + min(took_s / self._share, self._seldom_s)
