"""Trainers that a dead driver left behind: waiting for their guards to end them, or doing it."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from automl.jsontext import read_json
from automl.processes import started_at
from automl.study.layout import AttemptPaths, StudyPaths

__all__ = ["end_leftover", "end_leftovers", "end_servers"]

_POLL_S = 0.05


def end_leftovers(paths: StudyPaths, timeout_s: float = 10.0) -> tuple[str, ...]:
    """Ends every trainer of a study that still runs; to be called before it is recovered.

    Only by the driver that holds the study's lock: the trainers it has started itself would be
    ended too.

    Returns:
        The attempts that still had a trainer, as ``0007/1``.
    """
    if not paths.trials.is_dir():
        return ()
    numbers = sorted(int(entry.name) for entry in paths.trials.iterdir() if entry.name.isdigit())
    attempts = [attempt for number in numbers for _, attempt in paths.attempts(number)]
    ended = [attempt.folder for attempt in attempts if end_leftover(attempt.pid, timeout_s)]
    end_servers(paths, timeout_s)
    return tuple(str(folder.relative_to(paths.trials)) for folder in ended)


def end_servers(paths: StudyPaths, timeout_s: float = 10.0) -> None:
    """Waits until no process is left that a worker of the study kept between trainings.

    Their guards end them once their workers are gone; what is left after the timeout is killed.
    """
    for pid_path in sorted(paths.trials.glob(f"*/*/{AttemptPaths(paths.trials).server.name}")):
        end_leftover(pid_path, timeout_s)


def end_leftover(pid_path: Path, timeout_s: float = 10.0) -> bool:
    """Ends a trainer whose driver died, if its guard has not done so yet.

    Args:
        pid_path: The pid file of the attempt.
        timeout_s: Seconds to wait for the guard before killing the trainer's group.

    Returns:
        Whether a trainer was still there.
    """
    try:
        ids = read_json(pid_path, finite=True, follow=False)
        trainer = int(ids["pid"]), str(ids["started"])
        guard = int(ids["guard"]), str(ids["guard_started"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    was_alive = _is_alive(*trainer)
    deadline = time.monotonic() + timeout_s
    while _is_alive(*guard) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    if _is_alive(*trainer):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(trainer[0], signal.SIGKILL)
    pid_path.unlink(missing_ok=True)
    return was_alive


def leftover_pid(pid_path: Path) -> int | None:
    """The process id of a trainer that still runs, by the pid file of its attempt; else None."""
    try:
        ids = read_json(pid_path, finite=True, follow=False)
        pid, started = int(ids["pid"]), str(ids["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if _is_alive(pid, started) else None


def _is_alive(pid: int, started: str) -> bool:
    return bool(started) and started_at(pid) == started
