"""``serve``: several trainings one after the other in one process.

What a process pays for once (imports, the CUDA context, decoded images, a compiled network) the
second training finds ready. Each training is run as ``train`` runs it: its results folder, its
status file, its log and its exit code are its own.

Standard input takes one JSON object a line. A training to run::

    {"id": 7, "spec": "/abs/spec.yaml", "overrides": ["train.num_epochs=3"],
     "log": "/abs/log.txt", "folder": "/abs"}

``overrides``, ``log`` and ``folder`` may be missing. Everything that the training writes on
standard output and error goes to ``log``, what libraries in C write included; ``folder`` is its
working directory. ``{"stop": 7}`` ends training 7 as SIGTERM would, and that training alone. The
end of the input ends the process once every training asked for has run.

Standard output gives two JSON objects a training::

    {"id": 7, "pid": 4711, "training": 2}
    {"id": 7, "exit_code": 0, "reusable": true, "seconds": 8.1, "gpu_peak_mib": 2210}

``training`` counts those of this process from 1. ``gpu_peak_mib`` is the most that the GPU's
memory pool held during the training, or null without a GPU. After an end that may have spoiled the
process (``reusable`` false: whatever is neither success, nor a stop, nor a mistake in the spec)
the process ends with that exit code, and starts no other training. SIGTERM and SIGINT end the
training in progress and then the process.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from automl.centerpose.session.interrupt import Interrupt
from automl.jsontext import parse_json

__all__ = ["Job", "TrainingEnd", "TrainingRunner", "serve"]


@dataclass(frozen=True, slots=True)
class Job:
    """One training that was asked for.

    Attributes:
        id: Its name in the answers.
        spec: The spec file.
        overrides: ``KEY=VALUE`` texts on top of it.
        log: Where its output goes; empty leaves it on standard error.
        folder: Its working directory; empty for the process's own.
    """

    id: int
    spec: str
    overrides: tuple[str, ...] = ()
    log: str = ""
    folder: str = ""

    @classmethod
    def parse(cls, message: dict[str, Any]) -> "Job":
        """The training that a message asks for.

        Raises:
            KeyError: It has no id or no spec.
        """
        overrides = tuple(map(str, message.get("overrides") or ()))
        log, folder = str(message.get("log") or ""), str(message.get("folder") or "")
        return cls(int(message["id"]), str(message["spec"]), overrides, log, folder)


@dataclass(frozen=True, slots=True)
class TrainingEnd:
    """How a training ended.

    Attributes:
        exit_code: As the process would have had for this training alone.
        reusable: Whether the process is as good as new.
        gpu_peak_mib: The most GPU memory that it held, in MiB; None without a GPU.
    """

    exit_code: int
    reusable: bool
    gpu_peak_mib: int | None = None


_STOPPED = TrainingEnd(128 + signal.SIGTERM, reusable=True)


class TrainingRunner(Protocol):
    """What runs one training."""

    def __call__(self, job: Job, interrupt: Interrupt) -> TrainingEnd:
        """Runs it to its end, asking ``interrupt`` whether to go on."""
        ...


class _JobQueue:
    """Takes messages in a thread of its own, while the main thread trains."""

    def __init__(self, lines: IO[str]) -> None:
        self._lines = lines
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._current: tuple[int, Interrupt] | None = None
        self._stopped: set[int] = set()
        threading.Thread(target=self._read, name="messages", daemon=True).start()

    def in_order(self) -> Iterator[Job]:
        """The trainings asked for, in order; waits for the next one."""
        while (job := self._jobs.get()) is not None:
            yield job

    @contextmanager
    def in_progress(self, job: Job, interrupt: Interrupt) -> Iterator[None]:
        """A message that stops this training reaches ``interrupt`` inside the block."""
        with self._lock:
            self._current = (job.id, interrupt)
            if job.id in self._stopped:  # before it began
                interrupt.request(signal.SIGTERM)
        try:
            yield
        finally:
            with self._lock:
                self._current = None

    def _read(self) -> None:
        for line in self._lines:
            try:
                self._take(parse_json(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                sys.stderr.write(f"not understood: {line.strip()} ({error!r})\n")
        self._jobs.put(None)

    def _take(self, message: dict[str, Any]) -> None:
        if "stop" not in message:
            self._jobs.put(Job.parse(message))
            return
        number = int(message["stop"])
        with self._lock:
            self._stopped.add(number)
            if self._current is not None and self._current[0] == number:
                self._current[1].request(signal.SIGTERM)


def serve(run_training: TrainingRunner) -> int:
    """Runs the trainings that standard input asks for; returns the process's exit code."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    # What a library prints between two trainings must not be taken for an answer.
    sys.stdout.flush()
    os.dup2(2, 1)
    # Not sys.stdin: Python waits for the lock of its standard streams before it ends.
    jobs = _JobQueue(os.fdopen(os.dup(0), encoding="utf-8"))
    for number, job in enumerate(jobs.in_order(), start=1):
        _answer(answers, id=job.id, pid=os.getpid(), training=number)
        began = time.monotonic()
        interrupt = Interrupt()
        with _signals_to(interrupt), _surroundings(job), jobs.in_progress(job, interrupt):
            sys.stdout.write(f"trainer process {os.getpid()}, its training number {number}\n")
            sys.stdout.flush()
            was_stopped = interrupt.requested is not None
            ended = _STOPPED if was_stopped else run_training(job, interrupt)
        _answer(
            answers,
            id=job.id,
            exit_code=ended.exit_code,
            reusable=ended.reusable and not interrupt.by_signal,
            seconds=round(time.monotonic() - began, 3),
            gpu_peak_mib=ended.gpu_peak_mib,
        )
        if not ended.reusable or interrupt.by_signal:
            return ended.exit_code
    return 0


def _answer(answers: IO[str], **fields: Any) -> None:
    try:
        answers.write(json.dumps(fields) + "\n")
    except BrokenPipeError:
        # The caller listens no more, and will end this process.
        return


@contextmanager
def _signals_to(interrupt: Interrupt) -> Iterator[None]:
    """SIGTERM and SIGINT ask the training to end inside the block; outside they act at once."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    interrupt.listen()
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def _surroundings(job: Job) -> Iterator[None]:
    """The training's own working directory, and its output in its log, inside the block."""
    home = Path.cwd()
    saved = [os.dup(1), os.dup(2)]
    try:
        if job.folder:
            os.chdir(job.folder)
        if job.log:
            log = os.open(job.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            _send_output_to([log, log])
            os.close(log)
        yield
    finally:
        _send_output_to(saved)
        for descriptor in saved:
            os.close(descriptor)
        os.chdir(home)


def _send_output_to(descriptors: Sequence[int]) -> None:
    """Standard output and error from now on; what was written before goes where it belonged."""
    for stream, number, descriptor in zip(
        (sys.stdout, sys.stderr), (1, 2), descriptors, strict=True
    ):
        stream.flush()
        os.dup2(descriptor, number)
