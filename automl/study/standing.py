"""Where a study stands, told by its small records alone, and whether it repeats another one."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from automl.jsontext import read_json
from automl.study.clock import Clock, utc_now
from automl.study.layout import StudyPaths
from automl.study.lock import read_owner
from automl.study.state import StudyStatus, read_state

__all__ = ["Standing", "repeated_trial", "standing_of"]


class Standing(IntEnum):
    """Whether a study runs, could go on, or has ended; in the order in which one is meant."""

    RUNNING = 0
    UNFINISHED = 1
    ENDED = 2


def standing_of(paths: StudyPaths, clock: Clock = utc_now) -> Standing:
    """Whether somebody drives the study, or somebody could go on with it."""
    owner = read_owner(paths)
    if owner is not None and owner.is_alive(clock()):
        return Standing.RUNNING
    state = read_state(paths)
    if state is not None and state.status in (StudyStatus.FINISHED, StudyStatus.FAILED):
        return Standing.ENDED
    return Standing.UNFINISHED


def repeated_trial(paths: StudyPaths) -> str:
    """Which trial a study trains again, in words; empty for a study of its own.

    One that goes on from another's checkpoint is a study of its own.
    """
    try:
        parent = read_json(paths.provenance)["parent"]
        return "" if parent["made_by"] == "resume-from" else _words(parent)
    except (OSError, LookupError, TypeError, ValueError):
        return ""


def _words(parent: Mapping[str, Any]) -> str:
    word = "reproduces" if parent["made_by"] == "again" else "retrains"
    return f"{word} trial {parent['trial']} of {parent['study']}"
