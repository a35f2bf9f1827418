"""Bringing a study from its store to a machine that has no folder of it, to go on there."""

from pathlib import Path, PurePosixPath

from automl.errors import FixInput, PrepareMachine, ResolveConflict
from automl.reports import words
from automl.study.clock import utc_now
from automl.study.layout import StudyPaths
from automl.study.lock import STALE_AFTER_S
from automl.study.state import StudyStatus, read_state
from automl.study.study_store import Snapshots, StoreError, StudyStore

__all__ = ["bring_attempts", "bring_study"]


def bring_study(address: str, name: str, studies_dir: Path) -> str:
    """Brings a study with all that is stored of it; does nothing where its folder is here.

    Args:
        address: The store, as ``--study-store`` had it when the study began.
        name: The study.
        studies_dir: The folder of studies.

    Returns:
        What was brought, for the reader; empty where nothing was.

    Raises:
        FixInput: There is no such study in the store.
        PrepareMachine: The store cannot be read.
        ResolveConflict: Another machine drives it.
    """
    paths = StudyPaths(studies_dir.absolute() / name)
    if paths.folder.exists():
        return ""
    where = f"{address.rstrip('/')}/{name}"
    try:
        keys = _bring(StudyStore(where).snapshots(), paths, where)
    except OSError as error:
        raise PrepareMachine(
            "a study must come whole from its store",
            got=str(error),
            where=where,
            fix="try again; what came is checked, and nothing was begun",
        ) from error
    return f"brought {words.count(len(keys), 'folder')} of the study from {where}"


def _bring(snapshots: Snapshots, paths: StudyPaths, where: str) -> list[str]:
    keys = [key for key in snapshots.folders() if ".." not in PurePosixPath(key).parts]
    if "" not in keys:
        raise FixInput("a study must be in the store", got="nothing", where=where)
    aside = StudyPaths(paths.folder.with_name(f".{paths.folder.name}.coming"))
    for key in keys:
        snapshots.pull(key, aside.folder / key)
    state = read_state(aside)
    is_fresh = state is not None and state.age_s(utc_now()) < STALE_AFTER_S
    if state is not None and is_fresh and state.status is StudyStatus.RUNNING:
        raise ResolveConflict(
            "a study must be driven by one process at a time",
            got=f"a driver on {state.driver.get('host', '?')}, seen a moment ago",
            where=where,
            fix=f"stop that driver first, or wait {STALE_AFTER_S:.0f} s if it has died",
        )
    aside.folder.rename(paths.folder)
    return keys


def bring_attempts(store: str, paths: StudyPaths) -> None:
    """Brings what attempts on other nodes have left in the store whose driver has died.

    An attempt that has written anything here trained on a node that shares the folder.

    Args:
        store: Where the study lies in its store.
        paths: The study here.

    Raises:
        PrepareMachine: The store cannot be read.
    """
    left = [place for number in paths.numbers() for _, place in paths.attempts(number)]
    apart = [place for place in left if not place.outcome.exists() and not place.log.exists()]
    if not apart:
        return
    try:
        snapshots = StudyStore(store).snapshots()
        for place in apart:
            snapshots.pull(paths.relative(place.folder), place.folder)
    except StoreError as error:
        raise PrepareMachine(
            "a study goes on from what its nodes have left in its store",
            got=str(error),
            where=store,
            fix="look at the server, the bucket and the credentials, then automl resume goes on",
        ) from error
