"""Looking at a running search once a second: the live table, the state file, the heartbeat."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from automl.errors import AutomlError

__all__ = ["Observer"]


class Observer:
    """Calls a function at an interval from a thread of its own, inside a ``with`` block.

    The last call is made when the block ends, so that what it writes is up to date.

    Args:
        look: What to call. An ``AutomlError`` or ``OSError`` it raises ends the observing and is
            raised again at the end of the block.
        interval_s: Seconds between two calls.
        on_failure: Called once, from the thread, when ``look`` raised; to end the search.
    """

    def __init__(
        self,
        look: Callable[[], None],
        *,
        interval_s: float = 1.0,
        on_failure: Callable[[], None] | None = None,
    ) -> None:
        self._look = look
        self._interval_s = interval_s
        self._on_failure = on_failure
        self._done = threading.Event()
        self._failure: AutomlError | OSError | None = None
        self._thread = threading.Thread(target=self._repeat, name="observer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()
        if self._failure is None:
            self._once()
        if self._failure is not None and error is None:
            raise self._failure

    def _repeat(self) -> None:
        while self._failure is None and not self._done.wait(self._interval_s):
            if not self._once() and self._on_failure is not None:
                self._on_failure()

    def _once(self) -> bool:
        try:
            self._look()
        except (AutomlError, OSError) as error:
            self._failure = error
            return False
        return True
