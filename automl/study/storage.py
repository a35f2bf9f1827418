"""Opening the Optuna study behind a study folder: its journal, or a database on request."""

from pathlib import Path
from typing import Final

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.study import StudyDirection

from automl.errors import FixInput, PrepareMachine, ResolveConflict
from automl.study.config import Objective, StudyConfig
from automl.study.database import check_trials, database_errors, open_database
from automl.study.grouped_journal import GroupedJournal
from automl.study.journal import CheckedJournal, deleted_in, repair_journal
from automl.study.layout import StudyPaths
from automl.study.patience import Patience
from automl.study.trials import by_number

__all__ = [
    "REPLAY_ERRORS",
    "check_new",
    "copy_in_memory",
    "create_study",
    "memory_study",
    "open_storage",
    "open_study",
    "read_study",
]

#: What Optuna's replay of a journal ends in where a line is not as it wrote it.
REPLAY_ERRORS: Final = (
    LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError,
    RecursionError, optuna.exceptions.OptunaError,
)  # fmt: skip


def open_storage(
    paths: StudyPaths, url: str = "", patience: Patience | None = None
) -> BaseStorage:
    """The storage of a study; an unfinished end of the journal is cut off first.

    Args:
        paths: The study folder, which must exist.
        url: A database in SQLAlchemy's form (``postgresql://...``, ``sqlite:///...``); empty for
            the journal in the study folder.
        patience: How long a database that went away is waited for; None for not at all.

    Raises:
        FixInput: The journal is broken before its end, or the database cannot be opened.
    """
    # Optuna announces each study it makes; what a user sees is the command line's business.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return open_database(url, patience) if url else _open_journal(paths)


def _open_journal(paths: StudyPaths) -> JournalStorage:
    _check_is_file(paths.journal)
    try:
        repair_journal(paths)
        journal = CheckedJournal(paths.journal)
    except OSError as error:
        raise _refused(paths.journal, error) from error
    try:
        return GroupedJournal(journal)
    except OSError as error:
        raise _refused(paths.journal, error) from error
    except REPLAY_ERRORS as error:
        raise journal.broken_line(journal.n_lines, error) from error


def _check_is_file(journal: Path) -> None:
    """A pipe would be waited for and a folder cannot be read."""
    if journal.exists() and not journal.is_file():
        raise FixInput(
            "a study's journal must be a file",
            got="a folder" if journal.is_dir() else "a pipe or a device",
            where=str(journal),
            fix="restore the file from a copy",
        )


def _refused(journal: Path, error: OSError) -> PrepareMachine:
    return PrepareMachine(
        "the journal of a study must be readable",
        got=error.strerror or str(error),
        where=str(error.filename or journal),
        fix="look at the rights of the file and at its disk",
    )


def check_new(url: str, name: str) -> None:
    """Makes sure that a shared database holds no study of this name yet.

    Args:
        url: The database; empty for none.
        name: The study that is to be made.

    Raises:
        FixInput: The database cannot be opened.
        ResolveConflict: It holds one, of whomever.
    """
    if url:
        storage = open_database(url)
        with database_errors(url):
            names = {study.study_name for study in storage.get_all_studies()}
        if name in names:
            raise _taken(name)


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
        raise _taken(name) from error


def _taken(name: str) -> ResolveConflict:
    return ResolveConflict(
        "a study's name must be new in its storage",
        got=f"{name}, which is there already",
        where="--name",
        fix="choose another name, or go on with that study: automl resume",
    )


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


def read_study(
    paths: StudyPaths, config: StudyConfig, storage: BaseStorage | None = None
) -> optuna.Study | None:
    """The Optuna study for a reader; None if there is nothing yet, and nothing is made.

    Args:
        paths: The study folder.
        config: What was asked for.
        storage: The study's storage as it was opened before; None to open it.

    Raises:
        FixInput: The storage is broken, cannot be opened, or does not know the study's trials.
        PrepareMachine: The machine does not let it be read.
    """
    # Looked up first: a driver enters a trial in the storage before it makes the folder.
    newest = max(paths.numbers(), default=None)
    if not config.storage_url and not paths.journal.exists():
        if newest is not None:
            raise _lost(paths, config, f"no {paths.journal.name}, though {_folder(paths, newest)}")
        return None
    if storage is None:
        storage = open_storage(paths, config.storage_url)
    with database_errors(config.storage_url):
        study = _known(storage, config)
        if study is None:
            _check_none_lost(paths, config, storage, newest)
            return None
        trials = study.get_trials(deepcopy=False)
    if config.storage_url:
        check_trials(trials)
    known = by_number(trials)
    if newest is not None and newest not in known:
        raise _lost(paths, config, f"{len(known)} trials, though {_folder(paths, newest)}")
    return study


def _known(storage: BaseStorage, config: StudyConfig) -> optuna.Study | None:
    try:
        return optuna.load_study(study_name=config.name, storage=storage)
    except KeyError:
        return None


def _folder(paths: StudyPaths, number: int) -> str:
    return f"{paths.relative(paths.trial(number))} is there"


def _check_none_lost(
    paths: StudyPaths, config: StudyConfig, storage: BaseStorage, newest: int | None
) -> None:
    """Without its study a storage is as it was before the first trial, or it has lost it."""
    others = [study.study_name for study in storage.get_all_studies()]
    line = None if config.storage_url else deleted_in(paths.journal, config.name)
    if line is not None:
        raise _lost(paths, config, f"none: line {line} deletes the study")
    if others and not config.storage_url:
        raise _lost(paths, config, f"the study {', '.join(others)}, and no study {config.name}")
    if newest is not None:
        raise _lost(paths, config, f"no study {config.name}, though {_folder(paths, newest)}")


def _lost(paths: StudyPaths, config: StudyConfig, got: str) -> FixInput:
    what = "that database" if config.storage_url else "study.journal"
    return FixInput(
        f"the storage of the study {config.name} must hold its trials",
        got=got,
        where="storage" if config.storage_url else str(paths.journal),
        fix=f"restore {what} from a copy, or start a new study under another --name; "
        "trials/, best/ and report/ are left as they are",
    )


def memory_study(objective: Objective) -> optuna.Study:
    """A study that is kept in memory alone and goes with this process."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction=_direction(objective))


def copy_in_memory(study: optuna.Study | None, objective: Objective) -> optuna.Study:
    """The trials of a study in memory, whatever their states; nothing of it reaches the original.

    Args:
        study: The study; None for one without a trial.
        objective: What it optimises.
    """
    copy = memory_study(objective)
    if study is not None:
        for name, value in study.user_attrs.items():
            copy.set_user_attr(name, value)
        for trial in study.get_trials(deepcopy=True):
            copy._storage.create_new_trial(copy._study_id, template_trial=trial)
    return copy
