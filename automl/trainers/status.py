"""Reading a trainer's status file: which validation belongs to which epoch.

The rule of the trainer contract: the metrics of the line ``Eval metrics generated.`` are held and
belong to the epoch of the next line that names one. Every other line repeats the last metrics it
has seen, so metrics anywhere else are ignored. In a file that was resumed, a later value for an
epoch replaces the earlier one.

No line is taken at its word: what is no status line, and what no training can have measured, is
passed over and noted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from automl.inside import read_file
from automl.study.records import MOST_EPOCHS, Measurement
from automl.trainers.contract import (
    EVAL_METRICS,
    STATUS_NAME,
    TRAIN_METRICS,
    Status,
    StatusLine,
    StepProgress,
)
from automl.trainers.metrics.reading import (
    MOST_METRICS,
    EpochReading,
    Said,
    finite_metrics,
    is_name,
    number_in,
)

__all__ = ["EpochReading", "StatusReader", "finite_metrics", "history"]

#: Bytes that a line may have; a longer one is passed over without being held in memory.
_LONGEST_LINE = 1 << 20
_BLOCK = 1 << 20
_LONGEST_QUOTE = 100
_MOST_DIGITS = 30


class StatusReader:
    """Follows one status file, from its start, as it grows.

    An epoch is handed out when the line after it has been written, because the training metrics
    of an epoch come one line behind it; the last one when the file is known to be complete.

    Args:
        path: The status file; it need not exist yet.

    Attributes:
        metrics_seen: The names of all metrics so far.
        failure_messages: What its lines of failure say.
        started_at: Local time of the first line.
        last_status: What the last line says, for people; empty before the first.
        progress: Where within an epoch the training is; None where it does not say, and once
            the epoch has ended.
    """

    def __init__(self, path: Path) -> None:
        self.metrics_seen: set[str] = set()
        self.failure_messages: list[str] = []
        self.started_at: datetime | None = None
        self.last_status = ""
        self.progress: StepProgress | None = None
        self._path = path
        self._offset = 0
        self._torn = b""
        self._is_too_long = False
        self._line = 0
        self._passed_over = 0
        self._why = ""
        self._held: dict[str, float] = {}
        self._open: EpochReading | None = None

    @property
    def note(self) -> str:
        """What was passed over, in one sentence; empty if nothing was."""
        count = self._passed_over
        if not count:
            return ""
        lines = "1 line" if count == 1 else f"{count} lines"
        return f"{lines} of {self._path.name} passed over, the first because {self._why}"

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

    def said(self) -> Said:
        """What else the file says by now."""
        return Said(
            frozenset(self.metrics_seen),
            tuple(self.failure_messages),
            self.last_status,
            self.note,
            self._path.name if self.metrics_seen else "",
        )

    def _new_lines(self, final: bool) -> Iterator[StatusLine]:
        for text in self._new_texts(final):
            self._line += 1
            line = StatusLine.parse(text.decode(errors="replace")) if text is not None else None
            if line is not None:
                yield line
            elif text is None or text.strip():
                self._pass_over("it is no JSON object of a bearable length")

    def _new_texts(self, final: bool) -> Iterator[bytes | None]:
        """The lines that are whole by now; None for one that is too long."""
        for block in self._new_blocks():
            *whole, self._torn = (self._torn + block).split(b"\n")
            for text in whole:
                yield None if self._is_too_long or len(text) > _LONGEST_LINE else text
                self._is_too_long = False
            if len(self._torn) > _LONGEST_LINE:
                self._torn, self._is_too_long = b"", True
        if final and (self._torn or self._is_too_long):
            yield None if self._is_too_long else self._torn
            self._torn, self._is_too_long = b"", False

    def _new_blocks(self) -> Iterator[bytes]:
        try:
            with read_file(self._path) as file:
                file.seek(self._offset)
                while block := file.read(_BLOCK):
                    self._offset += len(block)
                    yield block
        except OSError:
            return

    def _take(self, line: StatusLine) -> Iterator[EpochReading]:
        if self.started_at is None:
            self.started_at = line.written_at
        progress = StepProgress.of(line)
        if progress is not None:
            self.progress = progress
            return
        self.last_status = _in_words(line)
        if line.status == Status.FAILURE:
            self.failure_messages.append(line.message)
        if line.message == EVAL_METRICS:
            yield from self._close()
            self._held = {**self._held, **self._numbers(line.kpi)}
        elif "epoch" in line.fields:
            yield from self._begin(line)
        elif line.message == TRAIN_METRICS and self._open is not None:
            self._open = replace(self._open, training=self._numbers(line.kpi))
            yield from self._close()

    def _begin(self, line: StatusLine) -> Iterator[EpochReading]:
        self.progress = None
        epoch = _epoch_of(line)
        if epoch is None:
            self._pass_over(f"an epoch is a whole number from 0 to {MOST_EPOCHS - 1}")
            return
        yield from self._close()
        self._open = EpochReading(epoch, self._held, {}, line.written_at)
        self._held = {}

    def _close(self) -> Iterator[EpochReading]:
        if self._open is not None:
            yield self._open
            self._open = None

    def _numbers(self, kpi: Mapping[str, Any]) -> dict[str, float]:
        values = {name: number_in(value) for name, value in kpi.items() if is_name(name)}
        numbers = {name: value for name, value in values.items() if value is not None}
        if len(numbers) < len(kpi):
            self._pass_over("a metric is a number with a printable name")
        new = numbers.keys() - self.metrics_seen
        if len(self.metrics_seen) + len(new) > MOST_METRICS:
            self._pass_over(f"a training has at most {MOST_METRICS} metrics")
            return {}
        self.metrics_seen |= new
        return numbers

    def _pass_over(self, why: str) -> None:
        self._passed_over += 1
        self._why = self._why or f"{why} (line {self._line})"


def _in_words(line: StatusLine) -> str:
    """What a line says, short enough to be quoted."""
    epoch = _epoch_of(line) if "epoch" in line.fields else None
    words = " ".join(line.message.split())[:_LONGEST_QUOTE]
    return words if epoch is None else f"{words} (epoch {epoch})"


def _epoch_of(line: StatusLine) -> int | None:
    """The epoch that a line names, which may be written as text or as ``3.0``; None if odd."""
    value = line.fields["epoch"]
    number = None if isinstance(value, str) and len(value) > _MOST_DIGITS else number_in(value)
    if number is None or not number.is_integer() or not 0 <= number < MOST_EPOCHS:
        return None
    return int(number)


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
