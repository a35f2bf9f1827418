"""One trial of a report: its record in the storage and what its folder adds."""

from dataclasses import asdict, dataclass
from typing import Any

from automl.study.records import Measurement, Outcome, TrialRecord

__all__ = ["TrialReport", "trial_json"]

#: What of an attempt's outcome stands in the report; the rest is in the trial's own folder.
_OF_ATTEMPT = (
    "attempt",
    "state",
    "started_at",
    "ended_at",
    "seconds",
    "gpu_seconds",
    "failure",
    "evidence",
)


@dataclass(frozen=True, slots=True)
class TrialReport:
    """One trial: its record in the storage and what its folder adds.

    Attributes:
        record: The trial as the storage knows it.
        measurements: Every metric by epoch. Where neither folder nor storage say more, the
            objective alone, with an ``elapsed_s`` of NaN.
        attempts: The attempts that have ended, in order.
        folder: The trial's folder relative to the study folder.
        seed: What its training was seeded with; None where no setting of the spec takes a seed.
        epoch_s: Seconds from one epoch to the next; None where that was not measured.
    """

    record: TrialRecord
    measurements: tuple[Measurement, ...] = ()
    attempts: tuple[Outcome, ...] = ()
    folder: str = ""
    seed: int | None = None
    epoch_s: float | None = None

    @property
    def number(self) -> int:
        """The trial's number, from 0."""
        return self.record.number

    @property
    def last_epoch(self) -> int | None:
        """The newest epoch with an objective value."""
        return max(self.record.values, default=None)

    @property
    def last_value(self) -> float | None:
        """The objective at the newest epoch; the best epoch is the optimistic choice beside it."""
        last = self.last_epoch
        return None if last is None else self.record.values[last]

    @property
    def ended_at(self) -> str:
        """When its last attempt ended; empty while none has."""
        return self.attempts[-1].ended_at if self.attempts else ""


def trial_json(trial: TrialReport) -> dict[str, Any]:
    """What ``report.json`` says of a trial."""
    record = asdict(trial.record)
    del record["inherited"]  # they are among the measurements
    return {
        **record,
        "seed": trial.seed,
        "last_epoch": trial.last_epoch,
        "last_value": trial.last_value,
        "folder": trial.folder,
        "measurements": [asdict(measurement) for measurement in trial.measurements],
        "attempts_ended": [_attempt_json(outcome) for outcome in trial.attempts],
    }


def _attempt_json(outcome: Outcome) -> dict[str, Any]:
    return {name: getattr(outcome, name) for name in _OF_ATTEMPT}
