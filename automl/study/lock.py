"""One driver a study: a lock in the study folder with an owner and a heartbeat.

The kernel's ``flock`` decides on one machine: it ends with its process however that dies, so a
lock never has to be broken by hand. Some network mounts keep ``flock`` to each machine; there the
heartbeat decides: an owner on another host that wrote a moment ago is taken to be alive.
"""

import json
import os
import socket
import threading
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Self

from automl.errors import ResolveConflict
from automl.field_types import check_fields
from automl.filelock import try_lock
from automl.inside import writable
from automl.jsontext import read_json
from automl.processes import started_at
from automl.study.clock import Clock, moment_of, utc_now
from automl.study.layout import StudyPaths
from automl.study.links import refuse_links

__all__ = ["STALE_AFTER_S", "Owner", "StudyLock", "read_owner"]

STALE_AFTER_S = 60.0

# One write of fixed length: a reader sees the old owner or the new one, and the file that the
# lock is on is never replaced.
_RECORD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Owner:
    """Who drives a study.

    Attributes:
        pid: Process id on ``host``.
        host: Host name.
        process_started: Start of the process in clock ticks after boot, which tells it from a
            later one with the same id; 0 where the system does not say.
        started_at: When it took the study, ISO 8601, UTC.
        heartbeat_at: When it last said that it is alive, ISO 8601, UTC.
    """

    pid: int
    host: str
    process_started: int
    started_at: str
    heartbeat_at: str

    def heartbeat_age_s(self, now: datetime) -> float:
        """Seconds since the last heartbeat; 0 where clocks disagree."""
        return max(0.0, (now - moment_of(self.heartbeat_at)).total_seconds())

    def is_alive(self, now: datetime) -> bool:
        """Whether it still drives: its process exists, or from afar, its heartbeat is fresh."""
        if self.host != socket.gethostname():
            return self.heartbeat_age_s(now) < STALE_AFTER_S
        return int(started_at(self.pid) or 0) == self.process_started

    def described(self, now: datetime) -> str:
        """``pid 4711 on ws-07, last heartbeat 3 s ago``."""
        return (
            f"pid {self.pid} on {self.host}, last heartbeat {self.heartbeat_age_s(now):.0f} s ago"
        )


class StudyLock:
    """Holds a study for this process while the ``with`` block runs.

    Args:
        paths: The study folder, which must exist.
        clock: The time of day.

    Raises:
        ResolveConflict: On entry: another driver holds the study.
        FixInput: On entry: a link stands in the place of one of the study's files or folders.
        PrepareMachine: On entry: the file system has no locks.
    """

    def __init__(self, paths: StudyPaths, clock: Clock = utc_now) -> None:
        self._paths = paths
        self._clock = clock
        self._file: int | None = None
        self._owner: Owner | None = None
        self._guard = threading.Lock()

    def __enter__(self) -> Self:
        refuse_links(self._paths)
        file = writable(self._paths.lock, os.O_RDWR)
        try:
            self._claim(file)
        except BaseException:
            os.close(file)
            raise
        now = self._clock().isoformat()
        pid = os.getpid()
        self._file = file
        self._owner = Owner(pid, socket.gethostname(), int(started_at(pid) or 0), now, now)
        self.heartbeat()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._guard:
            if self._file is not None:
                os.ftruncate(self._file, 0)
                os.close(self._file)
                self._file = None

    def heartbeat(self) -> None:
        """Says that this driver is alive; to be called every few seconds, from any thread."""
        with self._guard:
            if self._file is None or self._owner is None:
                return
            self._owner = replace(self._owner, heartbeat_at=self._clock().isoformat())
            record = json.dumps(asdict(self._owner)).encode().ljust(_RECORD_BYTES - 1) + b"\n"
            os.pwrite(self._file, record, 0)

    def _claim(self, file: int) -> None:
        if not try_lock(file, self._paths.lock):
            raise self._conflict(read_owner(self._paths))
        # On this host the kernel has just said that nobody holds it, whatever the file says.
        owner = read_owner(self._paths)
        is_elsewhere = owner is not None and owner.host != socket.gethostname()
        if owner is not None and is_elsewhere and owner.is_alive(self._clock()):
            raise self._conflict(owner)

    def _conflict(self, owner: Owner | None) -> ResolveConflict:
        # A driver that is just starting holds the lock and has not signed it yet.
        who = "another process" if owner is None else owner.described(self._clock())
        return ResolveConflict(
            "a study must be driven by one process at a time",
            got=who,
            where=str(self._paths.folder),
            fix="follow it with automl status, or stop that driver first",
        )


def read_owner(paths: StudyPaths) -> Owner | None:
    """Who drives the study or last did without leaving in order; None if nobody."""
    try:
        value = read_json(paths.lock, follow=False)
        owner = Owner(**value)
        check_fields(owner)
        moment_of(owner.heartbeat_at)
        return owner
    except (OSError, ValueError, TypeError):
        return None
