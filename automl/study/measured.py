"""What the Optuna storage holds of a trial's measurements and of its pause, beside its values."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.study import attributes
from automl.study.records import MOST_EPOCHS, Measurement

__all__ = [
    "Judged",
    "Pausing",
    "excused_of",
    "history_of",
    "judged_of",
    "measured_of",
    "paused_of",
    "pending",
    "reported",
]


_DECIDED = ("pause", "stop", "audited", "excused")


@dataclass(frozen=True, slots=True)
class Judged:
    """A measurement, and what was decided by it; one attribute of its Optuna trial.

    Attributes:
        measurement: Every finite metric of the epoch.
        pause: Why the trial was to pause there; empty if it was not.
        stop: Why it was to end there; empty if it was not.
        audited: Why it would have ended there, had it not gone on so that this can be checked.
        excused: Why a comparison that might have ended it no longer counted.
        is_due: Whether the search was interrupted before it decided; the trial pauses until then.
    """

    measurement: Measurement
    pause: str = ""
    stop: str = ""
    audited: str = ""
    excused: str = ""
    is_due: bool = False

    @property
    def name(self) -> str:
        """The attribute that holds it."""
        return f"{attributes.MEASURED}{self.measurement.epoch}"

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """What ``to_json`` wrote."""
        measurement = Measurement.from_json(value)
        decided = {name: str(value.get(name, "")) for name in _DECIDED}
        return cls(measurement, **decided, is_due=bool(value.get("is_due", False)))

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        decided = ((name, getattr(self, name)) for name in _DECIDED)
        found = self.measurement.to_json() | {name: why for name, why in decided if why}
        return found | ({"is_due": True} if self.is_due else {})


@dataclass(frozen=True, slots=True)
class Pausing:
    """Where a paused trial may go on.

    Attributes:
        reason: Why it paused.
        epoch: Its last measured epoch, from 0.
        checkpoint: That epoch's checkpoint, relative to the study folder; None if there is none.
        is_judged: Whether the search decided it. It did not where it was interrupted between a
            rung and its judgement, which is then still due.
    """

    reason: str
    epoch: int
    checkpoint: str | None
    is_judged: bool = True

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return asdict(self)


def history_of(trial: FrozenTrial) -> tuple[Measurement, ...]:
    """The measurements that an attempt inherited when it was put into the queue."""
    entries: list[Any] = trial.user_attrs.get(attributes.HISTORY, [])
    return tuple(Measurement.from_json(entry) for entry in entries)


def judged_of(trial: FrozenTrial) -> dict[int, Judged]:
    """What an attempt itself measured and what was decided then, by epoch."""
    found = (
        Judged.from_json(value)
        for name, value in trial.user_attrs.items()
        if name.startswith(attributes.MEASURED)
    )
    return {each.measurement.epoch: each for each in found}


def excused_of(trial: FrozenTrial) -> str:
    """The newest word on a rung that no longer counted for an attempt; empty without any.

    Asked of every trial at every look at a study, so that nothing else is read for it.
    """
    attrs = trial.user_attrs
    said = (attrs[name].get("excused") for name in attrs if name.startswith(attributes.MEASURED))
    return str(next((word for word in reversed([*said]) if word), ""))


def reported(trial: FrozenTrial) -> dict[int, float]:
    """The objective's values that Optuna itself holds of an attempt, by epoch.

    Another program may have reported to the storage what is not finite, or for an epoch that no
    training has; that is no value.
    """
    return {
        epoch: value
        for epoch, value in trial.intermediate_values.items()
        if math.isfinite(value) and 0 <= epoch < MOST_EPOCHS
    }


def measured_of(trial: FrozenTrial, metric: str) -> tuple[Measurement, ...]:
    """Every measurement that counts for an attempt, inherited ones included, by epoch.

    Of an epoch that another program reported, or an earlier version of this one, the objective
    alone is known.
    """
    found = {entry.epoch: entry for entry in history_of(trial)}
    for epoch, value in reported(trial).items():
        known = found.get(epoch)
        if known is None or known.metrics.get(metric) != value:
            elapsed_s = 0.0 if known is None else known.elapsed_s
            found[epoch] = Measurement(epoch, {metric: value}, elapsed_s)
    found |= {epoch: each.measurement for epoch, each in judged_of(trial).items()}
    return tuple(found[epoch] for epoch in sorted(found))


def paused_of(trial: FrozenTrial) -> Pausing | None:
    """Where a trial paused that may still go on; None of every other one.

    A study that ended has told Optuna that its paused trials were pruned.
    """
    value = trial.user_attrs.get(attributes.PAUSED)
    may_go_on = trial.state in (OptunaState.RUNNING, OptunaState.PRUNED)
    if value is None or not may_go_on or attributes.SUPERSEDED in trial.user_attrs:
        return None
    return Pausing(**value)


def pending(trial: FrozenTrial) -> Judged | None:
    """The first decision to pause or stop that an attempt has not followed; None without any."""
    judged = judged_of(trial)
    return next((judged[e] for e in sorted(judged) if judged[e].pause or judged[e].stop), None)
