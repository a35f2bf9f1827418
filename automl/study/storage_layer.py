"""A layer over an Optuna storage: passes everything on, for what is laid over it to change."""

from collections.abc import Callable, Container, Sequence
from typing import Any, TypeVar

from optuna._typing import JSONSerializable
from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from automl.study.trial_writes import TrialWrite, WritesTogether

__all__ = ["StorageLayer"]

_Result = TypeVar("_Result")


class StorageLayer(BaseStorage):
    """Passes every call on to a storage.

    Args:
        inner: The storage below.
    """

    def __init__(self, inner: BaseStorage) -> None:
        self._inner = inner

    def _call(self, method: Callable[..., _Result], *values: Any) -> _Result:
        """Every call to the storage below goes through here."""
        return method(*values)

    def create_new_study(
        self, directions: Sequence[StudyDirection], study_name: str | None = None
    ) -> int:
        """Makes a study."""
        return self._call(self._inner.create_new_study, directions, study_name)

    def delete_study(self, study_id: int) -> None:
        """Deletes a study."""
        self._call(self._inner.delete_study, study_id)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """Notes something on a study."""
        self._call(self._inner.set_study_user_attr, study_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: JSONSerializable) -> None:
        """Notes something of Optuna's on a study."""
        self._call(self._inner.set_study_system_attr, study_id, key, value)

    def get_study_id_from_name(self, study_name: str) -> int:
        """The study of a name."""
        return self._call(self._inner.get_study_id_from_name, study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        """The name of a study."""
        return self._call(self._inner.get_study_name_from_id, study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Which way is better."""
        return self._call(self._inner.get_study_directions, study_id)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """What is noted on a study."""
        return self._call(self._inner.get_study_user_attrs, study_id)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """What Optuna noted on a study."""
        return self._call(self._inner.get_study_system_attrs, study_id)

    def get_all_studies(self) -> list[FrozenStudy]:
        """Every study."""
        return self._call(self._inner.get_all_studies)

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Makes a trial."""
        return self._call(self._inner.create_new_trial, study_id, template_trial)

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        """Notes a draw."""
        draw = (trial_id, param_name, param_value_internal, distribution)
        self._call(self._inner.set_trial_param, *draw)

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        """The trial of a number."""
        find = self._inner.get_trial_id_from_study_id_trial_number
        return self._call(find, study_id, trial_number)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Where a trial stands."""
        return self._call(self._inner.set_trial_state_values, trial_id, state, values)

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        """Notes a value of an epoch."""
        values = (trial_id, step, intermediate_value)
        self._call(self._inner.set_trial_intermediate_value, *values)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Notes something on a trial."""
        self._call(self._inner.set_trial_user_attr, trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: JSONSerializable) -> None:
        """Notes something of Optuna's on a trial."""
        self._call(self._inner.set_trial_system_attr, trial_id, key, value)

    def set_together(self, writes: Sequence[TrialWrite]) -> None:
        """Makes several writes to trials in their order, as one where the storage below can."""
        if isinstance(self._inner, WritesTogether):
            self._call(self._inner.set_together, writes)
        else:
            for each in writes:
                each.make(self)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """A trial."""
        return self._call(self._inner.get_trial, trial_id)

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """The trials of a study, in these states or all of them, by number."""
        return self._call(self._inner.get_all_trials, study_id, deepcopy, states)
