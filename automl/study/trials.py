"""From the trials of an Optuna study to the study's own records."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import optuna
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.skill.tree import ParamValue
from automl.study import attributes
from automl.study.config import Objective
from automl.study.measured import excused_of, history_of, paused_of, reported
from automl.study.ranking import best_epoch, values_in
from automl.study.records import FailureClass, TrialRecord, TrialState

__all__ = [
    "by_number",
    "is_measurement",
    "is_refused",
    "n_refused",
    "params_of",
    "read_records",
    "record_of",
    "refused_params",
    "values_of",
    "worst_of",
]

_STATES: Mapping[OptunaState, TrialState] = {
    OptunaState.WAITING: TrialState.WAITING,
    OptunaState.RUNNING: TrialState.RUNNING,
    OptunaState.COMPLETE: TrialState.COMPLETE,
    OptunaState.PRUNED: TrialState.PRUNED,
    OptunaState.FAIL: TrialState.FAILED,
}


def read_records(study: optuna.Study, objective: Objective) -> tuple[TrialRecord, ...]:
    """The record of every logical trial, by number; the attempts of one are taken together."""
    grouped = by_number(study.get_trials(deepcopy=False))
    return tuple(record_of(grouped[number], objective) for number in sorted(grouped))


def by_number(trials: Sequence[FrozenTrial]) -> dict[int, list[FrozenTrial]]:
    """The Optuna trials of each logical number, oldest first; those without one are left out."""
    grouped: dict[int, list[FrozenTrial]] = defaultdict(list)
    for trial in trials:
        number = trial.user_attrs.get(attributes.NUMBER)
        if number is not None:
            grouped[int(number)].append(trial)
    return dict(grouped)


def record_of(trials: Sequence[FrozenTrial], objective: Objective) -> TrialRecord:
    """The record of one logical trial.

    The newest attempt says where the trial stands and which epochs count: those it measured and
    those it inherited. An epoch that an earlier attempt measured after its last checkpoint is not
    part of the training that goes on, and does not count.

    Args:
        trials: Every Optuna trial of one number, oldest first; at least one.
        objective: Which metric's values are looked at.
    """
    values = values_of(trials[-1], objective.metric)
    epoch = best_epoch(values, objective)
    best = None if epoch is None else values[epoch]
    return replace(_unmeasured(trials), values=values, best_epoch=epoch, best_value=best)


def _unmeasured(trials: Sequence[FrozenTrial]) -> TrialRecord:
    """The record without its values."""
    latest = trials[-1]
    attrs = latest.user_attrs
    failure = _failure(latest)
    return TrialRecord(
        number=int(attrs[attributes.NUMBER]),
        state=_state(latest, failure),
        params=params_of(latest),
        attempts=len({_attempt(trial) for trial in trials if _has_begun(trial)}),
        failure=failure,
        evidence=str(attrs.get(attributes.EVIDENCE, "")),
        checkpoint=attrs.get(attributes.CHECKPOINT, attrs.get(attributes.RESUME_FROM)),
        seconds=_total(trials, attributes.SECONDS),
        gpu_seconds=_total(trials, attributes.GPU_SECONDS),
        source=str(attrs.get(attributes.SOURCE, attributes.SOURCE_SAMPLER)),
        confirms=attrs.get(attributes.CONFIRMS),
        seed=attrs.get(attributes.SEED),
        inherited=history_of(latest),
        audited=str(attrs.get(attributes.AUDITED, "")),
        excused=_excused(trials),
    )


def _excused(trials: Sequence[FrozenTrial]) -> str:
    """The newest word on a rung that no longer counted for a trial."""
    said = (excused_of(trial) for trial in reversed(trials))
    return next(filter(None, said), "")


def params_of(trial: FrozenTrial) -> dict[str, ParamValue]:
    """Dotted key to value, as far as they are known."""
    return dict(trial.user_attrs.get(attributes.PARAMS, trial.params))


def is_refused(trial: FrozenTrial) -> bool:
    """Whether it is a proposal that was refused before it was started."""
    attrs = trial.user_attrs
    return attributes.REFUSED in attrs and attributes.SUPERSEDED not in attrs


def is_measurement(trial: FrozenTrial) -> bool:
    """Whether the value it ended with was measured, and does not stand for a failure."""
    return not {attributes.FAILURE, attributes.REFUSED} & trial.user_attrs.keys()


def refused_params(study: optuna.Study) -> tuple[dict[str, ParamValue], ...]:
    """The settings of the proposals that were refused, oldest first."""
    return tuple(params_of(t) for t in study.get_trials(deepcopy=False) if is_refused(t))


def n_refused(study: optuna.Study) -> int:
    """Proposals that were refused before they were started."""
    return sum(is_refused(trial) for trial in study.get_trials(deepcopy=False))


def values_of(trial: FrozenTrial, metric: str) -> dict[int, float]:
    """Objective value by epoch, in epoch order, inherited measurements included."""
    return dict(sorted((values_in(history_of(trial), metric) | reported(trial)).items()))


def worst_of(trials: Sequence[FrozenTrial], objective: Objective) -> float | None:
    """The worst value that any of these trials measured; None where none did."""
    values = (value for trial in trials for value in values_of(trial, objective.metric).values())
    return max(values, key=objective.loss, default=None)


def _state(trial: FrozenTrial, failure: FailureClass | None) -> TrialState:
    if failure is not None:
        return TrialState.FAILED
    if trial.state is OptunaState.RUNNING and paused_of(trial) is not None:
        return TrialState.PAUSED
    return _STATES[trial.state]


def _failure(trial: FrozenTrial) -> FailureClass | None:
    failure = trial.user_attrs.get(attributes.FAILURE)
    if failure is not None and trial.state.is_finished():
        return FailureClass(failure)
    # Only another program tells FAIL without a class and without a successor.
    return FailureClass.UNKNOWN if trial.state is OptunaState.FAIL else None


def _attempt(trial: FrozenTrial) -> int:
    return int(trial.user_attrs.get(attributes.ATTEMPT, 1))


def _has_begun(trial: FrozenTrial) -> bool:
    return trial.state is not OptunaState.WAITING and attributes.ASKED_AT in trial.user_attrs


def _total(trials: Sequence[FrozenTrial], name: str) -> float:
    return float(sum(trial.user_attrs.get(name, 0.0) for trial in trials))
