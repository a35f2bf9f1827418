"""Training on several devices: one process each, started, watched and ended together.

The program that was started trains nothing itself here: it needs neither torch nor a GPU, so it
always answers a signal, and always lives to say how the training ended. Each process it starts is
asked to end through its standard input, and ends by itself when that closes, whatever happened at
the other end. Signals from outside go to this program alone; the others ignore them.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from automl.centerpose.config.train import Train
from automl.centerpose.hardware.selection import device_ids
from automl.centerpose.session.failure import RankFailed
from automl.centerpose.session.interrupt import Interrupt, Interrupted
from automl.jsontext import parse_json

__all__ = ["OUTSIDE_SIGNALS", "train_on_devices"]

OUTSIDE_SIGNALS = (signal.SIGTERM, signal.SIGINT)
"""Signals that reach the program which was started, and are passed on by it."""

_PROGRAM = "automl.centerpose.program.rank"
_WATCH_S = 0.1
_LAST_WORDS_S = 0.5  # from the first sign of trouble to the end of all


def train_on_devices(settings: Train, spec: Path, folder: Path, interrupt: Interrupt) -> None:
    """Trains with one process a device, until all of them are done.

    Args:
        settings: The spec's ``train`` block.
        spec: File of the whole spec, resolved.
        folder: Results folder of the training.
        interrupt: Asked whether to end.

    Raises:
        RankFailed: One of them failed or died; the others were ended.
        Interrupted: A signal ended the training; a checkpoint was written first.
    """
    ranks = _Ranks(len(device_ids(settings)), spec, folder)
    try:
        ranks.watch(interrupt)
    finally:
        ranks.end()


class _Ranks:
    """The processes of one training.

    Args:
        world: How many.
        spec: File of the whole spec, resolved.
        folder: Results folder of the training.
    """

    def __init__(self, world: int, spec: Path, folder: Path) -> None:
        self._words, writer = os.pipe()
        self._said = b""
        command = [sys.executable, "-m", _PROGRAM, str(spec), str(folder), str(writer)]
        common = {"WORLD_SIZE": str(world), "NODE_RANK": "0", **_meeting_point()}
        # What a process inherits as blocked stays so until it chose to ignore it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, OUTSIDE_SIGNALS)
        try:
            self._processes = [
                subprocess.Popen(
                    command,
                    env=os.environ | common | {"LOCAL_RANK": str(rank)},
                    stdin=subprocess.PIPE,
                    pass_fds=(writer,),
                )
                for rank in range(world)
            ]
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(writer)

    def watch(self, interrupt: Interrupt) -> None:
        """Waits for the end of all, passing on a request to end early."""
        asked: int | None = None
        while None in self._codes() and not self._in_trouble(asked):
            if asked is None and interrupt.requested is not None:
                asked = interrupt.requested
                self._send(f"{asked}\n".encode())
        self._judge(asked)

    def _in_trouble(self, asked: int | None) -> bool:
        """Whether a process failed; looks for a moment."""
        if select.select([self._words], [], [], _WATCH_S)[0]:
            said = os.read(self._words, select.PIPE_BUF)
            self._said += said
            if said:
                return True
            time.sleep(_WATCH_S)  # all of them are about to end
        return asked is None and any(self._codes())

    def _judge(self, asked: int | None) -> None:
        """Says how the training ended: a process that died explains what the others report."""
        self._wait(_LAST_WORDS_S)
        codes = self._codes()
        for rank, code in enumerate(codes):
            if code is not None and code < 0:
                raise RankFailed(_death(rank, f"was ended by {signal.Signals(-code).name}"))
        if self._said:
            raise RankFailed(str(parse_json(self._said.splitlines()[0])))
        if asked is not None and any(codes):
            raise Interrupted(asked)
        for rank, code in enumerate(codes):
            if code:
                raise RankFailed(_death(rank, f"ended with exit code {code}"))

    def end(self) -> None:
        """Ends whatever still runs."""
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
        os.close(self._words)

    def _codes(self) -> Sequence[int | None]:
        return [process.poll() for process in self._processes]

    def _send(self, line: bytes) -> None:
        for process in self._processes:
            if process.stdin is not None and process.poll() is None:
                with suppress(BrokenPipeError):  # it ended just now
                    os.write(process.stdin.fileno(), line)

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and None in self._codes():
            time.sleep(_WATCH_S / 5)


def _death(rank: int, how: str) -> str:
    return f"Unexpected error: the process of device {rank} of the training {how}"


def _meeting_point() -> dict[str, str]:
    """An address and a free port of this host."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
