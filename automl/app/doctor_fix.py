"""What ``automl doctor --fix`` puts in order: only what nobody can miss.

A folder that is missing or that its owner may not write to, the mark of a driver that died, and
what dead drivers left running or half written. Nothing that a study could still use is touched.
"""

import os
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from automl.app.clean import Findings, Leftover, LeftoverKind, find_leftovers, remove_all
from automl.data.cache import cache_dir
from automl.errors import AutomlError
from automl.study.clock import Clock, utc_now
from automl.study.folder import list_studies
from automl.study.layout import StudyPaths
from automl.study.lock import StudyLock, read_owner

__all__ = ["Fix", "fixes_of"]


@dataclass(frozen=True, slots=True)
class Fix:
    """One thing that can be put in order.

    Attributes:
        what: What is done, as a sentence without its end: ``make the folder /data/studies``.
        why: Why it is needed, and why it is safe.
        apply: Does it. Raises ``OSError`` or ``AutomlError`` where it cannot be done.
    """

    what: str
    why: str
    apply: Callable[[], None]


def fixes_of(studies_dir: Path, clock: Clock = utc_now) -> Iterator[Fix]:
    """What can safely be put in order, found now; nothing is changed.

    Args:
        studies_dir: Where studies are kept.
        clock: The time of day, for telling a driver that runs from one that died.
    """
    cache = cache_dir()
    yield from _folder(studies_dir.absolute(), "studies")
    yield from _folder(cache, "what was downloaded or rendered")
    studies = list_studies(studies_dir) if os.access(studies_dir, os.R_OK) else ()
    for paths in studies:
        yield from _dead_driver(paths, clock)
    yield from _left_behind(studies, studies_dir, cache, clock)


def _folder(folder: Path, of: str) -> Iterator[Fix]:
    if not folder.exists():
        why = f"the folder of {of} is missing"
        yield Fix(f"make the folder {folder}", why, lambda: folder.mkdir(parents=True))
    elif folder.is_dir() and folder.stat().st_uid == os.geteuid() and not _is_ours(folder):
        why = f"the folder of {of} is yours, and you may not write to it"
        yield Fix(f"let its owner write to {folder}", why, lambda: _give_rights(folder))


def _is_ours(folder: Path) -> bool:
    """Whether its owner may read, write and enter; what root may do anyway does not count."""
    return folder.stat().st_mode & stat.S_IRWXU == stat.S_IRWXU


def _give_rights(folder: Path) -> None:
    folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IRWXU)


def _dead_driver(paths: StudyPaths, clock: Clock) -> Iterator[Fix]:
    """The mark of a driver of this machine that has gone; one of another machine is left alone."""
    owner = read_owner(paths)
    if owner is None or owner.host != socket.gethostname() or owner.is_alive(clock()):
        return
    what = f"clear the lock of the study {paths.folder.name}"
    yield Fix(what, f"its driver, pid {owner.pid}, has died", lambda: _clear(paths, clock))


def _clear(paths: StudyPaths, clock: Clock) -> None:
    with StudyLock(paths, clock):
        pass  # who leaves in order takes the mark along


def _left_behind(
    studies: tuple[StudyPaths, ...], studies_dir: Path, cache: Path, clock: Clock
) -> Iterator[Fix]:
    """Trainers, containers and unfinished files of dead drivers; no checkpoint is among them."""
    found = find_leftovers(studies, studies_dir, cache, clock)
    for leftover in found.leftovers:
        if leftover.kind != LeftoverKind.CHECKPOINT:
            verb = "delete" if leftover.kind == LeftoverKind.UNFINISHED else "end"
            what = f"{verb} the {leftover.kind} {leftover.what}"
            yield Fix(what, leftover.why, _removal(leftover, clock))


def _removal(leftover: Leftover, clock: Clock) -> Callable[[], None]:
    def remove() -> None:
        kept = remove_all(Findings((leftover,)), lambda _: None, clock)
        if kept:
            raise AutomlError(kept[0])

    return remove
