"""Ray at work in a thread of its own, watched by the driver's main thread.

A call of Ray's that never returns cannot keep the driver from hearing a signal, from noticing that
a process of Ray's has died, and from ending the study in order.
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from automl.errors import PrepareMachine
from automl.execution.control import Stage
from automl.execution.driver import DriveRequest
from automl.execution.live_attempts import LiveAttempts
from automl.execution.ray_errors import is_ours, said
from automl.processes import ABANDONED

__all__ = ["Lifeline", "RayThread", "supervise"]

_LOOK_S = 0.2
#: Seconds that Ray gets to end all trials once they are to stop: as long as a guard may take.
_STOPPING_S = 60.0
#: Seconds that Ray gets to end itself.
_ENDING_S = 20.0
#: Seconds that the workers get to end their attempts in order once Ray has died.
_ORPHANS_S = 5.0


class Lifeline(Protocol):
    """What Ray cannot go on without."""

    @property
    def dead(self) -> str:
        """What of it has died, as the subject of a sentence; empty while all of it lives."""
        ...

    def leave(self) -> None:
        """The thread is left behind; what it needs must live as long as this process."""
        ...


class RayThread(threading.Thread):
    """Starts Ray or connects to it, lets it run the trials, ends it.

    Args:
        request: What is driven.
        live: Its live attempts.
        ray: A Ray that is up inside the block.
        work: Runs the trials; returns when all have ended.

    Attributes:
        error: What it ended with.
        is_up: Whether Ray has started.
        ending_since: When the work was done, by the monotonic clock; None before.
    """

    def __init__(
        self,
        request: DriveRequest,
        live: LiveAttempts,
        ray: AbstractContextManager[None],
        work: Callable[[], None],
    ) -> None:
        super().__init__(name="ray", daemon=True)
        self.error: BaseException | None = None
        self.is_up = False
        self.ending_since: float | None = None
        self.request = request
        self.live = live
        self._ray = ray
        self._work = work

    def run(self) -> None:
        """Ends when nothing of Ray is left."""
        try:
            with self._ray:
                self.is_up = True
                try:
                    self._work()
                finally:
                    self.ending_since = time.monotonic()
        except Exception as error:  # noqa: BLE001 -- Ray raises whatever it met, bare ones too
            self.error = self._meant_by(error)
        except BaseException as error:  # noqa: BLE001 -- raised again in the driver's main thread
            self.error = error

    def _meant_by(self, error: Exception) -> Exception | None:
        """What is to be raised; nothing where Ray failed, which ends the search resumably."""
        if self.live.failure is not None:
            # Ray hands on the text of an error alone; its cause is the engine's or the listener's.
            return self.live.failure
        if is_ours(error):
            return error
        if not self.is_up:
            return _cannot_start(said(error))
        self.request.control.stop_now(f"Ray failed ({said(error)})")
        return None


def supervise(thread: RayThread, lifeline: Lifeline) -> None:
    """Lets the thread come to its end; leaves it behind where it cannot.

    Raises:
        PrepareMachine: Ray cannot start.
    """
    request, live = thread.request, thread.live
    thread.start()
    why = _why_it_cannot_end(thread, lifeline)
    if not why:
        if thread.error is not None:
            raise thread.error
        return
    live.take_over()
    lifeline.leave()
    thread.name = ABANDONED
    if not thread.is_up and request.control.stage is not Stage.NOW:
        raise _cannot_start(why)
    is_asked = request.control.stage is Stage.NOW
    request.control.stop_now("" if is_asked else why)
    live.await_outcomes(_ORPHANS_S)


def _why_it_cannot_end(thread: RayThread, lifeline: Lifeline) -> str:
    """Waits for the thread; empty when it has ended, else why it must be left behind."""
    control = thread.request.control
    stopping_since: float | None = None
    while True:
        control.wait(_LOOK_S)
        if not thread.is_alive():
            return ""
        now = time.monotonic()
        if thread.ending_since is not None:
            if now - thread.ending_since > _ENDING_S:
                return "Ray did not end"
            continue
        if dead := lifeline.dead:
            return f"{dead} died"
        if control.stage is Stage.NOW:
            stopping_since = stopping_since or now
            if not thread.is_up or now - stopping_since > _STOPPING_S:
                return control.reason or "Ray was not ready"


def _cannot_start(why: str) -> PrepareMachine:
    return PrepareMachine(
        "Ray must be able to start on this machine",
        got=why,
        fix="free memory and space in the temporary folder, then automl resume goes on",
    )
