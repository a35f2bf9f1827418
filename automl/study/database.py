"""A database as the storage of a study, on request."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial

from automl.errors import FixInput, InstallExtra, PrepareMachine
from automl.study.operations import check_attributes

__all__ = ["check_trials", "database_errors", "open_database"]


def open_database(url: str) -> RDBStorage:
    """The storage that a URL names.

    Args:
        url: In SQLAlchemy's form (``postgresql+psycopg://...``, ``sqlite:///...``).

    Raises:
        FixInput: The database cannot be opened.
        InstallExtra: Its Python driver is not installed.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return RDBStorage(url, skip_compatibility_check=False)
    except ImportError as error:
        raise InstallExtra(
            "a database needs its Python driver installed",
            got=str(error).splitlines()[0],
            where="storage",
            fix="install the driver that the URL names",
        ) from error
    except (SQLAlchemyError, ValueError, RuntimeError) as error:
        raise _unopened(error) from error


def _unopened(error: Exception) -> FixInput:
    return FixInput(
        "the storage must be a database that can be opened",
        got=str(error).splitlines()[0],
        where="storage",
        fix="check the URL, the account and that the server runs; "
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
