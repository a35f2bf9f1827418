"""What a use-case reports to its watcher; the command line shows it, tests collect it."""

from dataclasses import dataclass
from typing import Protocol

from automl.execution.driver import Event
from automl.study.config import StudyConfig
from automl.study.gpu_samples import GpuSample
from automl.study.layout import StudyPaths
from automl.study.live import LiveAttempt
from automl.study.records import TrialRecord

__all__ = ["Ending", "Screen", "Sight", "Silent"]


@dataclass(frozen=True, slots=True)
class Sight:
    """How a driven study stands at one moment.

    Attributes:
        records: Every trial.
        wall_s: Seconds that the study's drivers have run, from the first one's start.
        live: What the live attempts do, by number.
        samples: What its GPUs did in the last minutes, by time.
    """

    records: tuple[TrialRecord, ...]
    wall_s: float
    live: tuple[LiveAttempt, ...] = ()
    samples: tuple[GpuSample, ...] = ()


class Screen(Protocol):
    """A watcher of one driven study."""

    def opened(self, paths: StudyPaths, config: StudyConfig) -> None:
        """The study exists and its first trial is about to start."""
        ...

    def event(self, event: Event) -> None:
        """Something happened; called in order, from the driver's thread."""
        ...

    def look(self, sight: Sight) -> None:
        """How the study stands; called about once a second, by another thread, and at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Silent:
    """A screen that shows nothing."""

    def opened(self, paths: StudyPaths, config: StudyConfig) -> None:
        """Shows nothing."""

    def event(self, event: Event) -> None:
        """Shows nothing."""

    def look(self, sight: Sight) -> None:
        """Shows nothing."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a driven study ended.

    Attributes:
        exit_code: The command's exit code.
        reason: Why it ended, as a sentence for the reader.
        paths: The study.
    """

    exit_code: int
    reason: str
    paths: StudyPaths
