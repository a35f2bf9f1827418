"""What follows from the trials of a study: incumbents, winner, failures, cost.

Pure functions of trial reports. Only usable trials are ranked: the value of a pruned trial belongs
to an earlier epoch and is never compared with that of a finished one.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeGuard

from automl.reports.advice import ADVICE
from automl.reports.confirmation import Confirmed, confirmed
from automl.reports.findings import (
    NOT_BEATEN,
    ONE_SEED,
    UNCHALLENGED,
    Change,
    Cost,
    EdgeHint,
    FailureGroup,
    IncumbentPoint,
    Winner,
)
from automl.reports.model import TrialReport
from automl.reports.weighed import weighed_of
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.space.proposal import sampled
from automl.study.clock import moment_of
from automl.study.config import Objective, StudyConfig
from automl.study.known_errors import known_error
from automl.study.race import winner
from automl.study.ranking import better, is_ranked
from automl.study.records import FailureClass, Outcome, TrialRecord, TrialState

__all__ = [
    "changes_of",
    "cost_of",
    "count_states",
    "edge_hints",
    "group_failures",
    "incumbents_of",
    "is_number",
    "moment",
    "setting",
    "winner_of",
]

_NEAR_EDGE = 0.05


def count_states(trials: Sequence[TrialReport]) -> dict[TrialState, int]:
    """How many trials are in each state, in the states' own order, empty states left out."""
    counts = Counter(trial.record.state for trial in trials)
    return {state: counts[state] for state in TrialState if counts[state]}


def winner_of(
    trials: Sequence[TrialReport], space: SearchSpace, config: StudyConfig
) -> Winner | None:
    """The winner against trial 0, without the paths; None if no trial is usable."""
    records = [trial.record for trial in trials]
    record = winner(records, config)
    if record is None or record.best_value is None:
        return None
    best = next(trial for trial in trials if trial.record is record)
    first = next((t for t in trials if t.number == 0 and t.record.is_usable), None)
    baseline = None if first is None else first.record.best_value
    value = record.best_value
    confirmed_by = confirmed(records, best.number, config)
    return Winner(
        number=best.number,
        value=value,
        epoch=best.record.best_epoch,
        last_value=best.last_value,
        baseline=baseline,
        difference=None if baseline is None else value - baseline,
        note=_note(records, best.number, confirmed_by),
        changes=changes_of(best, trials, space),
        checkpoint=best.record.checkpoint or "",
        confirmed=confirmed_by,
        weighed=weighed_of(records, best.number, config.objective),
    )


def _note(records: Sequence[TrialRecord], number: int, confirmed_by: Confirmed | None) -> str:
    """What keeps a reader from taking the winner's value for more than it is."""
    if number == 0:
        is_challenged = sum(map(is_ranked, records)) > 1
        return NOT_BEATEN if is_challenged else UNCHALLENGED
    if confirmed_by is not None:
        return confirmed_by.finding
    if not any(record.number == 0 and record.is_usable for record in records):
        return "trial 0 has no value to compare with"
    return ONE_SEED


def changes_of(
    best: TrialReport, trials: Sequence[TrialReport], space: SearchSpace
) -> tuple[Change, ...]:
    """In what a trial differs from trial 0, in the order of the space."""
    first = next((trial for trial in trials if trial.number == 0), None)
    base: dict[str, ParamValue] = {p.key: p.default for p in space.parameters}
    if first is not None:
        base |= first.record.params
    params = best.record.params
    keys = [key for key in space.keys if key in params]
    keys += sorted(set(params) - set(keys))
    return tuple(
        Change(key, base.get(key), params[key]) for key in keys if base.get(key) != params[key]
    )


def incumbents_of(
    trials: Sequence[TrialReport], objective: Objective
) -> tuple[IncumbentPoint, ...]:
    """Each usable trial in the order in which they ended, with the best value by then."""
    ended = [trial for trial in trials if trial.record.state.is_finished]
    ended.sort(key=lambda trial: (trial.ended_at, trial.number))
    points: list[IncumbentPoint] = []
    best: float | None = None
    spent_s = 0.0
    for trial in ended:
        spent_s += trial.record.seconds
        value = trial.record.best_value
        if value is not None and is_ranked(trial.record):
            best = better(value, best, objective)
            points.append(IncumbentPoint(trial.number, value, best, spent_s))
    return tuple(points)


def group_failures(trials: Sequence[TrialReport]) -> tuple[FailureGroup, ...]:
    """The failed trials by class, the class that cost most time first."""
    by_class: dict[FailureClass, list[TrialReport]] = defaultdict(list)
    for trial in trials:
        if trial.record.state is TrialState.FAILED:
            by_class[trial.record.failure or FailureClass.UNKNOWN].append(trial)
    groups = [_group(failure, members) for failure, members in by_class.items()]
    return tuple(sorted(groups, key=lambda group: (-group.seconds, -len(group.numbers))))


def _group(failure: FailureClass, members: Sequence[TrialReport]) -> FailureGroup:
    example = next((t.record.evidence for t in members if t.record.evidence), "")
    known = known_error(failure, example)
    return FailureGroup(
        failure=failure,
        numbers=tuple(trial.number for trial in members),
        seconds=sum(trial.record.seconds for trial in members),
        gpu_seconds=sum(trial.record.gpu_seconds for trial in members),
        example=example,
        advice=ADVICE[failure] if known is None else known.fix,
        cause="" if known is None else known.cause,
    )


def cost_of(trials: Sequence[TrialReport]) -> Cost:
    """Training and GPU time over all attempts, in total and by the trials' states."""
    seconds: dict[TrialState, float] = defaultdict(float)
    gpu_seconds: dict[TrialState, float] = defaultdict(float)
    for trial in trials:
        seconds[trial.record.state] += trial.record.seconds
        gpu_seconds[trial.record.state] += trial.record.gpu_seconds
    covered = _covered([outcome for trial in trials for outcome in trial.attempts])
    return Cost(
        wall_s=covered,
        busy_s=covered,
        seconds=sum(seconds.values()),
        gpu_seconds=sum(gpu_seconds.values()),
        seconds_by_state=dict(seconds),
        gpu_seconds_by_state=dict(gpu_seconds),
    )


def moment(text: str) -> datetime | None:
    """The moment an ISO 8601 text names, or None if it names none."""
    try:
        return moment_of(text)
    except ValueError:
        return None


def _covered(attempts: Sequence[Outcome]) -> float:
    """Seconds covered by at least one attempt; one without both moments adds nothing."""
    pairs = [(moment(outcome.started_at), moment(outcome.ended_at)) for outcome in attempts]
    known = sorted((start, end) for start, end in pairs if start is not None and end is not None)
    covered = 0.0
    reached: datetime | None = None
    for start, end in known:
        begin = start if reached is None else max(start, reached)
        covered += max(0.0, (end - begin).total_seconds())
        reached = end if reached is None else max(reached, end)
    return covered


def setting(params: Mapping[str, ParamValue], key: str) -> ParamValue:
    """The value of a dimension; ``a.b[1]`` is an element of the list ``a.b``; None if absent."""
    if key in params:
        return params[key]
    name, _, index = key.removesuffix("]").rpartition("[")
    whole = params.get(name)
    if not isinstance(whole, list) or not index.isdigit() or int(index) >= len(whole):
        return None
    element: ParamValue = whole[int(index)]
    return element


def is_number(value: object) -> TypeGuard[float]:
    """Whether it can stand on a numeric axis; true and false cannot."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def edge_hints(params: Mapping[str, ParamValue], space: SearchSpace) -> tuple[EdgeHint, ...]:
    """The ranges at whose ends the given parameters lie."""
    hints = (_edge(axis, setting(params, axis.key)) for axis in sampled(space))
    return tuple(hint for hint in hints if hint is not None)


def _edge(parameter: Parameter, value: ParamValue) -> EdgeHint | None:
    place = parameter.distribution.position(value)
    if place is None or not is_number(value) or _NEAR_EDGE < place < 1 - _NEAR_EDGE:
        return None
    side, bound = ("low", parameter.ends[0]) if place <= 0.5 else ("high", parameter.ends[1])
    return EdgeHint(parameter.key, side, float(bound), float(value))
