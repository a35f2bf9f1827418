"""What a metric source is to the rest of the program.

A reader follows what one attempt writes and hands out what it measured, epoch by epoch. A source
without epochs hands out one measurement, at the training's end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

from automl.study.records import MOST_EPOCHS
from automl.trainers.metrics.reading import MOST_METRICS, EpochReading, Said, is_name, number_in

__all__ = ["AttemptPlaces", "Epochs", "MetricReader", "numbers_in"]

_LONGEST_NUMBER = 40
#: A value of such a name that is not finite shows a training that has diverged.
_LOSS = "loss"


class MetricReader(Protocol):
    """Follows the metrics of one attempt."""

    def read(self, *, final: bool = False) -> list[EpochReading]:
        """What became known since the last call, in order.

        Args:
            final: Whether the training has ended, so that nothing more will be written.
        """
        ...

    def said(self) -> Said:
        """What else is known by now."""
        ...


@dataclass(frozen=True, slots=True)
class AttemptPlaces:
    """What a reader follows.

    Attributes:
        results: The folder that the training writes to.
        log: The file with its output.
        metric: The metric that the study needs.
    """

    results: Path
    log: Path
    metric: str


@dataclass(slots=True)
class Epochs:
    """What was measured so far, by zero-based epoch; rows of one epoch add up.

    Attributes:
        metric: The metric that the study needs: an epoch that has it was validated.
        first: From which number the program counts; None to go by the first that comes.
    """

    metric: str
    first: int | None = None
    _rows: dict[int, dict[str, float]] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)
    _passed_over: int = 0

    def add(self, counted: Any, numbers: Mapping[str, float]) -> EpochReading | None:
        """The epoch with these numbers added; None for an epoch that is none.

        Args:
            counted: The epoch as the program counts it.
            numbers: Its metrics.
        """
        epoch = self._zero_based(counted)
        if epoch is None:
            self._passed_over += 1
            return None
        self._names |= numbers.keys()
        row = self._rows.setdefault(epoch, {})
        row |= numbers
        return self._reading(epoch, row)

    def at_end(self, numbers: Mapping[str, float]) -> EpochReading:
        """The one measurement of a training without epochs."""
        self._names |= numbers.keys()
        return self._reading(0, dict(numbers))

    def said(self, where: str) -> Said:
        """What is known by now."""
        count = self._passed_over
        note = f"{count} rows of {where} passed over: an epoch is a whole number" if count else ""
        return Said(frozenset(self._names), note=note, where=where if self._names else "")

    def _zero_based(self, counted: Any) -> int | None:
        number = _short_number(counted)
        if number is None or not number.is_integer():
            return None
        if self.first is None:
            self.first = min(1, max(0, int(number)))
        epoch = int(number) - self.first
        return epoch if 0 <= epoch < MOST_EPOCHS else None

    def _reading(self, epoch: int, row: Mapping[str, float]) -> EpochReading:
        kept = {n: v for n, v in row.items() if isfinite(v) or _LOSS in n or n == self.metric}
        if self.metric in kept:
            return EpochReading(epoch, validation=kept)
        return EpochReading(epoch, training=kept)


def numbers_in(tree: Any, keys: Mapping[str, str]) -> dict[str, float]:
    """The metrics that a nested value holds, by the dotted key of each.

    Args:
        tree: The value.
        keys: Metric to its dotted key, where it has a name of its own.
    """
    found: dict[str, float] = {}
    for name, value in _leaves(tree):
        number = _short_number(value)
        if number is not None and is_name(name) and len(found) < MOST_METRICS:
            found[name] = number
    return found | {name: found[key] for name, key in keys.items() if key in found}


def _leaves(tree: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from _leaves(value, f"{above}.{name}" if above else str(name))
    elif above:
        yield above, tree


def _short_number(value: Any) -> float | None:
    is_long = isinstance(value, str) and len(value) > _LONGEST_NUMBER
    return None if is_long else number_in(value)
