"""``automl watch`` at a real terminal beside a real driver, whose search it ends by a key."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from automl.study.layout import StudyPaths
from automl.study.state import read_state
from tests.e2e.campaign import SERIALLY
from tests.e2e.terminal import Driver, Terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SEARCH = """
set: {train.num_epochs: 3, train.optim.lr_steps: [1, 2]}
sampler: random
max_concurrent: 1
trials: 50
script: {epoch_s: 1.5, steps_every_s: 0.2}
"""


class Watching:
    """``automl watch`` in a pseudo-terminal."""

    def __init__(self, terminal: Terminal, name: str) -> None:
        self.ours, theirs = pty.openpty()
        environment = terminal.environment() | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
        environment.pop("CI", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "automl", "watch", name],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=terminal.folder,
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)
        self.text = ""

    def press(self, key: str) -> None:
        os.write(self.ours, key.encode())

    def wait_for(self, words: str, within_s: float = 25.0) -> None:
        deadline = time.monotonic() + within_s
        while words not in self.text:
            assert time.monotonic() < deadline, f"not seen: {words}\n{self.text[-3000:]}"
            self._read()

    def wait(self, within_s: float = 60.0) -> int:
        """Reads to its end; its exit code."""
        deadline = time.monotonic() + within_s
        while self._read() and time.monotonic() < deadline:
            pass
        return self.process.wait(5.0)

    def clear(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)

    def _read(self) -> bool:
        ready, _, _ = select.select([self.ours], [], [], 0.2)
        if not ready:
            return self.process.poll() is None
        try:
            read = os.read(self.ours, 1 << 16)
        except OSError:  # so a pseudo-terminal says that its other end was closed
            return False
        self.text += read.decode(errors="replace")
        return bool(read)


@pytest.fixture
def driver(terminal: Terminal) -> Driver:
    """A search whose trials take five seconds each, without Ray."""
    terminal.program = SERIALLY
    file = terminal.study_file(SEARCH)
    return terminal.start("run", file, "--name", "bikes", "--policy", "on")


@pytest.fixture
def watching(terminal: Terminal, driver: Driver) -> Iterator[Watching]:
    driver.wait_for("start     trial=0")
    found = Watching(terminal, "bikes")
    yield found
    found.clear()


def test_a_search_is_watched_and_ended_by_a_key(
    terminal: Terminal, driver: Driver, watching: Watching
) -> None:
    watching.wait_for("[s] stop after running")
    watching.wait_for("/10 ")  # steps of an epoch have come from the trainer through the driver
    watching.press("l")
    watching.wait_for("any key leads back")
    watching.wait_for("scripted: a fake")
    watching.press("x")
    watching.press("s")
    watching.wait_for("asked to stop after the running trials")
    assert driver.wait().code == 75
    assert watching.wait() == 0
    assert "stopped with" in watching.text
    state = read_state(StudyPaths(terminal.studies / "bikes"))
    assert state is not None
    assert state.counts["complete"] >= 1
    assert state.live == ()
