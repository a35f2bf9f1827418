"""The time of day as an argument, so that tests need not wait for it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

__all__ = ["Clock", "utc_now"]

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """The time of day, aware, in UTC."""
    return datetime.now(UTC)
