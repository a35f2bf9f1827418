"""What the page shows of one trial on its own: its curve, its settings, its log, its spec."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from automl.inside import read_file
from automl.reports import words
from automl.reports.derive import changes_of
from automl.reports.findings import Change
from automl.reports.log_tail import last_lines, without_secrets
from automl.reports.model import Summary, TrialReport
from automl.study.layout import StudyPaths
from automl.study.ranking import is_ranked
from automl.study.records import TrialState
from automl.visible import visible

__all__ = ["BUDGET", "TrialDetail", "details_of", "said_of_cut"]

BUDGET: Final = 1_000_000
"""Characters that the logs and specs of all trials may take on the page."""
_LOG_LINES, _MOST_OF_LOG = 20, 4_000
_MOST_OF_SPEC = 12_000


@dataclass(frozen=True, slots=True)
class TrialDetail:
    """One trial with the texts of its newest attempt.

    Attributes:
        trial: The trial.
        changes: In what it differs from trial 0.
        log: Path of its log relative to the study folder; empty if there is none.
        tail: The log's last lines, secrets hidden; empty where there is no room for them.
        spec: Path of its spec relative to the study folder; empty if it is gone.
        spec_text: The spec, secrets hidden; empty where there is no room for it.
        is_cut: Whether the page has no room for its texts.
    """

    trial: TrialReport
    changes: tuple[Change, ...]
    log: str = ""
    tail: str = ""
    spec: str = ""
    spec_text: str = ""
    is_cut: bool = False

    @property
    def where(self) -> str:
        """Why a link stands without its text; empty where the text stands there."""
        return "The page has no room for it; it is in " if self.is_cut else ""

    @property
    def number(self) -> int:
        """The trial's number."""
        return self.trial.number


def details_of(summary: Summary) -> dict[int, TrialDetail]:
    """Every trial by its number, as far as the page has room for its texts.

    Failures come first, then winner and default, then the best: where a long study leaves no
    room, the others have a link alone.
    """
    paths = StudyPaths(summary.folder)
    room = BUDGET
    found: dict[int, TrialDetail] = {}
    for trial in sorted(summary.trials, key=lambda each: _rank(each, summary)):
        detail = _linked(trial, summary, paths)
        whole = _with_texts(detail, summary) if room else detail
        spent = len(whole.tail) + len(whole.spec_text)
        if spent > room or not room:
            whole = replace(detail, is_cut=bool(detail.log or detail.spec))
            spent = room
        room -= spent
        found[trial.number] = whole
    return {trial.number: found[trial.number] for trial in summary.trials}


def said_of_cut(details: Collection[TrialDetail]) -> str:
    """Which logs and specs are left out; empty where all are on the page."""
    n = sum(detail.is_cut for detail in details)
    if not n:
        return ""
    return (
        f"The page has room for the last log lines and specs of {len(details) - n} of "
        f"{words.count(len(details), 'trial')}: failures first, then winner and default, then the "
        "best. Those of the others are in their folders."
    )


def _rank(trial: TrialReport, summary: Summary) -> tuple[bool, bool, float, int]:
    winner = -1 if summary.winner is None else summary.winner.number
    value, has_failed = trial.record.best_value, trial.record.state is TrialState.FAILED
    is_ordered = value is not None and is_ranked(trial.record)
    loss = summary.objective.loss(value) if value is not None and is_ordered else math.inf
    return not has_failed, trial.number not in (winner, 0), loss, trial.number


def _linked(trial: TrialReport, summary: Summary, paths: StudyPaths) -> TrialDetail:
    """A trial without its texts."""
    attempts = [attempt for _, attempt in paths.attempts(trial.number)]
    log = _newest([attempt.log for attempt in attempts])
    spec = _newest([attempt.spec for attempt in attempts])
    return TrialDetail(
        trial=trial,
        changes=changes_of(trial, summary.trials, summary.space),
        log="" if log is None else paths.relative(log),
        spec="" if spec is None else paths.relative(spec),
    )


def _with_texts(detail: TrialDetail, summary: Summary) -> TrialDetail:
    tail = _tail(summary.folder / detail.log) if detail.log else ""
    text = _text(summary.folder / detail.spec) if detail.spec else ""
    return replace(detail, tail=tail, spec_text=text)


def _newest(files: Sequence[Path]) -> Path | None:
    return next((file for file in reversed(files) if file.is_file()), None)


def _tail(log: Path) -> str:
    """The last lines that fit; none where the log cannot be read."""
    try:
        lines = last_lines(log, _LOG_LINES)
    except OSError:
        return ""
    return "\n".join(reversed(list(_fitting(lines))))


def _fitting(lines: Sequence[str]) -> Iterator[str]:
    """Lines from the last one on, as many as there is room for."""
    room = _MOST_OF_LOG
    for line in reversed(lines):
        shown = visible(line)[:500]
        room -= len(shown) + 1
        if room < 0:
            return
        yield shown


def _text(file: Path) -> str:
    try:
        with read_file(file) as opened:
            content = opened.read(_MOST_OF_SPEC + 1).decode(errors="replace")
    except OSError:
        return ""
    cut = content[:_MOST_OF_SPEC] + ("\n..." if len(content) > _MOST_OF_SPEC else "")
    return visible(without_secrets(cut))
