"""How a person or the system ends a search: gently, now, or at once."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from types import FrameType

from automl.inside import read_file
from automl.signals import leave_terminal

__all__ = ["PAUSED", "Control", "Stage"]

#: Why a study ended that was paused.
PAUSED = "paused"

_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIGNALS_FROM = 128
_LAST_NOTICE_S = 0.5
#: Bytes of a stop file that are read.
_LONGEST = 200


class Stage(IntEnum):
    """How far the ending of a search has gone; it only ever rises."""

    RUNNING = 0
    AFTER_RUNNING = 1
    NOW = 2


class Control:
    """Turns signals into a stage that the drivers read, and the stop file that the trials read.

    The first Ctrl-C lets the running trials finish, the second stops them with their checkpoints
    kept, the third leaves at once. SIGTERM stops them like the second Ctrl-C: its sender
    (a batch system, a shutdown) gives little time. So does SIGHUP (the terminal was closed), after
    which nothing is written to the terminal any more; where it is ignored (``nohup``) it stays so.

    Attributes:
        signal: The last signal that came.
        reason: What ended the search where it was neither a signal nor a person.

    Args:
        stop_file: The study's stop file.
        notify: Called with one sentence that says what happens, once per signal, from a thread of
            its own: a signal may arrive in the middle of a print.
    """

    def __init__(
        self,
        stop_file: Path,
        notify: Callable[[str], None],
        gentle_file: Path | None = None,
        *,
        held: bool = True,
    ) -> None:
        self.signal: signal.Signals | None = None
        self.reason = ""
        self._stop_file = stop_file
        self._gentle_file = gentle_file
        self._is_held = held
        self._has_told = False
        self._notify = notify
        self._stage = Stage.RUNNING

    @property
    def stage(self) -> Stage:
        """How far the ending has gone; a stop file that somebody else made counts as now."""
        if self._is_held and self._stage is not Stage.NOW and self._stop_file.exists():
            self._stage = Stage.NOW
        return self._stage

    @property
    def is_asking(self) -> bool:
        """Whether new trials may be started."""
        return self.stage is Stage.RUNNING

    def stop_after_running(self, reason: str = "") -> None:
        """No further trial is started.

        Args:
            reason: Why, where it was neither a signal nor a person.
        """
        self.reason = self.reason or reason
        self._stage = max(self._stage, Stage.AFTER_RUNNING)

    def stop_now(self, reason: str = "") -> None:
        """Every running trial is stopped, its checkpoints kept.

        Args:
            reason: Why, where it was neither a signal nor a person.
        """
        self.reason = self.reason or reason
        self._stage = Stage.NOW
        self._has_told = True
        if self._is_held:
            # On a full disk the drivers know from the stage.
            with suppress(OSError):
                self._stop_file.touch()

    def hold(self) -> None:
        """The study is this process's now; what an earlier stop has left is cleared away."""
        for file in (self._stop_file, self._gentle_file):
            if file is not None:
                file.unlink(missing_ok=True)
        self._is_held = True

    def look(self) -> None:
        """Hears what other processes ask by files, and says so once."""
        gentle = self._gentle_file
        if gentle is not None and gentle.exists():
            self.stop_after_running()
            gentle.unlink(missing_ok=True)
            self._announce("asked to stop after the running trials: no further one is started")
        if self.stage is Stage.NOW and not self._has_told:
            self._has_told = True
            self.reason = self.reason or _said_in(self._stop_file)
            self._announce("asked to stop: the running trials end now; their checkpoints are kept")

    @contextmanager
    def handling_signals(self, *, to_the_end: bool = False) -> Iterator[None]:
        """SIGINT, SIGTERM and SIGHUP act on this control inside the block; elsewhere as before.

        May be nested, to take the signals back from a library that took them. Does nothing outside
        the main thread, where Python allows no handlers.

        Args:
            to_the_end: Whether SIGTERM and SIGHUP stop nothing after the block: all that is left
                then are the last words of what has ended.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in _heeded()}
        self._install(before)
        try:
            yield
        finally:
            for number, handler in before.items():
                is_over = to_the_end and number != signal.SIGINT
                signal.signal(number, _pass_over if is_over else handler)

    @contextmanager
    def waiting_for_signals(self) -> Iterator[None]:
        """Inside the block they come by ``wait`` alone, whatever a library does to their handlers.

        The threads that are started inside, and the processes unless they take care, inherit that
        the signals are blocked. Does nothing outside the main thread.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = _heeded()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        try:
            yield
        finally:
            self._install(numbers)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def wait(self, timeout_s: float) -> None:
        """Waits for a signal, and acts on it; returns early when one came."""
        received = signal.sigtimedwait(_heeded(), timeout_s)
        if received is not None:
            self._take(received.si_signo, None)

    def _install(self, numbers: Iterable[signal.Signals]) -> None:
        for number in numbers:
            signal.signal(number, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- the signature
        self.signal = signal.Signals(number)
        if number == signal.SIGHUP:
            leave_terminal()
        if number != signal.SIGINT or self._stage is Stage.AFTER_RUNNING:
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


def _said_in(file: Path) -> str:
    """Why somebody asked, where the file says it; an empty file says nothing."""
    with suppress(OSError, UnicodeDecodeError), read_file(file) as opened:
        return opened.read(_LONGEST).decode().strip()
    return ""


def _pass_over(number: int, frame: FrameType | None) -> None:
    """A handler for what comes too late."""


def _heeded() -> tuple[signal.Signals, ...]:
    """The signals that are acted on: all of them, but for a SIGHUP that is ignored."""
    is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return _HANDLED[:2] if is_ignored else _HANDLED
