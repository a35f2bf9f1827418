"""Removing what a killed driver left in its study, before anything is written there again."""

import shutil

from automl.files import clear_unfinished
from automl.study.clock import Clock, utc_now
from automl.study.layout import StudyPaths
from automl.study.lock import read_owner

__all__ = ["sweep", "sweep_own"]

#: A report is written in seconds; what another process is writing is younger.
_ABANDONED_AFTER_S = 60.0


def sweep(paths: StudyPaths, clock: Clock = utc_now) -> None:
    """Removes what nobody writes any more; nothing while somebody drives the study.

    Args:
        paths: The study.
        clock: The time of day, for telling a driver that runs from one that died.
    """
    owner = read_owner(paths)
    if owner is None or not owner.is_alive(clock()):
        _sweep(paths, _ABANDONED_AFTER_S)


def sweep_own(paths: StudyPaths) -> None:
    """The same for the driver that holds the study's lock: all that is there is abandoned."""
    _sweep(paths, 0.0)


def _sweep(paths: StudyPaths, older_than_s: float) -> None:
    for folder in (paths.folder, paths.best):
        clear_unfinished(folder, older_than_s)
    clear_unfinished(paths.report, _ABANDONED_AFTER_S)
    shutil.rmtree(paths.ray, ignore_errors=True)
