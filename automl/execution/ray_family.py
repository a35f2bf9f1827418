"""The processes of a private Ray: sessions of their own, watched, and ended with the driver.

A signal to the driver's whole group (a terminal, a batch system, ``timeout``) then reaches the
driver alone, which ends its study in order while Ray still answers.
"""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from automl.execution import ray_watcher

__all__ = ["RayFamily", "ray_family"]

#: Without one of these Ray answers nothing any more, and says so only after a minute.
_ESSENTIAL = ("gcs_server", "raylet")
_SWEEP_S = ray_watcher.SWEEP_S + 5.0


class RayFamily:
    """What Ray has started, and the watcher that ends it.

    Args:
        watcher: The watcher's process, its standard input a pipe held here.
    """

    def __init__(self, watcher: subprocess.Popen[str]) -> None:
        self._watcher = watcher
        self._essential: dict[str, subprocess.Popen[bytes]] = {}
        self._is_left = False

    @property
    def dead(self) -> str:
        """A process that has ended and without which Ray cannot go on, in words; else empty."""
        ended = (
            f"Ray's process {name}"
            for name, each in self._essential.items()
            if each.poll() is not None
        )
        return next(ended, "")

    @contextmanager
    def adopting(self) -> Iterator[None]:
        """Each process that Ray starts in this block gets a session of its own, and is watched."""
        from ray._private import services

        plain = services.ConsolePopen

        def adopted(
            command: list[str], *, preexec_fn: Callable[[], None], **options: Any
        ) -> subprocess.Popen[bytes]:
            def begin() -> None:
                # The driver has them blocked, and Ray's processes are ended by them.
                signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGHUP))
                preexec_fn()

            process: subprocess.Popen[bytes] = plain(
                command, preexec_fn=begin, start_new_session=True, **options
            )
            self._tell(f"session {process.pid}")
            name = Path(command[0]).name
            if name in _ESSENTIAL:
                self._essential[name] = process
            return process

        services.ConsolePopen = adopted
        try:
            yield
        finally:
            services.ConsolePopen = plain

    def owns(self, folder: Path) -> None:
        """Lets the watcher delete a folder when Ray's processes have ended."""
        self._tell(f"folder {folder}")

    def leave(self) -> None:
        """Lets Ray's processes live until this one ends: a thread that Ray holds needs them.

        Ray ends the whole process, without a word, where they die under such a thread.
        """
        self._is_left = True

    def end(self) -> None:
        """Kills what is left of Ray; returns when it is gone. Does nothing after ``leave``."""
        if self._is_left:
            return
        if self._watcher.stdin is not None:
            self._watcher.stdin.close()
        try:
            self._watcher.wait(_SWEEP_S)
        except subprocess.TimeoutExpired:
            self._watcher.kill()

    def _tell(self, line: str) -> None:
        if self._watcher.stdin is not None:
            self._watcher.stdin.write(f"{line}\n")
            self._watcher.stdin.flush()


@contextmanager
def ray_family() -> Iterator[RayFamily]:
    """A family whose processes are gone when the block, or this process, ends."""
    watcher = subprocess.Popen(
        [sys.executable, "-I", "-S", ray_watcher.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    family = RayFamily(watcher)
    try:
        yield family
    finally:
        family.end()
