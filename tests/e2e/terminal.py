"""The command line as processes: started, watched, interrupted, killed, and cleared away."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from automl.processes import children_of, members_of, started_at, stat_of
from automl.study.layout import StudyPaths
from automl.study.lock import read_owner
from tests.small_data import write_split

__all__ = ["Done", "Driver", "Terminal", "eventually", "family_of", "processes_naming"]

_POLL_S = 0.02


def eventually(condition: Callable[[], bool], within_s: float) -> bool:
    """Whether a condition comes true in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def processes_naming(path: Path) -> list[int]:
    """Live processes whose command line names a path; their ids."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if f"{path}/".encode() in words and started_at(int(entry.name)):
                found.append(int(entry.name))
    return found


def family_of(driver: int) -> list[int]:
    """A driver and what it has started: live processes of its session and of those it began."""
    sessions = {int(stat_of(pid)[3]) for pid in children_of(driver) if started_at(pid)}
    return members_of({driver, *sessions})


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Driver:
    """A command that runs in a session of its own, its output going to files."""

    def __init__(self, argv: list[str], folder: Path, environment: dict[str, str]) -> None:
        count = len(list(folder.glob("*.err")))
        self.out = folder / f"{count:02d}.out"
        self.err = folder / f"{count:02d}.err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def told(self) -> str:
        """What it has told so far."""
        return self.err.read_text()

    def wait_for(self, words: str, within_s: float = 60.0) -> None:
        """Returns when it has told these words.

        Raises:
            AssertionError: It ended, or the time was up, before.
        """
        self.wait_until(lambda: words in self.told(), words, within_s)

    def wait_until(self, condition: Callable[[], bool], what: str, within_s: float = 60.0) -> None:
        """Returns when a condition is true.

        Raises:
            AssertionError: It ended, or the time was up, before.
        """
        eventually(lambda: condition() or self.process.poll() is not None, within_s)
        assert condition(), f"not seen in time or ever: {what}\n{self.told()}"

    def interrupt(self) -> None:
        """Ctrl-C: a terminal sends it to the whole foreground group, Ray's processes included."""
        os.killpg(self.pid, signal.SIGINT)

    def terminate(self) -> None:
        """SIGTERM to the driver alone, as a batch system sends it."""
        self.process.terminate()

    def wait(self, within_s: float = 90.0) -> Done:
        """How it ended."""
        code = self.process.wait(within_s)
        return Done(code, self.out.read_text(), self.err.read_text())

    def kill(self, *, everything: bool) -> None:
        """Ends the driver as a power cut would: alone, or with all that it started."""
        family = family_of(self.pid) if everything else []
        self.process.kill()
        for pid in family:
            _kill(pid)
        self.process.wait()

    def clear(self) -> None:
        """Makes sure that nothing that it has started is left."""
        family = family_of(self.pid)
        self.process.kill()
        self.process.wait()
        for pid in {*family, *members_of({self.pid})}:
            _kill(pid)


@dataclass
class Terminal:
    """A folder with small data and studies, and commands run in it."""

    folder: Path
    drivers: list[Driver] = field(default_factory=list)
    program: str = "automl"

    def __post_init__(self) -> None:
        for split in ("train", "val"):
            write_split(self.folder / "data" / split, 4)

    @property
    def studies(self) -> Path:
        return self.folder / "studies"

    def study_file(self, text: str, name: str = "study.yaml") -> str:
        """Writes a study file over the small data; returns its name."""
        data = "data: {train: data/train, val: data/val}\ntrainer: scripted\n"
        (self.folder / name).write_text(data + text, encoding="utf-8")
        return name

    def environment(self) -> dict[str, str]:
        """No variable of whoever runs the tests changes what a command does."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("AUTOML_")}
        checkout = str(Path(__file__).parents[2])
        paths = os.pathsep.join(filter(None, [checkout, kept.get("PYTHONPATH", "")]))
        own = {"AUTOML_CACHE_DIR": str(self.folder / "cache"), "OMP_NUM_THREADS": "1"}
        return kept | own | ({"PYTHONPATH": paths} if self.program != "automl" else {})

    def start(self, *argv: str) -> Driver:
        """Starts a command and leaves it running."""
        command = [sys.executable, "-m", self.program, *argv]
        driver = Driver(command, self.folder, self.environment())
        self.drivers.append(driver)
        return driver

    def run(self, *argv: str, within_s: float = 90.0) -> Done:
        """Runs a command to its end."""
        return self.start(*argv).wait(within_s)

    def close(self) -> None:
        """Ends whatever the commands have left."""
        for driver in self.drivers:
            driver.clear()
        for lock in self.studies.glob("*/driver.lock"):
            owner = read_owner(StudyPaths(lock.parent))
            if owner is not None and started_at(owner.pid) == str(owner.process_started):
                _kill(owner.pid)
        for pid in processes_naming(self.studies):
            _kill(pid)


def opened(folder: Path) -> Iterator[Terminal]:
    """A terminal that is cleared away after its last use."""
    terminal = Terminal(folder)
    try:
        yield terminal
    finally:
        terminal.close()
