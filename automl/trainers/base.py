"""The plugin point for trainers, and the values that cross it.

A trainer is opaque: what goes in is a complete spec file and a folder, what comes back is a status
file, checkpoints and an exit code. The tests in ``tests/contract/test_trainers.py`` say what every
trainer must do, the shipped fake included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from automl.study.records import FailureClass

__all__ = [
    "CannotStart",
    "ChecksPaths",
    "Fetching",
    "Handle",
    "Keeping",
    "Outliving",
    "Pinned",
    "Pinning",
    "Preview",
    "Previewing",
    "Problem",
    "Reattached",
    "Trainer",
    "TrialTask",
    "release",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """What would make every trial fail, found before any budget is spent.

    Attributes:
        rule: The rule that does not hold.
        got: What was found instead.
        fix: What to do about it.
    """

    rule: str
    got: str = ""
    fix: str = ""


class CannotStart(OSError):
    """A trainer could not be started, for a reason that is known.

    Args:
        failure: The class that the attempt is counted under.
        evidence: What shows it, as one line.
    """

    def __init__(self, failure: FailureClass, evidence: str) -> None:
        self.failure = failure
        super().__init__(evidence)


@dataclass(frozen=True, slots=True)
class TrialTask:
    """One attempt as a trainer sees it.

    Attributes:
        study: Name of the study; labels what is started.
        number: The trial's number, from 0.
        attempt: The attempt's number, from 1.
        folder: Absolute path of the attempt's folder; results and the log go there.
        spec_path: Absolute path of the complete spec.
        log_path: Absolute path of the file that takes the trainer's output.
        threads: CPU threads the trainer may use.
        driver_pid: Process whose death must end the trainer; None to follow the parent alone.
        environment: Variables to set for the trainer beside the inherited ones.
        node: The node of a cluster that it runs on; empty for the driver's machine.
    """

    study: str
    number: int
    attempt: int
    folder: Path
    spec_path: Path
    log_path: Path
    threads: int = 1
    driver_pid: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    node: str = ""


class Handle(Protocol):
    """One running trainer."""

    def wait(self, timeout_s: float) -> int | None:
        """The exit code once the trainer has ended, or None if it still runs after the timeout."""
        ...

    def stop(self, grace_s: float) -> None:
        """Asks the trainer to end, and after ``grace_s`` seconds makes it.

        May be called any number of times. Returns when every process the trainer started is gone.
        """
        ...

    def tail(self, lines: int) -> list[str]:
        """The last lines of the trainer's output, without line ends."""
        ...


class Trainer(Protocol):
    """Something that can train one spec."""

    def check(self) -> Sequence[Problem]:
        """What would make every trial fail; empty if a trial can be started."""
        ...

    def start(self, task: TrialTask, gpus: Sequence[str]) -> Handle:
        """Starts one training and returns at once.

        Args:
            task: What to train and where.
            gpus: Ids of the GPUs the trial may use; empty hides every GPU from it.

        Raises:
            OSError: The trainer could not be started.
        """
        ...


@runtime_checkable
class ChecksPaths(Protocol):
    """A trainer that may see other files than this process does, say on another machine."""

    def check_paths(self, paths: Sequence[Path]) -> Sequence[Problem]:
        """Which of these absolute paths a training could not see."""
        ...


@runtime_checkable
class Fetching(Protocol):
    """A trainer that can bring to a machine what ``check`` finds missing there."""

    def fetchable(self) -> str:
        """What ``fetch`` would bring, in words; empty where it could not help."""
        ...

    def fetch(self) -> Sequence[Problem]:
        """Brings it, which may take long; what is still missing."""
        ...


@runtime_checkable
class Outliving(Protocol):
    """A trainer whose trainings survive the driver, and are taken up again by the next.

    ``start`` on the task of such a training goes on with it instead of starting another.
    """

    def left_running(self, trials: Path) -> frozenset[Path]:
        """Folders of the attempts below ``trials`` that ``start`` would go on with.

        Trainings that ended unseen are among them: their exit code is still to be had.
        """
        ...

    def end(self, folder: Path) -> None:
        """Ends what still runs for the attempt of this folder, and leaves nothing of it."""
        ...

    def discard(self, study: Path, kept: frozenset[Path]) -> None:
        """Removes what earlier drivers of a study left that ``start`` would not go on with.

        Only for the driver that holds the study's lock.

        Args:
            study: Folder of the study.
            kept: Folders of the attempts that go on, as ``left_running`` gave them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Preview:
    """What a trainer would start for a task.

    Attributes:
        command: Program and arguments; as the container starts them, where there is one.
        image: The container's image; empty without a container.
        command_line: The container as a command that a person could type; empty without one.
    """

    command: tuple[str, ...]
    image: str = ""
    command_line: str = ""


@runtime_checkable
class Previewing(Protocol):
    """A trainer that can say beforehand what it would start."""

    def preview(self, spec: Mapping[str, Any], task: TrialTask, gpus: Sequence[str]) -> Preview:
        """What ``start`` would start; asks no engine or server, and writes nothing.

        Args:
            spec: The spec of the task, whose file need not exist yet.
            task: What would be run, and where.
            gpus: Ids of the GPUs that it would get.

        Raises:
            FixInput: The skill has no command for the action.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pinned:
    """What the name of a trainer's image stands for at one moment.

    Attributes:
        options: The trainer's options held to that image.
        image: The record of it: ``name``, ``id``, and ``digests``, a list.
    """

    options: Mapping[str, Any]
    image: Mapping[str, Any]

    def is_same(self, recorded: Mapping[str, Any]) -> bool:
        """Whether a record is of the same image: by its id, else by a registry's digest."""
        digests = recorded.get("digests")
        shared = isinstance(digests, list) and set(digests) & set(self.image["digests"])
        return recorded.get("id") == self.image["id"] or bool(shared)


@runtime_checkable
class Pinning(Protocol):
    """A trainer whose image goes by a name that may stand for another image tomorrow."""

    def pinned(self) -> Pinned | None:
        """What the name stands for now; None where that cannot be known."""
        ...


@runtime_checkable
class Reattached(Protocol):
    """A handle on a training that an earlier driver may have started."""

    @property
    def age_s(self) -> float:
        """Seconds for which the training had run when the handle was made."""
        ...


@runtime_checkable
class Keeping(Protocol):
    """A trainer that keeps a process from one training to the next."""

    def release(self) -> None:
        """Ends what it keeps; returns when that is gone. The next training starts afresh."""
        ...


def release(trainer: Trainer) -> None:
    """Ends what a trainer keeps between trainings, if it keeps anything."""
    if isinstance(trainer, Keeping):
        trainer.release()
