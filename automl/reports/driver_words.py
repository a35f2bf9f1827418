"""Who drives a study, or how that ended, in one line."""

from datetime import datetime

from automl.reports import words
from automl.study.clock import moment_of
from automl.study.lock import Owner
from automl.study.state import StudyState, StudyStatus

__all__ = ["driver_words"]


def driver_words(name: str, state: StudyState | None, owner: Owner | None, now: datetime) -> str:
    """Who drives it, or how that ended.

    Args:
        name: The study.
        state: What its driver wrote last; None if it wrote nothing.
        owner: Who holds it, or died holding it; None if nobody.
        now: The time of day.
    """
    if owner is not None and owner.is_alive(now):
        return owner.described(now)
    if state is not None and state.status is not StudyStatus.RUNNING:
        since = words.duration(state.age_s(now))
        return f"{state.status} {since} ago" + (f": {state.reason}" if state.reason else "")
    if owner is not None:
        gone = words.duration((now - moment_of(owner.heartbeat_at)).total_seconds())
        where = f"pid {owner.pid} on {owner.host}"
        return f"none is alive: {where} was last seen {gone} ago; automl resume {name} goes on"
    return "none"
