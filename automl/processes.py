"""Processes as ``/proc`` shows them.

The guard of a trainer imports this module: it needs the standard library only, and not pathlib,
which would double the time that the guard takes to start.
"""

# ruff: noqa: PTH123, PTH208

import os
from collections.abc import Container

__all__ = ["ABANDONED", "children_of", "members_of", "started_at", "stat_of"]

#: Name of a thread that a library holds for ever: the process must be left without its end.
ABANDONED = "abandoned"


def stat_of(pid: int | str) -> list[str]:
    """The fields of a process's ``stat`` from its state on; empty if there is no such process.

    Args:
        pid: Its id, or ``self``.
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The field before the state is the program's name in brackets, which may hold spaces.
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def started_at(pid: int | str) -> str:
    """The start of a live process in clock ticks since boot; empty if there is none.

    Together with the id it tells a process from a later one with the same id. A process that ended
    and was not yet waited for (a zombie) counts as gone.
    """
    fields = stat_of(pid)
    return fields[19] if fields and fields[0] not in "ZX" else ""


def children_of(parent: int) -> list[int]:
    """The direct children of a process, those that ended and were not waited for included."""
    pids = [name for name in os.listdir("/proc") if name.isdigit()]
    return [int(pid) for pid in pids if stat_of(pid)[1:2] == [str(parent)]]


def members_of(sessions: Container[int]) -> list[int]:
    """The live processes of any of some sessions; a session outlives the process that began it."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    found = ((pid, stat_of(pid)) for pid in pids)
    return [
        pid for pid, stat in found if stat and stat[0] not in "ZX" and int(stat[3]) in sessions
    ]
