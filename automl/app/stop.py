"""Asking a study that another process drives to stop."""

import socket
import time
from dataclasses import dataclass
from enum import Enum, auto

from automl.files import write_text
from automl.study.clock import utc_now
from automl.study.layout import StudyPaths
from automl.study.lock import Owner, read_owner

__all__ = ["StopAnswer", "StopEffect", "ask_to_stop"]

_POLL_S = 0.1


class StopEffect(Enum):
    """What became of the request while it was waited for."""

    NOT_DRIVEN = auto()
    HEARD = auto()
    ENDED = auto()
    SILENT = auto()


@dataclass(frozen=True, slots=True)
class StopAnswer:
    """A request and its answer.

    Attributes:
        answer: What became of it.
        driver: Who was asked, in words; empty where nobody drives the study.
    """

    answer: StopEffect
    driver: str = ""


def ask_to_stop(paths: StudyPaths, *, now: bool, within_s: float, reason: str = "") -> StopAnswer:
    """Asks, and waits for an answer.

    Args:
        paths: The study.
        now: Whether the running trials are to end too, their checkpoints kept.
        within_s: Seconds to wait: for the end of the driver if ``now``, else until it has heard.
        reason: What the study's record will say of its end; empty for a plain stop.
    """
    owner = read_owner(paths)
    if owner is None or not owner.is_alive(utc_now()):
        return StopAnswer(StopEffect.NOT_DRIVEN)
    asked = paths.stop if now else paths.stop_gently
    write_text(asked, reason)
    who = owner.described(utc_now())
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not _drives(paths, owner):
            paths.stop_gently.unlink(missing_ok=True)
            while now and _is_leaving(owner) and time.monotonic() < deadline:
                time.sleep(_POLL_S)
            return StopAnswer(StopEffect.ENDED, who)
        if not now and not asked.exists():
            return StopAnswer(StopEffect.HEARD, who)
        time.sleep(_POLL_S)
    return StopAnswer(StopEffect.SILENT, who)


def _drives(paths: StudyPaths, owner: Owner) -> bool:
    current = read_owner(paths)
    return current is not None and current.pid == owner.pid and current.is_alive(utc_now())


def _is_leaving(owner: Owner) -> bool:
    """Whether a driver of this machine that gave its study back has not ended yet."""
    return owner.host == socket.gethostname() and owner.is_alive(utc_now())
