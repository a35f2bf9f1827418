"""What a driver writes to PostgreSQL is what Optuna reads there."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import InMemoryStorage, RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from automl.study.database import open_database
from automl.study.database_url import connect_url
from automl.study.patience import Patience
from automl.study.trial_writes import (
    Draw,
    SystemNote,
    UserNote,
    ValueOfEpoch,
    make_together,
)
from tests.unit.search.test_trial_cache import seen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

QUEUED = create_trial(state=TrialState.WAITING, user_attrs={"number": 0, "why": 'it\'s "ü"'})
VALUES = (0.1, 1e-300, math.inf, -math.inf, math.nan)


def written(trial: int) -> list[Draw | UserNote | SystemNote | ValueOfEpoch]:
    """Something of every kind, some of it twice."""
    return [
        Draw(trial, "lr", 0.1 + 0.2, FloatDistribution(1e-5, 1.0)),
        Draw(trial, "net", 1, CategoricalDistribution(("a", "b"))),
        *(ValueOfEpoch(trial, epoch, value) for epoch, value in enumerate(VALUES)),
        ValueOfEpoch(trial, 0, 3.0),
        UserNote(trial, "note", {"words": ["%s", ":x", "\\", None]}),
        UserNote(trial, "note", {"words": ["%(x)s"]}),
        SystemNote(trial, "word", [1, 2.5]),
    ]


@pytest.fixture
def reader(database: str) -> Iterator[RDBStorage]:
    """The same database as Optuna opens it."""
    storage = RDBStorage(connect_url(database))
    yield storage
    storage.engine.dispose()


def test_it_is_read_as_it_was_written(database: str, reader: RDBStorage) -> None:
    ours, other = open_database(database, Patience()), InMemoryStorage()
    found: list[FrozenTrial] = []
    for storage in (ours, other):
        study = storage.create_new_study([StudyDirection.MINIMIZE], "bikes")
        trial = storage.create_new_trial(study, QUEUED)
        assert storage.set_trial_state_values(trial, TrialState.RUNNING)
        assert not storage.set_trial_state_values(trial, TrialState.RUNNING)
        make_together(storage, written(trial))
        assert storage.set_trial_state_values(trial, TrialState.COMPLETE, [math.inf])
        found.append((reader if storage is ours else other).get_trial(trial))
        for write in written(trial):
            with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
                make_together(storage, [write])
        with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
            storage.set_trial_state_values(trial, TrialState.FAIL)
        assert storage.get_trial_id_from_study_id_trial_number(study, 0) == trial
        with pytest.raises(KeyError):
            storage.get_trial_id_from_study_id_trial_number(study, 1)
    one, two = found
    assert seen(one)[2:] == seen(two)[2:]
    assert one.number == two.number == 0
    assert one.datetime_start is not None
    assert one.datetime_complete is not None
    assert two.datetime_start is not None
    assert abs((one.datetime_start - two.datetime_start).total_seconds()) < 60
    assert one.datetime_complete >= one.datetime_start


def test_numbers_are_unique_whoever_makes_trials(database: str, reader: RDBStorage) -> None:
    ours = open_database(database, Patience())
    study = ours.create_new_study([StudyDirection.MINIMIZE], "bikes")
    with ThreadPoolExecutor(8) as pool:
        makers = [ours, reader] * 15
        trials = [*pool.map(lambda storage: storage.create_new_trial(study, QUEUED), makers)]
    numbers = sorted(reader.get_trial(trial).number for trial in trials)
    assert numbers == [*range(len(makers))]
