"""How long something that went away is waited for: a database, or a study's store."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["Patience"]

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 10.0


def _unheard(_: str) -> None:
    """For a caller that shows nothing."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long something is waited for.

    Attributes:
        wait_s: Seconds from the first call that failed.
        tell: Called with a sentence when waiting begins and ends.
        is_over: Whether the waiting is to end now, as the search is to.
        regain: What is to be taken again once a database answers, such as a lock.
    """

    wait_s: float = 300.0
    tell: Callable[[str], None] = _unheard
    is_over: Callable[[], bool] = _never
    regain: Callable[[], None] | None = None

    def waits(self) -> Iterator[float]:
        """Waits longer and longer between two tries; seconds since the first at each of them."""
        began, wait_s = time.monotonic(), _FIRST_WAIT_S
        while not self.is_over() and time.monotonic() - began < self.wait_s:
            time.sleep(min(wait_s, self.wait_s))
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            yield time.monotonic() - began
