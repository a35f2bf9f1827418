"""How a person or the system ends a search: gently, now, or at once."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from types import FrameType

__all__ = ["Control", "Stage"]

_SIGNALS_FROM = 128
_LAST_NOTICE_S = 0.5


class Stage(IntEnum):
    """How far the ending of a search has gone; it only ever rises."""

    RUNNING = 0
    AFTER_RUNNING = 1
    NOW = 2


class Control:
    """Turns signals into a stage that the drivers read, and the stop file that the trials read.

    The first Ctrl-C lets the running trials finish, the second stops them with their checkpoints
    kept, the third leaves at once. SIGTERM stops them like the second Ctrl-C: its sender
    (a batch system, a shutdown) gives little time.

    Args:
        stop_file: The study's stop file.
        notify: Called with one sentence that says what happens, once per signal, from a thread of
            its own: a signal may arrive in the middle of a print.
    """

    def __init__(self, stop_file: Path, notify: Callable[[str], None]) -> None:
        self.signal: signal.Signals | None = None
        self._stop_file = stop_file
        self._notify = notify
        self._stage = Stage.RUNNING

    @property
    def stage(self) -> Stage:
        """How far the ending has gone; a stop file that somebody else made counts as now."""
        if self._stage is not Stage.NOW and self._stop_file.exists():
            self._stage = Stage.NOW
        return self._stage

    @property
    def is_asking(self) -> bool:
        """Whether new trials may be started."""
        return self.stage is Stage.RUNNING

    def stop_after_running(self) -> None:
        """No further trial is started."""
        self._stage = max(self._stage, Stage.AFTER_RUNNING)

    def stop_now(self) -> None:
        """Every running trial is stopped, its checkpoints kept."""
        self._stage = Stage.NOW
        self._stop_file.touch()

    @contextmanager
    def handling_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM act on this control inside the block; elsewhere as before.

        May be nested, to take the signals back from a library that took them. Does nothing outside
        the main thread, where Python allows no handlers.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.getsignal(number) for number in numbers}
        for number in numbers:
            signal.signal(number, self._take)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- the signature
        self.signal = signal.Signals(number)
        if number == signal.SIGTERM or self._stage is Stage.AFTER_RUNNING:
            stage_before = self._stage
            self.stop_now()
            if stage_before is not Stage.NOW:
                self._announce("stopping the running trials now; their checkpoints are kept")
        elif self._stage is Stage.RUNNING:
            self.stop_after_running()
            self._announce(
                "stopping after the running trials; Ctrl-C again stops them now, "
                "with their checkpoints kept"
            )
        else:
            self._announce("leaving at once; 'automl resume' goes on with what was running").join(
                _LAST_NOTICE_S
            )
            os._exit(_SIGNALS_FROM + number)

    def _announce(self, text: str) -> threading.Thread:
        thread = threading.Thread(target=self._notify, args=(text,), name="notice", daemon=True)
        thread.start()
        return thread
