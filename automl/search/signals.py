"""What the trials of a study have shown by an epoch, as scores that compare.

A signal is the objective so far, or another metric that the study may be judged by. Each trial
gets a normal score of its rank among the trials that it compares with: positive is better than
their median, and 0 says nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from automl.search.method import SearchView, TrialView
from automl.search.ranks import normal_scores
from automl.skill.signals import ANY_OTHER, TRAINING_LOSS, Signal
from automl.study.config import Direction, Objective, StudyConfig
from automl.study.records import TrialState

_UNKNOWN: Any = object()

__all__ = ["Scored", "cohort", "objective_so_far", "other_signals", "reached", "score"]


@dataclass(frozen=True, slots=True)
class Scored:
    """One signal at one epoch.

    Attributes:
        metric: Its name.
        values: Trial to value, of those that have one.
        merits: Trial to the same turned so that more is better.
        scores: Trial to normal score, of the same ones.
        is_split: Whether it ranks only within groups of trials.
        is_trusted: Whether it counts before this study has shown that it ranks.
    """

    metric: str
    values: Mapping[int, float]
    merits: Mapping[int, float]
    scores: Mapping[int, float]
    is_split: bool = False
    is_trusted: bool = True

    @property
    def energy(self) -> float:
        """Mean square of the scores: how much it tells the trials apart, from 0 to about 1."""
        return sum(s * s for s in self.scores.values()) / len(self.scores) if self.scores else 0.0


def reached(trial: TrialView, rung: int) -> bool:
    """Whether a trial has been measured after so many epochs."""
    return trial.epoch + 1 >= rung


def cohort(view: SearchView, rung: int) -> list[TrialView]:
    """The trials of the search that have trained for so many epochs and did not fail."""
    return [
        trial
        for trial in view.searched()
        if reached(trial, rung) and trial.record.state is not TrialState.FAILED
    ]


def score(
    metric: str,
    merits: Mapping[int, float],
    values: Mapping[int, float],
    groups: Mapping[int, object] | None = None,
) -> Scored:
    """Scores by rank, of all trials together or of each group by itself.

    Args:
        metric: The signal's name.
        merits: Trial to what is ranked, more is better.
        values: Trial to the value as it was reported.
        groups: Trial to what it has in common with those that it compares with.
    """
    members: dict[object, list[int]] = defaultdict(list)
    for number in merits:
        members[None if groups is None else groups[number]].append(number)
    scores: dict[int, float] = {}
    for numbers in members.values():
        scores |= zip(numbers, normal_scores([merits[n] for n in numbers]), strict=True)
    return Scored(metric, values, merits, scores, is_split=len(members) > 1)


def objective_so_far(trials: Sequence[TrialView], rung: int, objective: Objective) -> Scored:
    """The best objective value of each trial within its first epochs."""
    better = "higher" if objective.direction is Direction.MAXIMIZE else "lower"
    merits, values = _best_so_far(Signal(objective.metric, better), trials, rung)
    return score(objective.metric, merits, values)


def other_signals(
    trials: Sequence[TrialView], rung: int, config: StudyConfig
) -> list[tuple[Scored, Scored]]:
    """Each further signal twice: within what it compares in, and across all trials."""
    declared = config.search.signals or (TRAINING_LOSS,)
    known = (one for one in declared if one.metric != config.objective.metric)
    return [_signal(signal, trials, rung, config) for signal in known]


def _signal(
    signal: Signal, trials: Sequence[TrialView], rung: int, config: StudyConfig
) -> tuple[Scored, Scored]:
    merits, values = _best_so_far(signal, trials, rung)
    groups = {trial.number: _group(trial, signal, config) for trial in trials}
    across = score(signal.metric, merits, values)
    within = score(signal.metric, merits, values, groups)
    # What is silent at first is measured on the few easiest cases after.
    within = replace(within, is_trusted=signal.silent is None)
    return within, replace(across, is_trusted=within.is_trusted and not within.is_split)


def _best_so_far(
    signal: Signal, trials: Sequence[TrialView], rung: int
) -> tuple[dict[int, float], dict[int, float]]:
    """Merit and value of each trial at its best epoch, of its first ``rung`` epochs.

    The best value of a noisy metric ranks better than its last one, as that of the objective does,
    which counts in the end.
    """
    merits: dict[int, float] = {}
    values: dict[int, float] = {}
    for trial in trials:
        best = _best(trial, signal, rung)
        if best is not None:
            merits[trial.number], values[trial.number] = best
    return merits, values


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
