"""Writes whose answer was lost: made again where they were not carried out, and only there."""

from collections.abc import Callable
from typing import Any, TypeVar
from unittest.mock import Mock

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import DataError, DBAPIError, InternalError, OperationalError, ProgrammingError

from automl.errors import ResumeLater
from automl.study import attributes
from automl.study.patience import Patience
from automl.study.patient_storage import PatientStorage
from automl.study.storage_layer import StorageLayer

_Result = TypeVar("_Result")


class Loses(StorageLayer):
    """Loses the connection once, before or after a call was carried out."""

    def __init__(self, *, after: bool) -> None:
        super().__init__(InMemoryStorage())
        self.after = after
        self.is_due = False

    def _call(self, method: Callable[..., _Result], *values: Any) -> _Result:
        is_due, self.is_due = self.is_due, False
        if not is_due:
            return method(*values)
        if self.after:
            method(*values)
        lost = OperationalError("", {}, Exception("server closed the connection"))
        raise optuna.exceptions.StorageInternalError("lost") from lost


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def waiting(number: int) -> FrozenTrial:
    return create_trial(state=TrialState.WAITING, user_attrs={attributes.NUMBER: number})


@pytest.mark.parametrize("after", [False, True])
def test_a_trial_is_made_and_ended_once(after: bool) -> None:
    below = Loses(after=after)
    said: list[str] = []
    storage = PatientStorage(below, Patience(tell=said.append))
    study = storage.create_new_study([StudyDirection.MINIMIZE], "bikes")
    below.is_due = True
    storage.create_new_trial(study, waiting(0))
    below.is_due = True
    trial = storage.create_new_trial(study, waiting(1))
    assert [each.user_attrs for each in storage.get_all_trials(study)] == [
        {attributes.NUMBER: 0},
        {attributes.NUMBER: 1},
    ]
    for state, values in ((TrialState.RUNNING, None), (TrialState.COMPLETE, [0.5])):
        below.is_due = True
        assert storage.set_trial_state_values(trial, state, values)
    assert storage.get_trial(trial).value == 0.5
    assert said[0] == "the database does not answer: waiting for it (server closed the connection)"
    assert len(said) == 8


def test_what_is_refused_is_no_lost_connection() -> None:
    storage = PatientStorage(InMemoryStorage(), Patience())
    with pytest.raises(KeyError):
        storage.get_study_id_from_name("none")


class ServerError(Exception):
    """What a server says, with its code."""

    def __init__(self, said: str, sqlstate: str) -> None:
        super().__init__(said)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("raised", "error", "n_said"),
    [
        (ProgrammingError("", {}, ServerError("permission denied", "42501")), ResumeLater, 0),
        (InternalError("", {}, ServerError("only reads", "25006")), ResumeLater, 1),
        (DataError("", {}, ServerError("out of range", "22003")), DataError, 0),
    ],
)
def test_what_a_server_does_not_allow_is_said(
    raised: DBAPIError, error: type[Exception], n_said: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    below, said = InMemoryStorage(), list[str]()
    storage = PatientStorage(below, Patience(0.01, said.append))
    monkeypatch.setattr(below, "get_all_studies", Mock(side_effect=raised))
    with pytest.raises(error, match=str(raised.orig)):
        storage.get_all_studies()
    assert len(said) == n_said


def test_waiting_ends_where_the_search_does() -> None:
    below = Loses(after=False)
    storage = PatientStorage(below, Patience(is_over=lambda: True))
    below.is_due = True
    with pytest.raises(ResumeLater, match="server closed the connection"):
        storage.create_new_study([StudyDirection.MINIMIZE], "bikes")
