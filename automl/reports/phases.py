"""What an attempt did in its time: its start, training, validation, and its end.

Where an epoch ends is in the attempt's measurements. How much of it was validation is said by this
package's own trainer in its log (``epoch 3: ..., 1.7 s, ..., validation 0.60 s``); of another one
training and validation are told as one phase.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

from automl.inside import read_file
from automl.jsontext import read_json
from automl.reports.model import Summary, TrialReport
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.records import Measurement, Outcome

__all__ = [
    "MOST_ATTEMPTS",
    "ByAttempt",
    "PhaseName",
    "PhaseSpan",
    "Phases",
    "as_blocks",
    "phases_of",
    "totals_of",
]

#: Attempts of a study beyond which no log is read for its phases.
MOST_ATTEMPTS: Final = 500
_MOST_BYTES: Final = 4 << 20
_EPOCH = re.compile(
    rb"^epoch (\d{1,7}): [^\n]*?, (\d+\.\d+) s(?:, [\d.]+ images/s)?"
    rb"(?:, validation (\d+\.\d+) s)?$",
    re.MULTILINE,
)


class PhaseName(StrEnum):
    """What an attempt is doing."""

    START = "start"
    TRAINING = "training"
    VALIDATION = "validation"
    END = "end"


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """One phase of an attempt.

    Attributes:
        name: Which one.
        begin_s: Seconds after the attempt's start.
        length_s: Seconds.
    """

    name: PhaseName
    begin_s: float
    length_s: float


@dataclass(frozen=True, slots=True)
class Phases:
    """The phases of one attempt, and where it ran.

    Attributes:
        parts: In order, without gaps; all of the attempt's time.
        gpus: The GPUs that it held, by index or by UUID; empty where nobody noted them.
    """

    parts: tuple[PhaseSpan, ...]
    gpus: tuple[str, ...] = ()


ByAttempt = Mapping[tuple[int, int], Phases]


def phases_of(summary: Summary) -> ByAttempt:
    """The phases of every attempt that has ended, by trial and attempt.

    Empty for a study of more than ``MOST_ATTEMPTS`` attempts: nobody could tell them apart.
    """
    if sum(len(trial.attempts) for trial in summary.trials) > MOST_ATTEMPTS:
        return {}
    paths = StudyPaths(summary.folder)
    return {
        (trial.number, outcome.attempt): _phases(
            paths.attempt(trial.number, outcome.attempt), outcome, own
        )
        for trial in summary.trials
        for outcome, own in _own(trial)
    }


def as_blocks(parts: Sequence[PhaseSpan], least_s: float) -> Sequence[PhaseSpan]:
    """The phases of an attempt, those of one kind as one block where most are shorter than that.

    Args:
        parts: The phases.
        least_s: Seconds that can be told apart.
    """
    if not parts or median(part.length_s for part in parts) >= least_s:
        return parts
    blocks: list[PhaseSpan] = []
    at = 0.0
    for name in PhaseName:
        length = sum(part.length_s for part in parts if part.name is name)
        if length > 0.0:
            blocks.append(PhaseSpan(name, at, length))
            at += length
    return blocks


def totals_of(phases: ByAttempt) -> dict[PhaseName, float]:
    """Seconds of all attempts by phase, those that took none left out."""
    found = dict.fromkeys(PhaseName, 0.0)
    for each in phases.values():
        for part in each.parts:
            found[part.name] += part.length_s
    return {name: seconds for name, seconds in found.items() if seconds > 0.0}


def _own(trial: TrialReport) -> Iterator[tuple[Outcome, list[Measurement]]]:
    """Each attempt with what it measured itself, timed from its own start."""
    known: list[Measurement] = []
    for outcome in trial.attempts:
        before = max((m.elapsed_s for m in outcome.measurements if m in known), default=0.0)
        own = [m for m in outcome.measurements if m not in known]
        yield outcome, [Measurement(m.epoch, {}, m.elapsed_s - before) for m in own]
        known += own


def _phases(attempt: AttemptPaths, outcome: Outcome, measured: Sequence[Measurement]) -> Phases:
    gpus = _gpus(attempt)
    if not measured:
        return Phases((PhaseSpan(PhaseName.START, 0.0, outcome.seconds),), gpus)
    timed = _timed(attempt.log)
    parts: list[PhaseSpan] = []
    at = max(0.0, measured[0].elapsed_s - _first_epochs(measured, timed))
    _add(parts, PhaseName.START, 0.0, at)
    for each in measured:
        validation = timed.get(each.epoch, (0.0, 0.0))[1]
        begins = max(at, each.elapsed_s - validation)
        _add(parts, PhaseName.TRAINING, at, begins)
        _add(parts, PhaseName.VALIDATION, begins, each.elapsed_s)
        at = max(at, each.elapsed_s)
    _add(parts, PhaseName.END, at, outcome.seconds)
    return Phases(tuple(parts), gpus)


def _add(parts: list[PhaseSpan], name: PhaseName, begin_s: float, end_s: float) -> None:
    """Adds a phase; one that goes on is made longer."""
    if end_s <= begin_s:
        return
    if parts and parts[-1].name is name:
        begin_s = parts.pop().begin_s
    parts.append(PhaseSpan(name, begin_s, end_s - begin_s))


def _first_epochs(
    measured: Sequence[Measurement], timed: Mapping[int, tuple[float, float]]
) -> float:
    """Seconds from the beginning of the first epoch to the first measurement.

    Without a word of the trainer an epoch takes as long as the others do; a single one is taken
    to be the whole training.
    """
    first = measured[0]
    said = [seconds for epoch, (seconds, _) in timed.items() if epoch <= first.epoch]
    if said:
        return sum(said)
    if len(measured) == 1:
        return first.elapsed_s
    return median((b.elapsed_s - a.elapsed_s) / (b.epoch - a.epoch) for a, b in pairwise(measured))


def _timed(log: Path) -> dict[int, tuple[float, float]]:
    """Seconds of each epoch with its validation, and of that alone, as the log says."""
    try:
        with read_file(log) as file:
            text = file.read(_MOST_BYTES)
    except OSError:
        return {}
    return {
        int(epoch): (float(seconds), float(validation or 0.0))
        for epoch, seconds, validation in _EPOCH.findall(text)
    }


def _gpus(attempt: AttemptPaths) -> tuple[str, ...]:
    try:
        return tuple(map(str, read_json(attempt.gpus, follow=False)["gpus"]))
    except (OSError, ValueError, KeyError, TypeError):
        return ()
