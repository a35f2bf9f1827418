"""What the trials of a study have shown by an epoch, as scores that compare.

A signal is the objective so far, or another metric that the study may be judged by. Each trial
gets a normal score of its rank among the trials that it compares with: positive is better than
their median, and 0 says nothing.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.search.ranks import Array, IntArray, normal_scores
from automl.search.trial_views import TrialView
from automl.skill.signals import ANY_OTHER, TRAINING_LOSS, Signal
from automl.study.config import Direction, StudyConfig

_UNKNOWN: Any = object()

__all__ = ["BestShown", "Scored", "best_shown", "reached", "score", "signals_of", "variants"]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One signal at one epoch; every array has the shape (trials,), by trial number.

    Attributes:
        metric: Its name.
        values: As reported; NaN of trials without one.
        merits: The same turned so that more is better.
        scores: Normal scores; 0 of trials without a value.
        is_split: Whether it ranks only within groups of trials.
        is_trusted: Whether it counts before this study has shown that it ranks.
    """

    metric: str
    values: Array
    merits: Array
    scores: Array
    is_split: bool = False
    is_trusted: bool = True

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Which trials have a value."""
        return ~np.isnan(self.merits)

    @property
    def energy(self) -> float:
        """Mean square of the scores: how much it tells the trials apart, from 0 to about 1."""
        n = int(self.is_known.sum())
        return float(self.scores @ self.scores) / n if n else 0.0


@dataclass(frozen=True, slots=True)
class BestShown:
    """What one trial has shown of one signal by an epoch.

    Attributes:
        merit: The best value turned so that more is better; NaN without any.
        value: The same as it was reported.
        group: What the trial has in common with those that it compares with.
    """

    merit: float = math.nan
    value: float = math.nan
    group: tuple[tuple[str, str], ...] = ()


def signals_of(config: StudyConfig) -> tuple[Signal, ...]:
    """The objective, and each further signal that a study may be judged by."""
    objective = config.objective
    better = "higher" if objective.direction is Direction.MAXIMIZE else "lower"
    declared = config.search.signals or (TRAINING_LOSS,)
    others = (one for one in declared if one.metric != objective.metric)
    return Signal(objective.metric, better), *others


def best_shown(trial: TrialView, signal: Signal, rung: int, config: StudyConfig) -> BestShown:
    """What a trial has shown of a signal in its first ``rung`` epochs, at its best one.

    The best value of a noisy metric ranks better than its last one, as that of the objective does,
    which counts in the end.
    """
    best = _best(trial, signal, rung)
    group = _group(trial, signal, config) if signal.within else ()
    return BestShown(*(best or (math.nan, math.nan)), group)


def reached(trial: TrialView, rung: int) -> bool:
    """Whether a trial has been measured after so many epochs."""
    return trial.epoch + 1 >= rung


def score(metric: str, merits: Array, values: Array) -> Scored:
    """Scores by rank of all trials together.

    Args:
        metric: The signal's name.
        merits: What is ranked, more is better, by trial number; NaN of none.
        values: The value as it was reported, by trial number.
    """
    is_known = ~np.isnan(merits)
    return Scored(metric, values, merits, _spread_out(normal_scores(merits[is_known]), is_known))


def variants(
    signal: Signal, merits: Array, values: Array, groups: IntArray
) -> tuple[Scored, Scored]:
    """A signal twice: within what it compares in, and across all trials.

    Args:
        signal: Which one.
        merits: What is ranked, more is better, by trial number; NaN of none.
        values: The value as it was reported, by trial number.
        groups: What a trial has in common with those that it compares with, by trial number.
    """
    is_known = ~np.isnan(merits)
    known, among = merits[is_known], groups[is_known]
    order = known.argsort()
    scores = _spread_out(normal_scores(known, None, order), is_known)
    # What is silent at first is measured on the few easiest cases after.
    is_trusted = signal.silent is None
    across = Scored(signal.metric, values, merits, scores, is_trusted=is_trusted)
    if not signal.within or not (among != among[:1]).any():
        return across, across
    scores = _spread_out(normal_scores(known, among, order), is_known)
    within = replace(across, scores=scores, is_split=True)
    return within, replace(across, is_trusted=False)


def _spread_out(scores: Array, is_known: NDArray[np.bool_]) -> Array:
    """The scores of the trials that have a value, by trial number; 0 of the others."""
    found = np.zeros(len(is_known))
    found[is_known] = scores
    return found


def _best(trial: TrialView, signal: Signal, rung: int) -> tuple[float, float] | None:
    """The best merit within the first epochs, and its value; None without any."""
    known: tuple[float, float] | None = trial.worked_out.get((signal, rung), _UNKNOWN)
    if known is not _UNKNOWN:
        return known
    best: tuple[float, float] | None = None
    for entry in trial.measured:
        value = entry.metrics.get(signal.metric) if entry.epoch < rung else None
        merit = None if value is None else signal.merit(value)
        if value is not None and merit is not None and (best is None or merit > best[0]):
            best = merit, value
    trial.worked_out[signal, rung] = best
    return best


def _group(trial: TrialView, signal: Signal, config: StudyConfig) -> tuple[tuple[str, str], ...]:
    """The values of a trial's settings that change what a signal means."""
    key = (signal, config.keys.optimizer, tuple(config.keys.milestones))
    found: tuple[tuple[str, str], ...] | None = trial.worked_out.get(key)
    if found is None:
        params = trial.record.params
        split = (name for name in sorted(params) if _splits(name, signal, config))
        found = trial.worked_out[key] = tuple((name, repr(params[name])) for name in split)
    return found


def _splits(key: str, signal: Signal, config: StudyConfig) -> bool:
    if ANY_OTHER in signal.within:
        optimizer, milestones = config.keys.optimizer, config.keys.milestones
        is_optimizers = bool(optimizer) and key.startswith(optimizer)
        return not is_optimizers and key not in milestones
    return any(key == one or key.startswith(f"{one}.") for one in signal.within)
