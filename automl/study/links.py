"""A study's own files and folders are no links: a study may come from anywhere."""

import os
from collections.abc import Iterator
from pathlib import Path

from automl.inside import refused_link
from automl.study.layout import AttemptPaths, StudyPaths

__all__ = ["drop_links", "refuse_links"]

_ATTEMPT = AttemptPaths(Path())
#: What this program reads or writes of an attempt; the rest is its trainer's business.
_OWN = frozenset(
    path.name
    for path in (
        *(_ATTEMPT.spec, _ATTEMPT.container_spec, _ATTEMPT.container, _ATTEMPT.log),
        *(_ATTEMPT.outcome, _ATTEMPT.pid, _ATTEMPT.server, _ATTEMPT.stop, _ATTEMPT.gpus),
        *(_ATTEMPT.leave, _ATTEMPT.node_spec),
    )
)


def refuse_links(paths: StudyPaths) -> None:
    """Makes sure that nothing of a study's layout leads out of its folder.

    The folder itself may be a link, and so may the folder that studies are kept in. What a trainer
    makes beside its own records, such as a link to its newest checkpoint, is not looked at.

    Raises:
        FixInput: A link stands where the layout has a file or a folder.
    """
    _refuse(paths.folder)
    for folder in (paths.best, paths.report, paths.actions, paths.trials):
        _refuse(folder)
    for entry in _folders(paths.actions):
        _refuse(entry, _OWN)
    for trial in _folders(paths.trials):
        _refuse(trial)
        for attempt in _folders(trial):
            _refuse(attempt, _OWN)


def drop_links(attempt: AttemptPaths) -> None:
    """Takes away the links that an ended container left in the place of an attempt's records.

    What they lead to is not touched; left there, they would have the whole study refused.
    """
    for entry in _entries(attempt.folder):
        if entry.is_symlink() and entry.name in _OWN:
            Path(entry.path).unlink()


def _refuse(folder: Path, names: frozenset[str] | None = None) -> None:
    """Refuses a link in a folder: any, or one of these names."""
    for entry in _entries(folder):
        if entry.is_symlink() and (names is None or entry.name in names):
            raise refused_link(Path(entry.path))


def _folders(folder: Path) -> Iterator[Path]:
    return (Path(entry.path) for entry in _entries(folder) if entry.is_dir(follow_symlinks=False))


def _entries(folder: Path) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
