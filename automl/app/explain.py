"""Why a trial failed, what its class of failure means, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from automl.app.trial_names import TRIAL_NAMES, named_trial
from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.reports import words
from automl.reports.advice import ADVICE
from automl.reports.calling import study_command
from automl.reports.commands import training_of
from automl.reports.derive import setting
from automl.reports.findings import Change
from automl.reports.log_tail import last_lines
from automl.reports.model import Summary, TrialReport
from automl.space.model import SearchSpace
from automl.space.proposal import sampled
from automl.study.confirmation import searched
from automl.study.known_errors import LOGGED, OBSERVED, KnownError, fitting, known_error
from automl.study.layout import StudyPaths
from automl.study.records import FailureClass, TrialState

__all__ = ["ClassAccount", "TrialAccount", "explain_class", "explain_trial", "trial_number"]

_TAIL_LINES = 20


@dataclass(frozen=True, slots=True)
class TrialAccount:
    """Everything that helps a reader understand how one trial ended.

    Attributes:
        number: The trial.
        state: Where it stands.
        score: What it reached, in words; empty where it has no value.
        failure: Class of its failure; None if it did not fail.
        evidence: One line that shows why.
        known: Name of the known error that the evidence shows; empty if it shows none.
        cause: What happened, in words.
        hint: What to do about it.
        told: What the search makes of it.
        log: The log, relative to the study folder; empty if the trial wrote none.
        tail: Its last lines.
        nearest: The usable trial whose configuration is nearest; None if there is none.
        changes: In what this trial differs from that one: ``base`` is the usable trial's value.
        reproduce: A command that trains the same spec once more; empty if the spec is gone.
        retry: A command that trains the failed trials of its class again within the study; empty
            for a trial that did not fail.
    """

    number: int
    state: TrialState
    score: str
    failure: FailureClass | None
    evidence: str
    known: str
    cause: str
    hint: str
    told: str
    log: str
    tail: tuple[str, ...]
    nearest: int | None
    changes: tuple[Change, ...]
    reproduce: str
    retry: str = ""

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ClassAccount:
    """What one class of failure is, and which trials of a study it ended.

    Attributes:
        failure: The class.
        told: What the search makes of a trial that failed so.
        hint: What usually fixes it.
        known: The known errors of the class, each with its cause and fix.
        trials: Numbers of the trials that it ended, with their evidence.
    """

    failure: FailureClass
    told: str
    hint: str
    known: tuple[KnownError, ...]
    trials: Mapping[int, str]

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        known = [{"name": e.name, "cause": e.cause, "fix": e.fix} for e in self.known]
        return {
            "failure": str(self.failure),
            "told": self.told,
            "hint": self.hint,
            "known": known,
            "trials": [{"number": n, "evidence": text} for n, text in self.trials.items()],
        }


def explain_class(failure: FailureClass, summary: Summary | None) -> ClassAccount:
    """What a class of failure is; ``summary`` is the study to look for it in, if there is one."""
    trials = () if summary is None else summary.trials
    return ClassAccount(
        failure,
        _told(failure),
        ADVICE[failure],
        tuple(error for error in (*LOGGED, *OBSERVED) if error.failure is failure),
        {
            trial.number: trial.record.evidence
            for trial in trials
            if trial.record.state is TrialState.FAILED and trial.record.failure is failure
        },
    )


def trial_number(word: str, summary: Summary) -> int:
    """The trial that a word stands for, where the word may also be meant for a class.

    Raises:
        FixInput: There is no such trial.
    """
    number = named_trial(word, summary)
    if number is None:
        classes = [str(failure) for failure in FailureClass]
        raise FixInput(
            f"explain must be given a trial of {summary.name}, or one of {', '.join(classes)}",
            got=repr(word),
            where=str(summary.folder),
            fix=did_you_mean(word, (*classes, *TRIAL_NAMES)) or "automl status shows the trials",
        )
    return number


def explain_trial(summary: Summary, number: int) -> TrialAccount:
    """How one trial ended and why; works on any trial, failed or not.

    Args:
        summary: The study.
        number: A trial of it.
    """
    trial = summary.trial(number)
    if trial is None:
        raise ValueError(f"{summary.name} has no trial {number}")
    record, paths = trial.record, StudyPaths(summary.folder)
    attempts = [attempt for _, attempt in paths.attempts(number)]
    log = attempts[-1].log if attempts and attempts[-1].log.is_file() else None
    spec = attempts[-1].spec if attempts and attempts[-1].spec.is_file() else None
    tail = last_lines(log, _TAIL_LINES) if log else ()
    known = None if record.failure is None else _known(record.failure, record.evidence, tail)
    near = nearest_usable(trial, summary.trials, summary.space)
    name = f"{summary.name}-trial-{number}"
    return TrialAccount(
        number=number,
        state=record.state,
        score=_score(trial, summary),
        failure=record.failure,
        evidence=record.evidence,
        known=known.name if known else "",
        cause=known.cause if known else "",
        hint=_hint(record.failure, known),
        told=_told(record.failure) if record.failure else _PAUSED.get(record.state, ""),
        log=paths.relative(log) if log else "",
        tail=tail,
        nearest=None if near is None else near.number,
        changes=() if near is None else _changes(near, trial, summary.param_keys),
        reproduce=training_of(summary.config, spec, name, summary.folder.parent) if spec else "",
        retry=_retry(record.failure, summary) if record.state is TrialState.FAILED else "",
    )


def _retry(failure: FailureClass | None, summary: Summary) -> str:
    """The command that trains the trials of a class again within their study."""
    more = ("--retry-failed", str(failure)) if failure else ("--retry-failed",)
    return study_command("resume", summary.folder, more=more)


def _score(trial: TrialReport, summary: Summary) -> str:
    """The objective at the trial's best epoch, and its place among the usable trials."""
    record, objective = trial.record, summary.objective
    if record.best_value is None or record.best_epoch is None:
        return ""
    said = f"{objective.metric} {words.value(record.best_value)} at epoch {record.best_epoch}"
    usable = searched([each.record for each in summary.trials if each.record.is_usable])
    if record not in usable:
        return said
    losses = [objective.loss(each.best_value) for each in usable if each.best_value is not None]
    place = 1 + sum(loss < objective.loss(record.best_value) for loss in losses)
    return f"{said}, place {place} of the {len(losses)} usable trials"


def nearest_usable(
    trial: TrialReport, others: Sequence[TrialReport], space: SearchSpace
) -> TrialReport | None:
    """The usable trial whose parameters are nearest; the earlier of equals, None if none is."""
    usable = [other for other in others if other.record.is_usable and other.number != trial.number]
    return min(usable, key=lambda other: distance(trial, other, space), default=None)


def distance(one: TrialReport, other: TrialReport, space: SearchSpace) -> float:
    """How far two trials are apart: over each parameter the share of its range, else 0 or 1."""
    total = 0.0
    for parameter in sampled(space):
        a = setting(one.record.params, parameter.key)
        b = setting(other.record.params, parameter.key)
        here, there = map(parameter.distribution.position, (a, b))
        if here is None or there is None:
            total += float(a != b)
        else:
            total += abs(here - there)
    return total


def _changes(base: TrialReport, trial: TrialReport, keys: Sequence[str]) -> tuple[Change, ...]:
    was, now = base.record.params, trial.record.params
    return tuple(
        Change(key, was.get(key), now.get(key)) for key in keys if was.get(key) != now.get(key)
    )


def _known(failure: FailureClass, evidence: str, tail: Sequence[str]) -> KnownError | None:
    """The known error in the evidence; of an unexplained end, in any of the log's last lines."""
    found = known_error(failure, evidence)
    if found is None and failure is FailureClass.UNKNOWN:
        found = next((e for e in (fitting(line, LOGGED) for line in reversed(tail)) if e), None)
    return found


def _hint(failure: FailureClass | None, known: KnownError | None) -> str:
    if known is not None:
        return known.fix
    return "" if failure is None else ADVICE[failure]


_PAUSED = {
    TrialState.PAUSED: "it may go on from its checkpoint: the search decides that by the others",
}


def _told(failure: FailureClass) -> str:
    if failure.is_configs_fault:
        return "counted as the configuration's fault: the search is told the worst score"
    return "not the configuration's fault: the search learns nothing from it"
