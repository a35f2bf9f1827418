"""Optuna's storage in PostgreSQL, with fewer ways to the server and back.

Optuna looks at a trial before each note on it, each in a transaction of its own: some four hundred
ways a trial of twelve epochs. Here what belongs together is one statement.
"""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import optuna
from optuna.distributions import distribution_to_json
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import TrialIntermediateValueModel, TrialValueModel
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Engine, TextClause, event
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError

from automl.study import postgres_statements as statements
from automl.study.trial_writes import Draw, SystemNote, TrialWrite, UserNote, ValueOfEpoch

__all__ = ["PostgresStorage"]

#: A connection that has rested so long is asked whether it still is one.
_RESTED_S = 5.0

_stored_epoch = TrialIntermediateValueModel.intermediate_value_to_stored_repr
_stored_value = TrialValueModel.value_to_stored_repr


class PostgresStorage(RDBStorage):
    """A database of PostgreSQL's.

    Args:
        url: Its address.
        connect_args: What its connections are made with.
    """

    def __init__(self, url: str, connect_args: dict[str, Any]) -> None:
        super().__init__(url, engine_kwargs={"connect_args": connect_args})
        # One statement is a transaction by itself: neither its begin nor its end is sent.
        self._at_once = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        _watch_rests(self.engine)

    def _ask(self, statement: TextClause, values: Mapping[str, Any]) -> Any:
        """The one number that a statement answers with; None for none."""
        try:
            with self._at_once.connect() as connection:
                return connection.execute(statement, values).scalar()
        except SQLAlchemyError as error:
            raise optuna.exceptions.StorageInternalError(str(error)) from error

    def _create_new_trial(
        self, study_id: int, template_trial: FrozenTrial | None = None
    ) -> FrozenTrial:
        """Makes a trial; one of the queue, which holds nothing but notes, in two statements."""
        template = template_trial
        if template is None or template.state is not TrialState.WAITING or template.params:
            return super()._create_new_trial(study_id, template)
        notes = {"study_id": study_id, **_notes(template.user_attrs, template.system_attrs)}
        try:
            with self.engine.begin() as connection:
                # Counted behind the lock: a statement sees what was there at its begin.
                connection.execute(statements.LOCK_STUDY, {"study_id": study_id})
                made = connection.execute(statements.ENQUEUE, notes).one()
        except SQLAlchemyError as error:
            raise optuna.exceptions.StorageInternalError(str(error)) from error
        return FrozenTrial(
            number=made.number,
            trial_id=made.trial_id,
            state=TrialState.WAITING,
            value=None,
            datetime_start=None,
            datetime_complete=None,
            params={},
            distributions={},
            user_attrs={**template.user_attrs},
            system_attrs={**template.system_attrs},
            intermediate_values={},
        )

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        """The trial of a number."""
        found = self._ask(statements.FIND, {"study_id": study_id, "number": trial_number})
        if found is None:
            raise KeyError(f"the study {study_id} of the database has no trial {trial_number}")
        return int(found)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Where a trial stands; whether it was there for that.

        Raises:
            UpdateFinishedTrialError: It has ended, or is not there.
        """
        stored = [_stored_value(float(value)) for value in values or ()]
        now = datetime.now(UTC).replace(tzinfo=None)
        given = {
            "trial_id": trial_id,
            "state": state.name,
            "begun": now if state is TrialState.RUNNING else None,
            "ended": now if state.is_finished() else None,
            "objectives": [*range(len(stored))],
            "numbers": [number for number, _ in stored],
            "kinds": [kind.name for _, kind in stored],
        }
        was = self._ask(statements.SET_STATE, given)
        if was in (TrialState.RUNNING.name, TrialState.WAITING.name):
            return state is not TrialState.RUNNING or was == TrialState.WAITING.name
        raise _ended(trial_id)

    def set_together(self, writes: Sequence[TrialWrite]) -> None:
        """Makes the writes in their order; where it is cut off, the first of them or none.

        Raises:
            UpdateFinishedTrialError: A trial of them has ended, or is not there.
        """
        for trial_id, group in groupby(writes, key=lambda each: each.trial_id):
            if not self._ask(statements.WRITE, {"trial_id": trial_id, **_arrays([*group])}):
                raise _ended(trial_id)


def _watch_rests(engine: Engine) -> None:
    """Has a connection that rested made anew where the server has closed it."""
    dialect = engine.dialect

    def _note(_: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    def _check(connection: Any, record: Any, _: Any) -> None:
        since = record.info.get("rests_since")
        if since is None or time.monotonic() - since < _RESTED_S:
            return
        try:
            is_up = dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error
        if not is_up:
            raise DisconnectionError

    event.listen(engine, "checkin", _note)
    event.listen(engine, "checkout", _check)


def _ended(trial_id: int) -> Exception:
    return optuna.exceptions.UpdateFinishedTrialError(
        f"trial {trial_id} of the database is not there, or has ended"
    )


def _arrays(writes: Sequence[TrialWrite]) -> dict[str, list[Any]]:
    """What is written, kind by kind; of what is written twice, what stands."""
    draws = {each.name: each for each in reversed(writes) if isinstance(each, Draw)}
    epochs = {
        each.epoch: _stored_epoch(float(each.value))
        for each in writes
        if isinstance(each, ValueOfEpoch)
    }
    return {
        "names": [*draws],
        "draws": [float(each.internal) for each in draws.values()],
        "distributions": [distribution_to_json(each.distribution) for each in draws.values()],
        "epochs": [*epochs],
        "numbers": [number for number, _ in epochs.values()],
        "kinds": [kind.name for _, kind in epochs.values()],
        **_notes(
            {each.key: each.value for each in writes if isinstance(each, UserNote)},
            {each.key: each.value for each in writes if isinstance(each, SystemNote)},
        ),
    }


def _notes(user: Mapping[str, Any], system: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        "user_keys": [*user],
        "user_values": [json.dumps(value) for value in user.values()],
        "system_keys": [*system],
        "system_values": [json.dumps(value) for value in system.values()],
    }
