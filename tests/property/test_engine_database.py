"""The engine over PostgreSQL: what holds over a journal holds there, also where it is cut off."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.storages import BaseStorage, JournalStorage
from optuna.trial import TrialState as OptunaState

from automl.study.database import open_database
from automl.study.patience import Patience
from automl.study.storage import open_study
from automl.study.storage_layer import StorageLayer
from automl.study.trials import by_number, read_records
from tests.property.test_engine_replay import (
    OBJECTIVE,
    TRIALS,
    Lines,
    PowerCutError,
    drive,
    outcome_by_number,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

_Result = TypeVar("_Result")


class Cuts(StorageLayer):
    """Cuts the power before some of the calls to a storage.

    Args:
        inner: The storage.
        cuts: The calls, counted from 0 over all lives; each cuts once.
    """

    def __init__(self, inner: BaseStorage, cuts: set[int], calls: Iterator[int]) -> None:
        super().__init__(inner)
        self._cuts = cuts
        self._calls = calls

    def _call(self, method: Callable[..., _Result], *values: Any) -> _Result:
        call = next(self._calls)
        if call in self._cuts:
            self._cuts.discard(call)
            raise PowerCutError
        return method(*values)


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.sets(st.integers(0, 400), max_size=6), sampler=st.sampled_from(["random", "tpe"]))
def test_a_study_in_a_database_is_the_one_of_a_journal(
    database: str, cuts: set[int], sampler: str
) -> None:
    journal = drive(JournalStorage(Lines([], set())), sampler)
    storage, calls, remaining = open_database(database, Patience()), count(), {*cuts}
    _forget(storage)
    records = None
    while records is None:
        try:
            records = drive(Cuts(storage, remaining, calls), sampler)
        except PowerCutError:
            continue
    study = open_study(open_database(database), "replay", OBJECTIVE)
    assert outcome_by_number(records) == outcome_by_number(journal)
    assert read_records(study, OBJECTIVE) == records
    assert sorted(by_number(study.trials)) == [*range(TRIALS)]
    assert not study.get_trials(states=(OptunaState.RUNNING, OptunaState.WAITING))


def _forget(storage: BaseStorage) -> None:
    """Each example begins with an empty database."""
    for study in storage.get_all_studies():
        storage.delete_study(study._study_id)
