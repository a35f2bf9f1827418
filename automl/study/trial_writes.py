"""Writes to a trial, and what the trial is afterwards.

Those that leave its state as it is may be made as one.
"""

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias, runtime_checkable

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from automl.jsontext import parse_json

__all__ = [
    "Draw",
    "SystemNote",
    "TrialWrite",
    "UserNote",
    "ValueOfEpoch",
    "WritesTogether",
    "make_together",
    "standing",
]


@dataclass(frozen=True, slots=True)
class Draw:
    """A parameter gets its value; the first one stands.

    Attributes:
        trial_id: The storage's name of the trial.
        name: Of the parameter.
        internal: The value as the distribution keeps it.
        distribution: What it was drawn from.
    """

    trial_id: int
    name: str
    internal: float
    distribution: BaseDistribution

    def make(self, storage: BaseStorage) -> None:
        """Makes the write by itself."""
        storage.set_trial_param(self.trial_id, self.name, self.internal, self.distribution)

    def applied(self, trial: FrozenTrial) -> FrozenTrial:
        """The trial as it is afterwards; the one that is given stays as it was."""
        found = copy.copy(trial)
        value = self.distribution.to_external_repr(self.internal)
        found.params = trial.params | {self.name: value}
        found.distributions = trial.distributions | {self.name: self.distribution}
        return found


@dataclass(frozen=True, slots=True)
class _TrialNote:
    """Something is noted.

    Attributes:
        trial_id: The storage's name of the trial.
        key: What.
        value: A plain value that ``json`` can write.
    """

    trial_id: int
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class UserNote(_TrialNote):
    """This program notes something."""

    def make(self, storage: BaseStorage) -> None:
        """Makes the write by itself."""
        storage.set_trial_user_attr(self.trial_id, self.key, self.value)

    def applied(self, trial: FrozenTrial) -> FrozenTrial:
        """The trial as it is afterwards; the one that is given stays as it was."""
        found = copy.copy(trial)
        found.user_attrs = trial.user_attrs | {self.key: _read_back(self.value)}
        return found


@dataclass(frozen=True, slots=True)
class SystemNote(_TrialNote):
    """Optuna notes something."""

    def make(self, storage: BaseStorage) -> None:
        """Makes the write by itself."""
        storage.set_trial_system_attr(self.trial_id, self.key, self.value)

    def applied(self, trial: FrozenTrial) -> FrozenTrial:
        """The trial as it is afterwards; the one that is given stays as it was."""
        found = copy.copy(trial)
        found.system_attrs = trial.system_attrs | {self.key: _read_back(self.value)}
        return found


@dataclass(frozen=True, slots=True)
class ValueOfEpoch:
    """The objective's value at an epoch; the last one stands.

    Attributes:
        trial_id: The storage's name of the trial.
        epoch: From 0.
        value: Any number.
    """

    trial_id: int
    epoch: int
    value: float

    def make(self, storage: BaseStorage) -> None:
        """Makes the write by itself."""
        storage.set_trial_intermediate_value(self.trial_id, self.epoch, self.value)

    def applied(self, trial: FrozenTrial) -> FrozenTrial:
        """The trial as it is afterwards; the one that is given stays as it was."""
        found = copy.copy(trial)
        found.intermediate_values = trial.intermediate_values | {self.epoch: self.value}
        return found


TrialWrite: TypeAlias = Draw | UserNote | SystemNote | ValueOfEpoch


@runtime_checkable
class WritesTogether(Protocol):
    """A storage that makes several writes in less than one after the other takes."""

    def set_together(self, writes: Sequence[TrialWrite]) -> None:
        """Makes the writes in their order; where it is cut off, the first of them or none."""
        ...


def make_together(storage: BaseStorage, writes: Sequence[TrialWrite]) -> None:
    """Makes writes in their order, as one where the storage can."""
    if isinstance(storage, WritesTogether):
        storage.set_together(writes)
    else:
        for write in writes:
            write.make(storage)


def standing(trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> FrozenTrial:
    """The trial in another state; its times are those of this process, to within a write."""
    found, now = copy.copy(trial), datetime.now()  # noqa: DTZ005 -- as Optuna gives them
    found.state = state
    if values is not None:
        found.values = [float(value) for value in values]
    if state is TrialState.RUNNING:
        found.datetime_start = now
    if state.is_finished():
        found.datetime_complete = now
    return found


def _read_back(value: Any) -> Any:
    """A value as a storage gives it back."""
    return parse_json(json.dumps(value))
