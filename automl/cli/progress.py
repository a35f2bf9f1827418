"""How a driven study stands, folded from what the driver tells; shared by both screens.

``Progress`` is told things from two threads and hands out frozen snapshots; what a screen draws is
a pure function of one snapshot.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import quantiles

from automl.execution.driver import Event, Measured, Note, TrialEnded, TrialStarted
from automl.skill.tree import ParamValue
from automl.study.config import Objective, StudyConfig
from automl.study.confirmation import n_asked
from automl.study.race import winner
from automl.study.ranking import better
from automl.study.records import Attempt, Measurement, TrialRecord, TrialState

__all__ = ["Progress", "Running", "SecondsRange", "Snapshot", "changed_params", "eta_of"]

_ENOUGH_FOR_ETA = 3
_KEPT_NOTES = 2


@dataclass(frozen=True, slots=True)
class SecondsRange:
    """A range of seconds, lowest first."""

    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class Running:
    """A live attempt.

    Attributes:
        attempt: What runs.
        begun_s: When it began, in seconds on the screen's own clock.
        epoch: The newest measured epoch, zero-based; None before the first.
        value: The objective at that epoch.
        best: The best objective of any epoch so far.
    """

    attempt: Attempt
    begun_s: float
    epoch: int | None = None
    value: float | None = None
    best: float | None = None

    def measured(self, measurement: Measurement, objective: Objective) -> "Running":
        """This attempt after one more measurement; one without the objective changes nothing."""
        value = measurement.metrics.get(objective.metric)
        if value is None:
            return self
        best = better(value, self.best, objective)
        return replace(self, epoch=measurement.epoch, value=value, best=best)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A study at one moment.

    Attributes:
        config: What was asked.
        now_s: The moment, on the screen's own clock.
        wall_s: Seconds that the study's drivers have run, this one and those before it.
        records: Every trial, by number.
        running: The live attempts, by number.
        ended: Numbers of the trials that this driver saw ending, oldest first.
        notes: The newest notes, oldest first.
        epochs: Epochs of one full training; None if not known.
    """

    config: StudyConfig
    now_s: float
    wall_s: float
    records: tuple[TrialRecord, ...] = ()
    running: tuple[Running, ...] = ()
    ended: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    epochs: int | None = None

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
    def is_over(self) -> bool:
        """Whether every trial asked for has ended."""
        return self.finished >= self.asked and not self.running

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
        """How long it may still take; None once all is done, or too few trials have ended.

        A paused trial counts as one that ended: how many of them go on is not known beforehand.
        """
        if self.is_over:
            return None
        lengths = [
            record.seconds
            for record in self.records
            if record.is_usable or record.state is TrialState.PAUSED
        ]
        ages = [self.now_s - one.begun_s for one in self.running]
        waiting = self.asked - self.at_rest - len(self.running)
        return eta_of(lengths, ages, waiting, self.config.resources.max_concurrent)


def eta_of(
    lengths: Sequence[float], ages: Sequence[float], waiting: int, slots: int
) -> SecondsRange | None:
    """How long the rest takes if trials are as long as the middle half of those that ended.

    Args:
        lengths: Seconds of the trials that ended at full length.
        ages: Seconds that each live attempt has run.
        waiting: Trials that have not been started.
        slots: Trials that run at the same time.

    Returns:
        The range between the quartiles; None where fewer than three trials ended.
    """
    if len(lengths) < _ENOUGH_FOR_ETA:
        return None
    low, _, high = quantiles(lengths, n=4, method="inclusive")
    return SecondsRange(_rest(low, ages, waiting, slots), _rest(high, ages, waiting, slots))


def _rest(length: float, ages: Sequence[float], waiting: int, slots: int) -> float:
    left = [max(0.0, length - age) for age in ages]
    work = (sum(left) + max(0, waiting) * length) / max(1, slots)
    # Not even one slot each makes it shorter than the longest single piece.
    return max([work, *left, length if waiting > 0 else 0.0])


def changed_params(
    params: Mapping[str, ParamValue], default: TrialRecord | None
) -> dict[str, ParamValue]:
    """The parameters that differ from trial 0's; all of them while trial 0 is not known."""
    base: Mapping[str, ParamValue] = {} if default is None else default.params
    return {key: value for key, value in params.items() if key not in base or base[key] != value}


@dataclass(slots=True)
class Progress:
    """Collects what the driver tells; may be told and asked from any thread.

    Attributes:
        config: What was asked.
        monotonic: A clock in seconds that never goes back.
        epochs: Epochs of one full training; None if not known.
    """

    config: StudyConfig
    monotonic: Callable[[], float]
    epochs: int | None = None
    _records: dict[int, TrialRecord] = field(default_factory=dict)
    _running: dict[int, Running] = field(default_factory=dict)
    _ended: list[int] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _wall_s: float = 0.0
    _looked_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._looked_s = self.monotonic()

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

    def look(self, records: Sequence[TrialRecord], wall_s: float) -> None:
        """Takes in how the trials stand; what an event told of a trial's end is kept.

        Args:
            records: Every trial.
            wall_s: Seconds that the study's drivers have run.
        """
        with self._guard:
            self._wall_s, self._looked_s = wall_s, self.monotonic()
            for record in records:
                known = self._records.get(record.number)
                if known is None or record.state.is_finished or not known.state.is_finished:
                    self._records[record.number] = record

    def snapshot(self, *, is_last: bool = False) -> Snapshot:
        """How the study stands now; the last one shows the time that the driver has written."""
        with self._guard:
            now_s = self.monotonic()
            return Snapshot(
                config=self.config,
                now_s=now_s,
                wall_s=self._wall_s + (0.0 if is_last else now_s - self._looked_s),
                records=tuple(self._records[number] for number in sorted(self._records)),
                running=tuple(self._running[number] for number in sorted(self._running)),
                ended=tuple(self._ended),
                notes=tuple(self._notes[-_KEPT_NOTES:]),
                epochs=self.epochs,
            )

    def _start(self, attempt: Attempt) -> None:
        running = Running(attempt, self.monotonic())
        for measurement in attempt.history:
            running = running.measured(measurement, self.config.objective)
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
