"""What is read of one epoch, and what else a source of metrics says."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = ["MOST_METRICS", "EpochReading", "Said", "finite_metrics", "is_name", "number_in"]

#: Metrics that a training may have; more are passed over.
MOST_METRICS = 1000
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class EpochReading:
    """What a source says of one epoch.

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


@dataclass(frozen=True, slots=True)
class Said:
    """What else a source has said by now.

    Attributes:
        metrics: The names of all metrics so far.
        failures: What the training itself says went wrong.
        last: The last thing that it said, for people; empty if nothing.
        note: What was passed over, as one sentence; empty if nothing was.
        where: What the metrics came from, for people; empty before the first.
    """

    metrics: frozenset[str] = frozenset()
    failures: tuple[str, ...] = ()
    last: str = ""
    note: str = ""
    where: str = ""


def is_name(name: str) -> bool:
    """Whether a metric's name can be written to any file and shown to anybody."""
    return 0 < len(name) <= _LONGEST_NAME and name.isprintable()


def number_in(value: Any) -> float | None:
    """A number, which may be written as text; a truth value is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError):
        return None


def finite_metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Those of the metrics that are finite numbers; a number may be written as text."""
    numbers = {name: number_in(value) for name, value in metrics.items() if is_name(name)}
    return {n: value for n, value in numbers.items() if value is not None and math.isfinite(value)}
