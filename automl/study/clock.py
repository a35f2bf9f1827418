"""The time of day as an argument, so that tests need not wait for it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

__all__ = ["Clock", "moment_of", "utc_now"]

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """The time of day, aware, in UTC."""
    return datetime.now(UTC)


def moment_of(text: str) -> datetime:
    """The moment that an ISO 8601 text names; in UTC where it names no zone.

    Raises:
        ValueError: It names none.
    """
    named = datetime.fromisoformat(text)
    return named if named.tzinfo is not None else named.replace(tzinfo=UTC)
