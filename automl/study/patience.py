"""How long a database that went away is waited for."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Patience"]


def _unheard(_: str) -> None:
    """For a caller that shows nothing."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a database is waited for.

    Attributes:
        wait_s: Seconds from the first call that failed.
        tell: Called with a sentence when waiting begins and ends.
        is_over: Whether the waiting is to end now, as the search is to.
        regain: What is to be taken again once the database answers, such as a lock.
    """

    wait_s: float = 300.0
    tell: Callable[[str], None] = _unheard
    is_over: Callable[[], bool] = _never
    regain: Callable[[], None] | None = None
