"""Studies at a glance, from what was kept of them where it still holds.

A driver keeps a glance of its study beside ``state.json``. While it drives, the glance is believed
for as long as that driver lives and renews it; afterwards for as long as none of the files that it
rests on was written to. Of a study that has no such file a reader makes a glance and keeps it in
the user's cache: readers write nothing into a study.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import automl
from automl.data.cache import cache_dir
from automl.errors import AutomlError
from automl.files import write_text
from automl.jsontext import read_json
from automl.reports.glance import Glance
from automl.study.clock import Clock, moment_of, utc_now
from automl.study.layout import StudyPaths
from automl.study.lock import Owner, read_owner
from automl.study.state import StudyStatus

__all__ = ["Seen", "glance_at", "mark_of", "marks_of", "read_glance", "write_glance"]

FORMAT = 1
#: Seconds for which the glance of a driver that lives is believed; drivers renew it sooner.
_BELIEVED_S = 60.0

Marks = dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A glance, and how old it is.

    Attributes:
        glance: The study.
        age_s: Seconds since it was taken.
    """

    glance: Glance
    age_s: float = 0.0


def glance_at(
    paths: StudyPaths, make: Callable[[], Glance], clock: Clock = utc_now
) -> tuple[Seen, bool]:
    """A study at a glance: as it was kept, else as it is made now.

    Args:
        paths: The study.
        make: Reads the study.
        clock: The time of day.

    Returns:
        The glance, and whether it was kept.
    """
    now, owner = clock(), read_owner(paths)
    owner = owner if owner is not None and owner.is_alive(now) else None
    for file in (paths.glance, _cached(paths)):
        seen = None if file is None else read_glance(file, paths, owner, now)
        if seen is not None:
            return seen, True
    marks = marks_of(paths)
    glance = make()
    file = _cached(paths)
    # Notes tell of files that no mark watches.
    if file is not None and owner is None and not glance.notes and marks == marks_of(paths):
        with suppress(OSError, AutomlError):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, json.dumps(_kept(glance, marks, now, None)))
    return Seen(glance), False


def write_glance(paths: StudyPaths, glance: Glance, now: datetime, owner: Owner | None) -> None:
    """Keeps the glance of a study that this process drives, or has just ended."""
    value = _kept(glance, marks_of(paths), now, owner)
    write_text(paths.glance, json.dumps(value), paths.folder)


def read_glance(file: Path, paths: StudyPaths, owner: Owner | None, now: datetime) -> Seen | None:
    """A glance that was kept; None where it does not hold any more, or cannot be read.

    Args:
        file: Where it was kept.
        paths: The study that it is of.
        owner: Who drives the study; None where nobody does.
        now: The time of day.
    """
    try:
        value = read_json(file, follow=False)
        if (value["format"], value["version"]) != (FORMAT, automl.__version__):
            return None
        glance = Glance.from_json(value["glance"])
        age_s = max(0.0, (now - moment_of(value["taken_at"])).total_seconds())
        is_driven = glance.status is StudyStatus.RUNNING
        if is_driven is (owner is None):
            return None
        if owner is not None:
            is_believed = value["driver"] == _named(owner) and age_s < _BELIEVED_S
            return Seen(glance, age_s) if is_believed else None
        return Seen(glance, age_s) if value["marks"] == marks_of(paths) else None
    except (OSError, LookupError, ValueError, TypeError, AttributeError):
        return None


def _kept(glance: Glance, marks: Marks, now: datetime, owner: Owner | None) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": automl.__version__,
        "taken_at": now.isoformat(),
        "driver": None if owner is None else _named(owner),
        "marks": marks,
        "glance": glance.to_json(),
    }


def _named(owner: Owner) -> list[str | int]:
    return [owner.host, owner.pid, owner.process_started, owner.started_at]


def _cached(paths: StudyPaths) -> Path | None:
    try:
        digest = hashlib.sha256(str(paths.folder.resolve()).encode()).hexdigest()
        return cache_dir() / "glances" / f"{digest[:32]}.json"
    except (OSError, AutomlError):
        return None


def marks_of(paths: StudyPaths) -> Marks:
    """What changes when a study's driver, or anybody else, writes to what a glance rests on."""
    asked = (paths.resolved, paths.space, paths.base_spec, paths.provenance)
    watched = (*asked, paths.journal, paths.state, paths.best_provenance, paths.trials)
    return {paths.relative(path): mark_of(path) for path in watched}


def mark_of(path: Path) -> list[int]:
    """What changes when a file is written or replaced; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_mtime_ns, found.st_size, found.st_ino]
