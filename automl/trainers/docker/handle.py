"""One running container: followed, waited for, stopped, and removed once it has ended."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from automl.processes import started_at
from automl.study.layout import AttemptPaths
from automl.study.links import drop_links
from automl.trainers.base import TrialTask
from automl.trainers.docker.engine import ContainerGone, DockerEngine, EngineAway
from automl.trainers.docker.facts import ContainerState
from automl.trainers.docker.guard import ContainerGuard
from automl.trainers.docker.log import LogFile, Redactor
from automl.trainers.docker.record import ContainerRecord, write_end
from automl.trainers.process import tail_of

__all__ = ["MEMORY_KILL", "ContainerHandle", "EndedContainer"]

#: Put into the log where the kernel killed a process of the container.
MEMORY_KILL = "automl: out of memory: the kernel killed a process of this container"
_KILLED = 137
_AGAIN_S = 0.2
#: Seconds after which a container's state is asked for although its log says nothing.
_LOOK_S = 5.0
#: Seconds to wait for an engine that is away before a stop is given up.
_PATIENCE_S = 60.0


class ContainerHandle:
    """A container, from its start or from when it was found again to its removal.

    A thread follows its output. That the output ends proves nothing, for an engine that is stopped
    ends it too: the container has ended when its state says so.

    Args:
        engine: Where it runs.
        container: Its id.
        task: What it trains.
        record: What was noted of it when it was made.
        secrets: Values that must not reach the log.
        guard: Ends the container with this process; None where it is to outlive it.
    """

    def __init__(
        self,
        engine: DockerEngine,
        container: str,
        task: TrialTask,
        record: ContainerRecord,
        secrets: tuple[str, ...] = (),
        guard: ContainerGuard | None = None,
    ) -> None:
        self.container = container
        self.age_s = _age_s(engine, container)
        self._engine = engine
        self._task = task
        self._record = record
        self._guard = guard
        self._log = LogFile(task.log_path, Redactor(secrets))
        self._driver_started = started_at(task.driver_pid) if task.driver_pid else ""
        self._code: int | None = None
        self._ended = threading.Event()
        self._looked_at = time.monotonic()
        self._ending = threading.Lock()
        threading.Thread(target=self._follow, name=f"log of {container[:12]}", daemon=True).start()

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, 128 plus the signal's number for a killed one; None if it runs."""
        if not self._ended.wait(timeout_s) and time.monotonic() - self._looked_at > _LOOK_S:
            # A connection may die without a word, and the log with it.
            self._looked_at = time.monotonic()
            state = self._state()
            if state is not None and state.has_ended and not self._ended.wait(_LOOK_S):
                self._end(state)
        return self._code

    def stop(self, grace_s: float) -> None:
        """SIGTERM, the grace, SIGKILL; returns when the container is gone.

        An engine that is away is waited for, but not for ever: its container is then left to be
        found by the next driver.
        """
        self._signal("SIGTERM", grace_s)
        if not self._ended.wait(grace_s):
            self._signal("SIGKILL", _PATIENCE_S)
            self._ended.wait(_PATIENCE_S)

    def tail(self, lines: int) -> list[str]:
        """The last lines of the log, paths as the host knows them."""
        return [
            self._record.mounts.text_on_host(line) for line in tail_of(self._task.log_path, lines)
        ]

    def _signal(self, name: str, within_s: float) -> None:
        deadline = time.monotonic() + max(within_s, _AGAIN_S)
        while not self._ended.is_set() and time.monotonic() < deadline:
            try:
                self._engine.kill(self.container, name)
            except EngineAway:
                time.sleep(_AGAIN_S)
            else:
                return

    def _follow(self) -> None:
        while not self._ended.is_set() and not self._driver_is_gone():
            self._read_log()
            state = self._state()
            if state is not None and state.has_ended and self._read_log():
                # Read once more, because the stream may have broken before the container ended.
                self._end(state)
            else:
                self._ended.wait(_AGAIN_S)

    def _read_log(self) -> bool:
        """Follows the output until its stream ends; whether it did so in good order."""
        self._log.reopen()
        try:
            for piece in self._engine.logs(self.container):
                if self._driver_is_gone():
                    return False
                self._log.take(piece)
        except EngineAway:
            return False
        except ContainerGone:
            return True
        return True

    def _state(self) -> ContainerState | None:
        """Where it stands; None while the engine is away."""
        try:
            return self._engine.state(self.container)
        except EngineAway:
            return None
        except ContainerGone:
            return ContainerState("removing", _KILLED, was_memory_kill=False, age_s=0.0)

    def _end(self, state: ContainerState) -> None:
        """Notes how it ended, then removes it: the note is there before the container is not."""
        with self._ending:
            if self._ended.is_set():
                return
            attempt = AttemptPaths(self._task.folder)
            self._log.close(MEMORY_KILL if state.was_memory_kill else "")
            drop_links(attempt)
            write_end(attempt, self._record, state.exit_code)
            _patiently(lambda: self._engine.remove(self.container))
            if self._guard is not None:
                self._guard.dismiss()
            self._code = state.exit_code
            self._ended.set()

    def _driver_is_gone(self) -> bool:
        """Whether the driver has died, so that another may follow this container by now."""
        pid = self._task.driver_pid
        return pid is not None and started_at(pid) != self._driver_started


@dataclass(frozen=True, slots=True)
class EndedContainer:
    """A container that ended, and was removed, before its outcome was recorded.

    Attributes:
        task: What it trained.
        record: What is noted of it.
        code: Its exit code.
    """

    task: TrialTask
    record: ContainerRecord
    code: int

    def wait(self, timeout_s: float) -> int | None:  # noqa: ARG002 -- the protocol's
        """The exit code."""
        return self.code

    def stop(self, grace_s: float) -> None:
        """Nothing: nothing runs."""

    def tail(self, lines: int) -> list[str]:
        """The last lines of the log."""
        return [
            self.record.mounts.text_on_host(line) for line in tail_of(self.task.log_path, lines)
        ]


def _age_s(engine: DockerEngine, container: str) -> float:
    try:
        return engine.state(container).age_s
    except (EngineAway, ContainerGone):
        return 0.0


def _patiently(ask: Callable[[], None]) -> None:
    """Asks until the engine answers, or for as long as patience lasts."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            return ask()
        except EngineAway:
            time.sleep(_AGAIN_S)
    return None
