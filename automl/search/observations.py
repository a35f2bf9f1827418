"""What a study knows of its objective, as data for a model: one observation a training.

Whoever learns from trials reads them here, so that all of them agree on what counts:

==============  ===========================================================================
training        observation
==============  ===========================================================================
ended well      ``MEASURED``: the value that was recorded, without noise beyond its own
stopped early   ``STOPPED``: the prediction of its final value with its standard deviation,
                else its last value, which half the spread of the study is added to as noise
running,        ``OPEN``: the prediction where there is one, else no value (to be imagined);
queued, paused  a paused trial is one that has not ended
failed by its   ``FAILED``: no value, for a value is not what it says: it bounds where
settings, or    trainings are possible
refused
of an earlier   ``EARLIER``: what it was above or below the default of its own study, put on
study           top of this one's default; whoever hands it over makes it
==============  ===========================================================================

A confirmation is one more observation of the same parameters. What was superseded, what failed
through no fault of its settings, and what lies outside the search space is no observation.

``Predict`` is the one hook: a callable from a trial that has not run to its end to a
``Prediction`` of the value that it would end with, or None where it has none to offer.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.study import attributes
from automl.study.records import FailureClass
from automl.study.trials import by_number, values_of

__all__ = ["Kind", "Observation", "Predict", "Prediction", "at_level", "no_prediction", "observe"]

#: Noise of a stopped trial that nobody predicts, as a share of the spread of the values.
_STOPPED_NOISE = 0.5


class Kind(StrEnum):
    """What became of the training behind an observation."""

    MEASURED = "measured"
    STOPPED = "stopped"
    OPEN = "open"
    FAILED = "failed"
    EARLIER = "earlier"


@dataclass(frozen=True, slots=True)
class Prediction:
    """The final value that a training would end with, as far as it can be known.

    Attributes:
        mean: Expected value of the objective, in its own unit and direction; finite.
        sd: Standard deviation of the error; at least 0.
    """

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Observation:
    """One training as a model sees it.

    Attributes:
        params: The draws: Optuna's parameter name to value. Some may be missing where a setting
            depends on another one.
        value: Value of the objective in its own unit and direction, finite; None where there is
            none.
        sd: Standard deviation of the noise of ``value`` beyond that of any training, at least 0.
        kind: What became of it.
    """

    params: Mapping[str, Any]
    value: float | None
    sd: float
    kind: Kind


Predict: TypeAlias = Callable[[FrozenTrial], Prediction | None]


def no_prediction(trial: FrozenTrial) -> Prediction | None:
    """Never a prediction: stopped trials count with their last value."""
    del trial
    return None


def observe(
    trials: Sequence[FrozenTrial],
    metric: str = "",
    predict: Predict = no_prediction,
) -> tuple[Observation, ...]:
    """The observations of a study by logical number, in whatever order its trials were begun.

    Args:
        trials: The Optuna trials of the study, oldest first; those of no logical number count each
            by itself.
        metric: Whose inherited values count for a training that went on from a checkpoint.
        predict: What a trial that has not run to its end would end with.
    """
    spread = _spread(trials)
    return tuple(
        observation
        for trial in _standing(trials)
        if (observation := _observation(trial, metric, predict, spread)) is not None
    )


def at_level(
    earlier: Sequence[Observation], trials: Sequence[FrozenTrial]
) -> tuple[Observation, ...]:
    """Observations of earlier studies on top of this study's default.

    Args:
        earlier: Their values are differences from the default of their own study.
        trials: The Optuna trials of this study; before its default has ended that counts as 0.
    """
    defaults = (
        trial.value
        for trial in trials
        if trial.user_attrs.get(attributes.NUMBER) == 0
        and trial.state is OptunaState.COMPLETE
        and attributes.FAILURE not in trial.user_attrs
    )
    level = next((value for value in defaults if value is not None and math.isfinite(value)), 0.0)
    return tuple(replace(one, value=(one.value or 0.0) + level) for one in earlier)


def _standing(trials: Sequence[FrozenTrial]) -> Iterator[FrozenTrial]:
    """The trials that say where a configuration stands, refused proposals included, by number."""
    latest = {group[-1].number for group in by_number(trials).values()}
    for trial in sorted(trials, key=_place):
        attrs = trial.user_attrs
        is_latest = attributes.NUMBER not in attrs or trial.number in latest
        if (is_latest or attributes.REFUSED in attrs) and attributes.SUPERSEDED not in attrs:
            yield trial


def _place(trial: FrozenTrial) -> tuple[int, int]:
    return int(trial.user_attrs.get(attributes.NUMBER, trial.number)), trial.number


def _observation(
    trial: FrozenTrial, metric: str, predict: Predict, spread: float
) -> Observation | None:
    params = trial.params or trial.user_attrs.get(attributes.FIXED, {})
    if not params or trial.user_attrs.get(attributes.OUTSIDE):
        return None
    if _has_failed(trial):
        return Observation(params, None, 0.0, Kind.FAILED)
    match trial.state:
        case OptunaState.COMPLETE:
            return _measured(params, trial.value)
        case OptunaState.PRUNED:
            return _stopped(trial, metric, predict(trial), spread)
        case OptunaState.RUNNING | OptunaState.WAITING:
            return _predicted(params, predict(trial), Kind.OPEN)
        case _:
            return None


def _has_failed(trial: FrozenTrial) -> bool:
    """Whether its own settings ended it, or would have."""
    attrs = trial.user_attrs
    failure = attrs.get(attributes.FAILURE)
    has_failed = failure is not None and FailureClass(failure).is_configs_fault
    return trial.state.is_finished() and (has_failed or attributes.REFUSED in attrs)


def _measured(params: Mapping[str, Any], value: float | None) -> Observation | None:
    """A value that is not finite says that something is wrong with the training."""
    if value is None or not math.isfinite(value):
        return Observation(params, None, 0.0, Kind.FAILED)
    return Observation(params, value, 0.0, Kind.MEASURED)


def _stopped(
    trial: FrozenTrial, metric: str, prediction: Prediction | None, spread: float
) -> Observation | None:
    if prediction is None:
        values = values_of(trial, metric)
        if not values:
            return None
        prediction = Prediction(values[max(values)], _STOPPED_NOISE * spread)
    return _predicted(trial.params, prediction, Kind.STOPPED)


def _predicted(
    params: Mapping[str, Any], prediction: Prediction | None, kind: Kind
) -> Observation:
    if prediction is None:
        return Observation(params, None, 0.0, kind)
    return Observation(params, prediction.mean, prediction.sd, kind)


def _spread(trials: Sequence[FrozenTrial]) -> float:
    """Standard deviation of the values of the trainings that ended well; 0 for fewer than two."""
    values = [
        trial.value
        for trial in trials
        if trial.state is OptunaState.COMPLETE
        and trial.value is not None
        and math.isfinite(trial.value)
        and not {attributes.FAILURE, attributes.REFUSED} & trial.user_attrs.keys()
    ]
    return float(np.std(values)) if len(values) > 1 else 0.0
