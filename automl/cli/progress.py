"""How a driven study stands, folded from what the driver tells; shared by both screens.

``Progress`` is told things from two threads and hands out frozen snapshots; what a screen draws is
a pure function of one snapshot.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from automl.app.screen import Sight
from automl.errors import FixInput
from automl.execution.driver import Event, Measured, Note, TrialEnded, TrialStarted
from automl.reports.poses.evaluations import VALIDATION, n_images_of
from automl.reports.remaining import Outlook, SecondsRange, remaining
from automl.study.config import StudyConfig
from automl.study.confirmation import n_asked, searched
from automl.study.folder import read_provenance
from automl.study.gpu_samples import GpuSample
from automl.study.layout import StudyPaths
from automl.study.live import LiveAttempt
from automl.study.race import winner
from automl.study.records import Attempt, Measurement, TrialRecord, TrialState

__all__ = ["Progress", "Snapshot", "n_validation_of"]

_KEPT_NOTES = 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A study at one moment.

    Attributes:
        config: What was asked.
        now_s: The moment, Unix seconds.
        wall_s: Seconds that the study's drivers have run, this one and those before it.
        records: Every trial, by number.
        running: The live attempts, by number.
        ended: Numbers of the trials that this driver saw ending, the newest first.
        notes: The newest notes, oldest first.
        epochs: Epochs of one full training; None if not known.
        driver: Who drives it, in words, where another process does.
        is_driven: Whether a driver is alive.
        samples: What its GPUs did in the last minutes, by time.
        n_validation: Images of the validation split; None where nobody counted them.
    """

    config: StudyConfig
    now_s: float
    wall_s: float
    records: tuple[TrialRecord, ...] = ()
    running: tuple[LiveAttempt, ...] = ()
    ended: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    epochs: int | None = None
    driver: str = ""
    is_driven: bool = True
    samples: tuple[GpuSample, ...] = ()
    n_validation: int | None = None

    @property
    def is_search(self) -> bool:
        """Whether this is a search; else it is one direct training."""
        return self.config.is_search

    @property
    def asked(self) -> int:
        """Trials that were asked for."""
        return n_asked(self.records, self.config)

    @property
    def counts(self) -> Mapping[TrialState, int]:
        """Trials by state."""
        states = [record.state for record in self.records]
        return {state: states.count(state) for state in TrialState}

    @property
    def finished(self) -> int:
        """Trials that have ended for good."""
        return sum(record.state.is_finished for record in self.records)

    @property
    def at_rest(self) -> int:
        """Trials that have ended for good, and those that are paused."""
        return sum(record.state.is_at_rest for record in self.records)

    @property
    def searched(self) -> int:
        """Those of them that are trials of the search itself."""
        return sum(record.state.is_at_rest for record in searched(self.records))

    @property
    def to_search(self) -> int:
        """Trials that the search itself asked for."""
        asked = self.config.limits.trials if self.is_search else 1
        return min(self.asked, max(asked, len(searched(self.records))))

    @property
    def is_over(self) -> bool:
        """Whether every trial asked for has ended."""
        return self.finished >= self.asked and not self.running

    @property
    def pause(self) -> str:
        """Why nothing trains at this moment; empty where something does, or all is done."""
        if self.running or self.is_over or not self.is_driven:
            return ""
        if not self.config.searches:
            return "the training is being prepared"
        return "no trial runs: Ray is starting, or a trial is being prepared"

    @property
    def best(self) -> TrialRecord | None:
        """The trial that the study names as its best."""
        return winner(self.records, self.config)

    @property
    def default(self) -> TrialRecord | None:
        """Trial 0, whatever became of it."""
        return next((record for record in self.records if record.number == 0), None)

    @property
    def eta(self) -> SecondsRange | None:
        """How long the rest may take; None once all is done, or where nothing tells it."""
        if not self.is_driven:
            return None
        return remaining(
            Outlook(self.config, self.records, self.running, self.now_s, self.wall_s, self.epochs)
        )


def n_validation_of(paths: StudyPaths) -> int | None:
    """Images of a study's validation split; None where nobody counted them."""
    try:
        return n_images_of(read_provenance(paths), VALIDATION)
    except (FixInput, OSError):
        return None


@dataclass(slots=True)
class Progress:
    """Collects what the driver tells; may be told and asked from any thread.

    Attributes:
        config: What was asked.
        clock: Unix time in seconds.
        epochs: Epochs of one full training; None if not known.
        n_validation: Images of the validation split; None where nobody counted them.
    """

    config: StudyConfig
    clock: Callable[[], float] = time.time
    epochs: int | None = None
    n_validation: int | None = None
    _records: dict[int, TrialRecord] = field(default_factory=dict)
    _running: dict[int, LiveAttempt] = field(default_factory=dict)
    _ended: list[int] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _wall_s: float = 0.0
    _samples: tuple[GpuSample, ...] = ()
    _looked_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._looked_s = self.clock()

    def event(self, event: Event) -> None:
        """Takes in one event."""
        with self._guard:
            match event:
                case TrialStarted(attempt):
                    self._start(attempt)
                case Measured(attempt, measurement):
                    self._measure(attempt, measurement)
                case TrialEnded(record, _):
                    self._running.pop(record.number, None)
                    self._records[record.number] = record
                    self._ended.append(record.number)
                case Note(text):
                    self._notes.append(text)

    def look(self, sight: Sight) -> None:
        """Takes in how the study stands; what an event told of a trial's end is kept."""
        with self._guard:
            self._wall_s, self._looked_s = sight.wall_s, self.clock()
            self._samples = sight.samples
            for record in sight.records:
                known = self._records.get(record.number)
                if known is None or record.state.is_finished or not known.state.is_finished:
                    self._records[record.number] = record
            for live in sight.live:
                self._see(live)

    def _see(self, live: LiveAttempt) -> None:
        """Takes in what an attempt does; what it measured was told by an event already."""
        known = self._running.get(live.number)
        if known is not None and known.attempt == live.attempt:
            self._running[live.number] = replace(
                live, epoch=known.epoch, value=known.value, best=known.best
            )

    def snapshot(self, *, is_last: bool = False) -> Snapshot:
        """How the study stands now; the last one shows the time that the driver has written."""
        with self._guard:
            now_s = self.clock()
            return Snapshot(
                config=self.config,
                now_s=now_s,
                wall_s=self._wall_s + (0.0 if is_last else max(0.0, now_s - self._looked_s)),
                records=tuple(self._records[number] for number in sorted(self._records)),
                running=tuple(self._running[number] for number in sorted(self._running)),
                ended=tuple(dict.fromkeys(reversed(self._ended))),
                notes=tuple(self._notes[-_KEPT_NOTES:]),
                epochs=self.epochs,
                samples=self._samples,
                n_validation=self.n_validation,
            )

    def _start(self, attempt: Attempt) -> None:
        running = LiveAttempt.of(attempt, self.clock(), self.config.objective)
        self._running[attempt.number] = running
        known = self._records.get(attempt.number)
        if known is None:
            known = TrialRecord(attempt.number, TrialState.RUNNING, attempt.params)
        self._records[attempt.number] = replace(known, state=TrialState.RUNNING)

    def _measure(self, attempt: Attempt, measurement: Measurement) -> None:
        running = self._running.get(attempt.number)
        if running is not None:
            told = running.measured(measurement, self.config.objective)
            self._running[attempt.number] = told
