"""A database as the storage of a study, on request."""

import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial

from automl.errors import FixInput, InstallExtra, PrepareMachine
from automl.extras import how_to_get
from automl.study.database_url import connect_url
from automl.study.operations import check_attributes
from automl.study.patience import Patience

__all__ = ["check_trials", "database_errors", "open_database", "opening_database"]

_CONNECT_S = 10


def open_database(url: str, patience: Patience | None = None) -> BaseStorage:
    """The storage that a URL names.

    Args:
        url: In SQLAlchemy's form (``postgresql://...``, ``sqlite:///...``); a password that it
            lacks is looked for in ``PGPASSWORD`` and ``~/.pgpass``.
        patience: How long a connection that was lost is waited for; None for a reader, who is
            told of it at once.

    Raises:
        FixInput: The database cannot be opened.
        InstallExtra: Its Python driver is not installed.
    """
    with opening_database(), warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = _opened(connect_url(url), is_read_only=patience is None)
    # Its connections are closed with it, whoever held it and however that ended.
    weakref.finalize(storage, storage.engine.dispose)
    if patience is None:
        return storage
    from automl.study.patient_storage import PatientStorage

    return PatientStorage(storage, patience)


def _opened(url: str, *, is_read_only: bool) -> RDBStorage:
    if not url.startswith("postgresql"):
        return RDBStorage(url)
    connect: dict[str, Any] = {"connect_timeout": _CONNECT_S}
    if is_read_only:
        return RDBStorage(url, engine_kwargs={"pool_pre_ping": True, "connect_args": connect})
    from automl.study.postgres_storage import PostgresStorage

    return PostgresStorage(url, connect)


@contextmanager
def opening_database() -> Iterator[None]:
    """Turns what keeps a database from being opened within the block into what a person can do.

    Raises:
        FixInput: The database cannot be opened.
        InstallExtra: Its Python driver is not installed.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except ImportError as error:
        raise InstallExtra(
            "a database needs its Python driver installed",
            got=str(error).splitlines()[0],
            where="storage",
            fix=how_to_get("postgres"),
        ) from error
    except (SQLAlchemyError, ValueError, RuntimeError) as error:
        raise _unopened(error) from error


def _unopened(error: Exception) -> FixInput:
    return FixInput(
        "the storage must be a database that can be opened",
        got=str(error).splitlines()[0],
        where="storage",
        fix="check the address, the account, its password (PGPASSWORD or ~/.pgpass) and that the "
        "server runs; "
        "or leave it out: the study then keeps a journal in its own folder",
    )


@contextmanager
def database_errors(url: str) -> Iterator[None]:
    """Turns a database's refusals within the block into errors that say what to do.

    Args:
        url: The database; empty for none, and nothing is turned.

    Raises:
        PrepareMachine: The database does not answer as it should.
    """
    if not url:
        yield
        return
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        cause = error.__cause__ or error
        raise PrepareMachine(
            "the database of a study must answer",
            got=str(cause).splitlines()[0],
            where="storage",
            fix="look at the server and at the disk of the database; automl resume then goes on",
        ) from error


def check_trials(trials: list[FrozenTrial]) -> None:
    """Makes sure that this program's notes on the trials are as it wrote them.

    Raises:
        FixInput: One is not.
    """
    for trial in trials:
        try:
            check_attributes(trial.user_attrs, trial.system_attrs)
        except ValueError as error:
            raise FixInput(
                "the notes on a trial must be as this program wrote them",
                got=f"trial {trial.number} of the database: {error}",
                where="storage",
                fix="restore the database from a copy, or start the study under a new name",
            ) from error
