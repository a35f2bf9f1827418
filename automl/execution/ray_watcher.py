"""The small program that ends Ray's processes with their driver, however that dies.

Ray's agents notice the death of their node after a minute; this notices at once. It is started by
path, needs the standard library only, and is told on its standard input, a line each, which
sessions are Ray's and which folder is theirs alone::

    session PID
    folder PATH

When its input ends, in order or because the driver is gone, it kills what is left in those
sessions and deletes the folders. Trainers are none of its business: their guards have sessions of
their own.
"""

import os
import shutil
import signal
import sys
import time

if not __package__:
    # Started by path, without site-packages: the package is found beside this file.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120

from automl.processes import members_of, started_at

POLL_S = 0.05
SWEEP_S = 10.0


def sweep(sessions: dict[int, str]) -> None:
    """Kills every process of the sessions, and returns when none is left or the kernel holds one.

    Args:
        sessions: The process that began each, and its start: an id may have been given again.
    """
    deadline = time.monotonic() + SWEEP_S
    while time.monotonic() < deadline:
        ours = {pid for pid, started in sessions.items() if started_at(pid) in ("", started)}
        left = members_of(ours)
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(POLL_S)


def main() -> None:
    """Listens until the driver is gone, then sweeps."""
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    sessions: dict[int, str] = {}
    folders: list[str] = []
    for line in sys.stdin:
        word, _, value = line.rstrip("\n").partition(" ")
        if word == "session":
            sessions[int(value)] = started_at(value)
        elif word == "folder":
            folders.append(value)
    sweep(sessions)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
