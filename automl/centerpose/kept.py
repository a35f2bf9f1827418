"""What outlives one training within a process, so that the next need not make it again."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

__all__ = ["Kept"]

T = TypeVar("T")


class Kept:
    """Things that were costly to make, by what they were made from."""

    def __init__(self) -> None:
        self._things: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for ``key``; makes it where it is asked for the first time.

        Args:
            key: Everything that what is made depends on.
            make: Makes it.
        """
        if key not in self._things:
            self._things[key] = make()
        thing: T = self._things[key]
        return thing
