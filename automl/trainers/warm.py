"""Training one trial after the other in one process of the package's own trainer program.

The process belongs to what runs trials one at a time: a reused Ray worker, or the serial
driver. Each holds one ``WarmTrainer``, and that at most one process, so that as many processes
live as trials run at the same time, each with the GPU and the threads of its worker. Nothing is
shared between workers and nothing outlives one: the process stands under a guard, which ends it as
soon as its worker or the driver is gone, however they went. What a trial has finished is in its
own folder by then, as with a process of its own.

A trial gets a fresh process where the last one's hardware or variables differ from its own, where
it holds several GPUs (the program then starts processes of its own), and after every end that may
have spoiled the old one. The protocol is described in ``automl/centerpose/program/serve.py``.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automl.jsontext import parse_json
from automl.study.layout import AttemptPaths
from automl.trainers.base import Handle, Problem, Trainer, TrialTask
from automl.trainers.process import (
    OWN_PROGRAMS,
    GuardedProcess,
    ProcessTrainer,
    environment,
    start_guarded,
    tail_of,
)

__all__ = ["WarmTrainer", "warm_trainer"]

#: Seconds that an idle process gets to end, and one that ends after a failure.
_RELEASE_GRACE_S = 2.0
#: Seconds in which a process that has trained before must take its next training.
_TAKES_S = 10.0
_STARTED_S = 5.0
_POLL_S = 0.01
_SIGNALS_FROM = 128


def warm_trainer(cold: ProcessTrainer) -> Trainer:
    """The trainer that keeps a process, or ``cold`` itself where its command cannot be served."""
    own = OWN_PROGRAMS.get(cold.skill.network_arch)
    if own is None:
        return cold
    program = [sys.executable, "-m", own]
    spec = Path("spec.yaml")
    plain = [*program, "train", "-e", str(spec)]
    words = cold.command(spec)
    overrides = words[len(plain) :]
    if words[: len(plain)] != plain or not all("=" in word for word in overrides):
        return cold
    return WarmTrainer(cold, [*program, "serve"], overrides)


class WarmTrainer:
    """Runs trainings in a process that is kept from one to the next.

    Args:
        cold: Runs those that must have a process of their own.
        program: The command that serves trainings.
        overrides: What the skill's command adds to every spec.
    """

    def __init__(
        self, cold: Trainer, program: Sequence[str], overrides: Sequence[str] = ()
    ) -> None:
        self._cold = cold
        self._program = tuple(program)
        self._overrides = tuple(overrides)
        self._server: _Server | None = None

    def check(self) -> Sequence[Problem]:
        """What the trainer with a process for each trial needs, and nothing more."""
        return self._cold.check()

    def start(self, task: TrialTask, gpus: Sequence[str]) -> Handle:
        """Starts one training, in the kept process where it fits."""
        is_busy = self._server is not None and self._server.is_busy
        if len(gpus) > 1 or is_busy:
            return self._cold.start(task, gpus)
        key = (task.driver_pid, environment(os.environ, task, gpus))
        if self._server is not None:
            fits = self._server.key == key and not self._server.is_over
            training = self._server.train(task, self._overrides) if fits else None
            if training is not None:
                return training
            self.release()
        self._server = _Server.start(self._program, task, gpus, key)
        return self._server.begin(task, self._overrides)

    def release(self) -> None:
        """Ends the kept process, and with it whatever it holds of the GPU."""
        if self._server is not None:
            self._server.end(_RELEASE_GRACE_S)
            self._server = None


class _Server:
    """A process that takes trainings over a socket, one at a time.

    Args:
        process: The process under its guard.
        channel: The socket.
        ids: Where the guard writes who they are.
        key: Whose trainings it may take.
    """

    def __init__(
        self, process: GuardedProcess, channel: socket.socket, ids: Path, key: object
    ) -> None:
        self.key = key
        self.is_busy = False
        self.is_over = False
        self._process = process
        self._channel = channel
        self._ids = ids
        self._unread = b""
        self._number = 0

    @classmethod
    def start(
        cls, program: Sequence[str], task: TrialTask, gpus: Sequence[str], key: object
    ) -> "_Server":
        """Starts the process; its own output goes to the log of the first training.

        Raises:
            OSError: It cannot be started.
        """
        ids = AttemptPaths(task.folder).server
        ours, theirs = socket.socketpair()
        with theirs:
            process = start_guarded(program, task, gpus, ids, theirs.fileno())
        return cls(process, ours, ids, key)

    def train(self, task: TrialTask, overrides: Sequence[str]) -> "_Training | None":
        """Starts a further training; None if the process has died since the last one."""
        training = self.begin(task, overrides)
        deadline = time.monotonic() + _TAKES_S
        while time.monotonic() < deadline:
            answer = self.receive(deadline - time.monotonic())
            if answer is not None:
                return training if answer else None
        return None

    def begin(self, task: TrialTask, overrides: Sequence[str]) -> "_Training":
        """Starts a training without waiting for the process to take it."""
        self.is_busy = True
        self._number += 1
        self._note_ids(AttemptPaths(task.folder).pid)
        self.send(
            id=self._number,
            spec=str(task.spec_path),
            overrides=list(overrides),
            log=str(task.log_path),
            folder=str(task.folder),
        )
        return _Training(self, self._number, task)

    def _note_ids(self, path: Path) -> None:
        """Notes in the attempt's own place who trains it, once the guard has written it."""
        deadline = time.monotonic() + _STARTED_S
        while not self._ids.exists() and time.monotonic() < deadline:
            if self._process.wait(_POLL_S) is not None:
                return
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.part")
            part.write_bytes(self._ids.read_bytes())
            part.replace(path)

    def send(self, **message: Any) -> None:
        """Sends one message; a process that is gone takes none, and gives no answer."""
        with contextlib.suppress(OSError):
            self._channel.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message, or None after the timeout; an empty one if the process is gone."""
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._unread:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._channel], [], [], left)[0]:
                return None
            try:
                received = self._channel.recv(4096)
            except OSError:
                received = b""
            if not received:
                return {}
            self._unread += received
        line, _, self._unread = self._unread.partition(b"\n")
        message: dict[str, Any] = parse_json(line)
        return message

    def end(self, grace_s: float) -> int:
        """Ends the process and all that it started; the exit code, 128 plus a signal's number."""
        self._process.stop(grace_s)
        self.is_over = True
        self._channel.close()
        code = self._process.wait(0)
        return _SIGNALS_FROM + signal.SIGKILL if code is None else code

    def ended(self, timeout_s: float) -> int:
        """The exit code of a process that is ending by itself; it is made to after the timeout."""
        self._process.wait(timeout_s)
        return self.end(0.0)


class _Training:
    """One training in a kept process.

    Args:
        server: The process.
        number: The training's number in it.
        task: What is trained.
    """

    def __init__(self, server: _Server, number: int, task: TrialTask) -> None:
        self._server = server
        self._number = number
        self._task = task
        self._code: int | None = None

    def wait(self, timeout_s: float) -> int | None:
        """The exit code that a process of its own would have had; None if it runs."""
        deadline = time.monotonic() + timeout_s
        while self._code is None:
            answer = self._server.receive(max(0.0, deadline - time.monotonic()))
            if answer is None:
                return None
            self._take(answer)
        return self._code

    def stop(self, grace_s: float) -> None:
        """Asks the training to end, and after the grace ends the process it runs in."""
        if self.wait(0.0) is not None:
            return
        self._server.send(stop=self._number)
        if self.wait(grace_s) is None:
            self._end(self._server.end(0.0))

    def tail(self, lines: int) -> list[str]:
        """The last lines of the training's own log."""
        return tail_of(self._task.log_path, lines)

    def _take(self, answer: dict[str, Any]) -> None:
        if not answer:
            # Gone in mid-training. An exit code of 0 would call the training a success.
            self._end(self._server.ended(_RELEASE_GRACE_S) or 1)
        elif answer.get("id") == self._number and "exit_code" in answer:
            if not answer.get("reusable"):
                self._server.ended(_RELEASE_GRACE_S)
            self._end(int(answer["exit_code"]))

    def _end(self, code: int) -> None:
        self._code = code
        self._server.is_busy = False
        AttemptPaths(self._task.folder).pid.unlink(missing_ok=True)
