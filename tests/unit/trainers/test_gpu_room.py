"""GPU memory of processes that have ended is waited for, and what never comes free is said."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from automl.trainers.gpu_room import await_free
from automl.trainers.timing import Timing

GIB = 1 << 30


@dataclass(frozen=True)
class Listed:
    pid: int
    usedGpuMemory: int | None  # noqa: N815 -- the library's name


@dataclass
class Library:
    """Answers as NVIDIA's library does: the first answer, then the second, the last for ever."""

    answers: Mapping[object, list[Sequence[Listed]]]
    n_open: int = 0
    asked: list[object] = field(default_factory=list)

    class NVMLError(Exception):
        pass

    def nvmlInit(self) -> None:
        self.n_open += 1

    def nvmlShutdown(self) -> None:
        self.n_open -= 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> object:
        return self._handle(index)

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> object:
        return self._handle(uuid)

    def _handle(self, name: object) -> object:
        if name not in self.answers:
            raise self.NVMLError
        return name

    def nvmlDeviceGetComputeRunningProcesses(self, gpu: object) -> Sequence[Listed]:
        self.asked.append(gpu)
        answers = self.answers[gpu]
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def timing(self) -> Timing:
        return Timing(monotonic=lambda: self.now_s, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture(scope="module")
def dead() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_what_a_dead_process_holds_is_waited_for(dead: int) -> None:
    library = Library({0: [[Listed(dead, GIB)], [Listed(dead, GIB)], []]})
    clock = Clock()
    assert await_free(["0"], clock.timing(), library) == ""
    assert clock.now_s == pytest.approx(0.4)
    assert library.n_open == 0


def test_what_never_comes_free_is_said_after_ten_seconds(dead: int) -> None:
    library = Library({"GPU-a": [[Listed(dead, 9 * GIB)]], "GPU-b": [[Listed(dead, None)]]})
    clock = Clock()
    said = await_free(["GPU-a", "GPU-b"], clock.timing(), library)
    assert said == (
        f"9.0 GiB of GPU GPU-a still held by pid {dead}, which has ended; "
        f"memory of GPU GPU-b still held by pid {dead}, which has ended"
    )
    assert clock.now_s == pytest.approx(10.0, abs=0.3)


def test_who_lives_is_not_waited_for() -> None:
    library = Library({0: [[Listed(os.getpid(), GIB)]]})
    clock = Clock()
    assert await_free(["0"], clock.timing(), library) == ""
    assert clock.now_s == 0.0


def test_without_gpus_nobody_is_asked_and_a_gpu_that_does_not_answer_is_passed_over() -> None:
    library = Library({})
    assert await_free([], Timing(), library) == ""
    assert await_free(["3", "GPU-gone"], Timing(), library) == ""
    assert library.asked == []
