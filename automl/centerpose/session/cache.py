"""What outlives one training within a process, so that the next need not make it again.

Memory bounds it. Before something new is made, what was not asked for the longest time goes while
memory is short; what the training in progress has asked for stays.
"""

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

import torch

__all__ = ["Kept", "memory_is_short", "on_gpu", "release"]

T = TypeVar("T")

#: Things kept at most, however much memory there is: each may hold threads and open files too.
MOST = 8
_GPU_SHARE = 0.5  # of a GPU's memory that must be free for the training itself
_HOST_SHARE = 0.25


class Kept:
    """Things that were costly to make, by what they were made from.

    Args:
        is_short: Says whether something must go before something new is made.
    """

    def __init__(self, is_short: Callable[[], bool] | None = None) -> None:
        self._things: dict[Hashable, Any] = {}  # the one used last stands last
        self._used: set[Hashable] = set()
        self._is_short = is_short or memory_is_short

    def __len__(self) -> int:
        return len(self._things)

    def begin(self) -> None:
        """A training begins: nothing that is kept is in use any more."""
        self._used.clear()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for ``key``; makes it where it is asked for the first time.

        Args:
            key: Everything that what is made depends on.
            make: Makes it.
        """
        if key in self._things:
            thing: T = self._things.pop(key)
        else:
            self._make_room()
            thing = make()
        self._things[key] = thing
        self._used.add(key)
        return thing

    @property
    def has_unused(self) -> bool:
        """Whether something is kept that the training in progress has not asked for."""
        return any(key not in self._used for key in self._things)

    def clear(self) -> None:
        """Lets go of everything."""
        self._things.clear()
        release()

    def _make_room(self) -> None:
        for key in [key for key in self._things if key not in self._used]:
            if len(self._things) < MOST and not self._is_short():
                return
            del self._things[key]
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
    """The share of the machine's memory that is to be had; 1 where the system does not tell."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        rows = dict(line.split(":", 1) for line in text.splitlines())
        return int(rows["MemAvailable"].split()[0]) / int(rows["MemTotal"].split()[0])
    except (OSError, ValueError, KeyError):
        return 1.0
