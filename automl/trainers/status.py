"""Reading a trainer's status file: which validation belongs to which epoch.

The rule of the trainer contract: the metrics of the line ``Eval metrics generated.`` are held and
belong to the epoch of the next line that names one. Every other line repeats the last metrics it
has seen, so metrics anywhere else are ignored. In a file that was resumed, a later value for an
epoch replaces the earlier one.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from automl.study.records import Measurement
from automl.trainers.contract import (
    EVAL_METRICS,
    STATUS_NAME,
    TRAIN_METRICS,
    Status,
    StatusLine,
)

__all__ = ["EpochReading", "StatusReader", "finite_metrics", "history"]


@dataclass(frozen=True, slots=True)
class EpochReading:
    """What the status file says of one epoch.

    Attributes:
        epoch: Zero-based, as in the checkpoint's name.
        validation: Metrics of the validation after it, finite or not; empty without one.
        training: Metrics of the training epoch itself, finite or not.
        written_at: Local time of the epoch's line; None if it has none.
    """

    epoch: int
    validation: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, float] = field(default_factory=dict)
    written_at: datetime | None = None

    @property
    def finite(self) -> dict[str, float]:
        """Every finite metric of the epoch."""
        return finite_metrics({**self.training, **self.validation})

    def measures(self, metric: str) -> bool:
        """Whether its validation gives the metric a finite value, so that it is a measurement."""
        return metric in finite_metrics(self.validation)


class StatusReader:
    """Follows one status file, from its start, as it grows.

    An epoch is handed out when the line after it has been written, because the training metrics
    of an epoch come one line behind it; the last one when the file is known to be complete.

    Args:
        path: The status file; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.metrics_seen: set[str] = set()
        self.failure_messages: list[str] = []
        self.started_at: datetime | None = None
        self._path = path
        self._offset = 0
        self._torn = b""
        self._held: dict[str, float] = {}
        self._open: EpochReading | None = None

    def read(self, *, final: bool = False) -> list[EpochReading]:
        """The epochs that became complete since the last call, in the order of the file.

        Args:
            final: Whether the trainer has ended, so that nothing more will be written.
        """
        readings = [done for line in self._new_lines(final) for done in self._take(line)]
        if final and self._open is not None:
            readings.append(self._open)
            self._open = None
        return readings

    def _new_lines(self, final: bool) -> Iterator[StatusLine]:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except OSError:
            return
        self._offset += len(content)
        *whole, self._torn = (self._torn + content).split(b"\n")
        if final:
            whole.append(self._torn)
            self._torn = b""
        for text in whole:
            line = StatusLine.parse(text.decode(errors="replace"))
            if line is not None:
                yield line

    def _take(self, line: StatusLine) -> Iterator[EpochReading]:
        if self.started_at is None:
            self.started_at = line.written_at
        if line.status == Status.FAILURE:
            self.failure_messages.append(line.message)
        if line.message == EVAL_METRICS:
            yield from self._close()
            self._held = {**self._held, **self._numbers(line.kpi)}
        elif (epoch := _epoch_of(line)) is not None:
            yield from self._close()
            self._open = EpochReading(epoch, self._held, {}, line.written_at)
            self._held = {}
        elif line.message == TRAIN_METRICS and self._open is not None:
            self._open = replace(self._open, training=self._numbers(line.kpi))
            yield from self._close()

    def _close(self) -> Iterator[EpochReading]:
        if self._open is not None:
            yield self._open
            self._open = None

    def _numbers(self, kpi: Mapping[str, Any]) -> dict[str, float]:
        values = {str(name): _number(value) for name, value in kpi.items()}
        numbers = {name: value for name, value in values.items() if value is not None}
        self.metrics_seen |= numbers.keys()
        return numbers


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):
        return None


def finite_metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Those of the metrics that are finite numbers; a number may be written as text."""
    numbers = {str(name): _number(value) for name, value in metrics.items()}
    return {n: value for n, value in numbers.items() if value is not None and math.isfinite(value)}


def _epoch_of(line: StatusLine) -> int | None:
    try:
        return int(line.fields["epoch"])
    except (KeyError, TypeError, ValueError):
        return None


def history(folder: Path, metric: str, elapsed_before_s: float = 0.0) -> tuple[Measurement, ...]:
    """Every measurement that an attempt's status file holds, by epoch.

    For an attempt whose worker died before it could write an outcome.

    Args:
        folder: The attempt's folder.
        metric: Only validations that give this metric a finite value count.
        elapsed_before_s: Seconds that the earlier attempts had trained when this one began.
    """
    reader = StatusReader(folder / STATUS_NAME)
    found: dict[int, Measurement] = {}
    for reading in reader.read(final=True):
        if reading.measures(metric):
            seconds = _seconds_between(reader.started_at, reading.written_at)
            found[reading.epoch] = Measurement(
                reading.epoch, reading.finite, elapsed_before_s + seconds
            )
    return tuple(found[epoch] for epoch in sorted(found))


def _seconds_between(start: datetime | None, end: datetime | None) -> float:
    if start is None or end is None:
        return 0.0
    return max(0.0, (end - start).total_seconds())
