"""What an epoch of a running training shows that makes every further one a waste."""

import math

from automl.study.records import FailureClass
from automl.trainers.failures import missing_metric
from automl.trainers.metrics.reading import EpochReading

__all__ = ["FaultWatch"]

#: Training losses in a row that may be non-finite: loss scaling recovers from a single one.
_BAD_LOSSES = 2


class FaultWatch:
    """Looks at the epochs of one attempt in order.

    Args:
        metric: The metric that the study needs.
        has_measured: Whether an earlier attempt has measured it.
    """

    def __init__(self, metric: str, *, has_measured: bool) -> None:
        self._metric = metric
        self._has_measured = has_measured
        self._bad_losses = 0

    def fault(self, reading: EpochReading) -> tuple[FailureClass, str] | None:
        """Why the training must end, by class and evidence; None while it may go on."""
        broken = self._non_finite(reading)
        if broken:
            return FailureClass.DIVERGED, f"{broken} at epoch {reading.epoch}"
        has_metric = self._metric in reading.validation
        if reading.validation and not has_metric and not self._has_measured:
            # What the first validation lacks no later one will have.
            came = {*reading.training, *reading.validation}
            return FailureClass.NO_METRIC, missing_metric(self._metric, came)
        self._has_measured = self._has_measured or has_metric
        return None

    def _non_finite(self, reading: EpochReading) -> str:
        """What shows that the training has diverged; empty if nothing does."""
        value = reading.validation.get(self._metric, 0.0)
        if not math.isfinite(value):
            return f"{self._metric} is {value}"
        losses = [loss for loss in reading.training.values() if not math.isfinite(loss)]
        self._bad_losses = self._bad_losses + 1 if losses else 0
        return f"the training loss is {losses[0]}" if self._bad_losses >= _BAD_LOSSES else ""
