"""A database that may go away for a while: what was asked is asked again until it answers.

A write whose answer was lost may have been carried out. To make it again would make a trial twice
or end one twice, so that what the database holds is looked at before a write is repeated.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import (
    DBAPIError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from automl.errors import ResumeLater
from automl.study.patience import Patience
from automl.study.storage_layer import StorageLayer

__all__ = ["PatientStorage"]

_Result = TypeVar("_Result")

# What PostgreSQL says of a write where server or database only reads, as a standby does until it
# takes over.
_READ_ONLY = "25006"
_FAILURES = (optuna.exceptions.StorageInternalError, SQLAlchemyError)


class PatientStorage(StorageLayer):
    """Asks again where a connection was lost.

    Args:
        inner: The database.
        patience: How long.
    """

    def __init__(self, inner: BaseStorage, patience: Patience) -> None:
        super().__init__(inner)
        self._patience = patience

    def _call(self, method: Callable[..., _Result], *values: Any) -> _Result:
        try:
            return method(*values)
        except _FAILURES as error:
            return self._again(error, lambda: method(*values))

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Makes a trial, once."""

        def _made() -> int:
            made = self._like(study_id, template_trial)
            if made is not None:
                return made._trial_id
            return self._inner.create_new_trial(study_id, template_trial)

        try:
            return self._inner.create_new_trial(study_id, template_trial)
        except _FAILURES as error:
            return self._again(error, _made)

    def _like(self, study_id: int, template: FrozenTrial | None) -> FrozenTrial | None:
        """The trial that was made from a template; each of ours says what no other one says."""
        if template is None or not template.user_attrs:
            return None
        found = self._inner.get_all_trials(study_id, deepcopy=False, states=(template.state,))
        return next((each for each in found if each.user_attrs == template.user_attrs), None)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Where a trial stands, once."""

        def _set() -> bool:
            if self._inner.get_trial(trial_id).state is state:
                return True
            return self._inner.set_trial_state_values(trial_id, state, values)

        try:
            return self._inner.set_trial_state_values(trial_id, state, values)
        except _FAILURES as error:
            return self._again(error, _set)

    def _again(self, error: Exception, ask: Callable[[], _Result]) -> _Result:
        if not _is_lost(error):
            _refuse(error)
        patience = self._patience
        patience.tell(f"the database does not answer: waiting for it ({_said(error)})")
        for away_s in patience.waits():
            try:
                if patience.regain is not None:
                    patience.regain()
                answer = ask()
            except _FAILURES as again:
                if not _is_lost(again):
                    _refuse(again)
                error = again
            else:
                patience.tell(f"the database answers again after {away_s:.0f} s")
                return answer
        raise _resumable(error) from error


def _resumable(error: BaseException) -> ResumeLater:
    return ResumeLater(
        "the database of a study must answer",
        got=_said(error),
        where="storage",
        fix="look at its server; all that ended is safe, and automl resume goes on",
    )


def _refuse(error: Exception) -> NoReturn:
    """Raises what the server does not allow or cannot as an error for a person, else the error."""
    if isinstance(_cause(error), ProgrammingError | InternalError | NotSupportedError):
        raise _resumable(error) from error
    raise error


def _is_lost(error: BaseException) -> bool:
    """Whether a connection could not be made or broke, or led to a server that stands in."""
    cause = _cause(error)
    if not isinstance(cause, DBAPIError):
        return False
    is_read_only = getattr(cause.orig, "sqlstate", "") == _READ_ONLY
    return isinstance(cause, OperationalError) or cause.connection_invalidated or is_read_only


def _cause(error: BaseException) -> BaseException:
    is_optunas = isinstance(error, optuna.exceptions.StorageInternalError)
    return error.__cause__ or error if is_optunas else error


def _said(error: BaseException) -> str:
    cause = _cause(error)
    return str(getattr(cause, "orig", None) or cause).splitlines()[0].strip()
