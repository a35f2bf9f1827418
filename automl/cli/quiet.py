"""When to say again that something is still under way."""

from collections.abc import Callable
from time import monotonic

__all__ = ["Quiet"]

_FIRST_S, _MOST_S = 10.0, 60.0


class Quiet:
    """Is due after ten seconds in which nothing was said, then ever more rarely.

    Args:
        clock: A clock in seconds that never goes back.
        first_s: Seconds of silence before the first sign of life.
        most_s: Seconds of silence that are never exceeded.

    Attributes:
        most_s: The same.
    """

    def __init__(
        self,
        clock: Callable[[], float] = monotonic,
        first_s: float = _FIRST_S,
        most_s: float = _MOST_S,
    ) -> None:
        self._clock = clock
        self.most_s, self._first_s = most_s, first_s
        self._wait_s = first_s
        self._since = clock()

    def spoke(self) -> None:
        """Something new was said."""
        self._wait_s = self._first_s
        self._since = self._clock()

    def is_due(self) -> bool:
        """Whether a sign of life is due; one who is told so gives it."""
        now = self._clock()
        if now - self._since < self._wait_s:
            return False
        self._since, self._wait_s = now, min(2 * self._wait_s, self.most_s)
        return True
