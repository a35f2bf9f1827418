"""Opening the Optuna study behind a study folder: its journal, or a database on request."""

import warnings

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection

from automl.errors import FixInput, InstallExtra, ResolveConflict
from automl.jsontext import parse_json
from automl.study.config import Objective, StudyConfig
from automl.study.journal import KernelLock, repair_journal
from automl.study.layout import StudyPaths

__all__ = ["create_study", "memory_study", "open_storage", "open_study", "read_study"]


def open_storage(paths: StudyPaths, url: str = "") -> BaseStorage:
    """The storage of a study; an unfinished end of the journal is cut off first.

    Args:
        paths: The study folder, which must exist.
        url: A database in SQLAlchemy's form (``postgresql+psycopg://...``, ``sqlite:///...``);
            empty for the journal in the study folder.

    Raises:
        FixInput: The journal is broken before its end, or the database cannot be opened.
    """
    # Optuna announces each study it makes; what a user sees is the command line's business.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return _open_database(url) if url else _open_journal(paths)


def _open_journal(paths: StudyPaths) -> JournalStorage:
    repair_journal(paths)
    backend = JournalFileBackend(str(paths.journal), lock_obj=KernelLock(paths.journal))
    try:
        return JournalStorage(backend)
    except ValueError as error:
        raise FixInput(
            "every line of a study's journal must be JSON",
            got=_first_broken_line(paths),
            where=str(paths.journal),
            fix="restore the file from a copy: the trials after that line cannot be read",
        ) from error


def _first_broken_line(paths: StudyPaths) -> str:
    with paths.journal.open("rb") as file:
        for position, line in enumerate(file, start=1):
            try:
                parse_json(line)
            except ValueError:
                return f"line {position}, which is not"
    return "a line that is not"


def _open_database(url: str) -> RDBStorage:
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
        raise FixInput(
            "the storage must be a database that can be opened",
            got=str(error).splitlines()[0],
            where="storage",
            fix="check the URL, the account and that the server runs; "
            "or leave it out: the study then keeps a journal in its own folder",
        ) from error


def create_study(storage: BaseStorage, name: str, objective: Objective) -> optuna.Study:
    """A new Optuna study.

    Raises:
        ResolveConflict: The storage already holds one of this name.
    """
    try:
        return optuna.create_study(
            storage=storage, study_name=name, direction=_direction(objective)
        )
    except optuna.exceptions.DuplicatedStudyError as error:
        raise ResolveConflict(
            "a study's name must be new in its storage",
            got=f"{name}, which is there already",
            where="--name",
            fix="choose another name, or go on with that study: automl resume",
        ) from error


def open_study(storage: BaseStorage, name: str, objective: Objective) -> optuna.Study:
    """The Optuna study of a resumed study, made if a crash came before it was.

    Raises:
        ResolveConflict: The study was started with the other direction.
    """
    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        return create_study(storage, name, objective)
    if study.direction is not _direction(objective):
        raise ResolveConflict(
            f"the study {name} must {study.direction.name.lower()} {objective.metric}",
            got=str(objective.direction),
            where="--direction",
            fix="start a new study for another objective",
        )
    return study


def _direction(objective: Objective) -> StudyDirection:
    return StudyDirection[objective.direction.name]


def read_study(paths: StudyPaths, config: StudyConfig) -> optuna.Study | None:
    """The Optuna study for a reader; None if there is nothing yet, and nothing is made.

    Raises:
        FixInput: The storage is broken or cannot be opened.
    """
    if not config.storage_url and not paths.journal.is_file():
        return None
    storage = open_storage(paths, config.storage_url)
    try:
        return optuna.load_study(study_name=config.name, storage=storage)
    except KeyError:
        return None


def memory_study(objective: Objective) -> optuna.Study:
    """A study that is kept in memory alone and goes with this process."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction=_direction(objective))
