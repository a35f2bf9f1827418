"""A cache of what outlives one training within a process, so that the next need not make it again.

Memory bounds it. Before something new is made, the least recently used entries are dropped while
memory is short; what the training in progress has asked for stays.
"""

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

import torch

__all__ = ["Cache", "memory_is_short", "on_gpu", "release"]

T = TypeVar("T")

#: However much memory there is: an entry may hold threads and open files too.
MAX_ENTRIES = 8
_GPU_SHARE = 0.5  # of a GPU's memory that must be free for the training itself
_HOST_SHARE = 0.25


class Cache:
    """Things that were costly to make, by what they were made from.

    Args:
        is_short: Whether memory is short, so that an entry must go before another is made.
    """

    def __init__(self, is_short: Callable[[], bool] | None = None) -> None:
        self._entries: dict[Hashable, Any] = {}  # least recently used first
        self._used: set[Hashable] = set()
        self._is_short = is_short or memory_is_short

    def __len__(self) -> int:
        return len(self._entries)

    def begin(self) -> None:
        """A training begins: nothing in the cache is in use any more."""
        self._used.clear()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for ``key``; makes it where it is asked for the first time.

        Args:
            key: Everything that what is made depends on.
            make: Makes it.
        """
        if key in self._entries:
            value: T = self._entries.pop(key)
        else:
            self._make_room()
            value = make()
        self._entries[key] = value
        self._used.add(key)
        return value

    @property
    def has_unused(self) -> bool:
        """Whether the cache holds something that the training in progress has not asked for."""
        return any(key not in self._used for key in self._entries)

    def clear(self) -> None:
        """Drops every entry."""
        self._entries.clear()
        release()

    def _make_room(self) -> None:
        for key in [key for key in self._entries if key not in self._used]:
            if len(self._entries) < MAX_ENTRIES and not self._is_short():
                return
            del self._entries[key]
            release()


def memory_is_short() -> bool:
    """Whether a GPU in use, or the machine, has less memory free than a training may need."""
    if on_gpu():
        free, total = torch.cuda.mem_get_info()
        cached = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        if free + cached < _GPU_SHARE * total:
            return True
    return _host_share() < _HOST_SHARE


def on_gpu() -> bool:
    """Whether this process has begun to use a GPU."""
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def release() -> None:
    """Gives memory that nothing holds any more back to the GPU."""
    if on_gpu():
        torch.cuda.empty_cache()


def _host_share() -> float:
    """The share of the machine's memory that is available; 1 where the system does not say."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        rows = dict(line.split(":", 1) for line in text.splitlines())
        return int(rows["MemAvailable"].split()[0]) / int(rows["MemTotal"].split()[0])
    except (OSError, ValueError, KeyError):
        return 1.0
