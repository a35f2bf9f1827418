"""The view that a method decides by, made of what the Optuna study holds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.search.budget import Budget
from automl.search.frontier import n_refused_of
from automl.search.method import SearchView, TrialView
from automl.search.proposals import n_tried
from automl.search.trial_store import TrialStore
from automl.space.model import SearchSpace
from automl.space.proposal import n_configurations
from automl.study import attributes
from automl.study.config import Objective, StudyConfig
from automl.study.measured import Pausing, measured_of, paused_of
from automl.study.ranking import best_epoch, values_in
from automl.study.records import Measurement, TrialState
from automl.study.trials import record_of

__all__ = ["ViewSource"]

Grouped = Mapping[int, Sequence[FrozenTrial]]


class ViewSource:
    """Makes views of a study; what it keeps between two of them saves time and no more.

    Args:
        store: The study's trials.
        space: What is searched.
        config: What was asked for.
        budget: Says whether the study's time allows a further trial.
    """

    def __init__(
        self, store: TrialStore, space: SearchSpace, config: StudyConfig, budget: Budget
    ) -> None:
        self._lost: frozenset[int] = frozenset()
        self._store = store
        self._config = config
        self._budget = budget
        self._total = n_configurations(space)
        self._at_rest: dict[int, _AsRead] = {}

    def lose(self, numbers: frozenset[int]) -> None:
        """Shows paused trials as stopped: they cannot go on.

        Their checkpoints have gone since their study ended, or they would not end in time.
        """
        self._lost |= numbers
        self._at_rest.clear()

    def view(
        self, number: int | None = None, measurement: Measurement | None = None
    ) -> SearchView:
        """The study as it stands.

        Args:
            number: The trial that was just measured; None for none.
            measurement: What it measured, which is not in the study yet.
        """
        grouped = self._store.grouped()
        known = {each: self._known(each, grouped[each]) for each in sorted(grouped)}
        trials = {each: one.view for each, one in known.items()}
        if number is not None and measurement is not None:
            trials[number] = _with(trials[number], measurement, self._config.objective)
        n_refused = sum(one.n_refused for one in known.values())
        is_small = math.isfinite(self._total) and len(grouped) + n_refused >= self._total
        return SearchView(
            trials=tuple(trials.values()),
            config=self._config,
            total=self._total,
            n_refused=n_refused,
            n_tried=n_tried(grouped) if is_small else 0,
            ended=self._budget.search_end if number is None else None,
        )

    def _known(self, number: int, trials: Sequence[FrozenTrial]) -> "_AsRead":
        """What is known of a trial, read anew only while it trains: nothing else changes it."""
        latest = trials[-1]
        paused = paused_of(latest)
        found = self._at_rest.get(number)
        if found is not None and found.fits(latest, paused):
            return found
        n_refused = n_refused_of(trials)
        known = _AsRead(latest.number, latest.state, paused, self._read(trials, paused), n_refused)
        if latest.state.is_finished() or paused is not None:
            self._at_rest[number] = known
        return known

    def _read(self, trials: Sequence[FrozenTrial], paused: Pausing | None) -> TrialView:
        objective, latest = self._config.objective, trials[-1]
        record = record_of(trials, objective)
        if paused is not None:
            # One whose rung is yet to be judged is seen as it was when it came to it.
            state = TrialState.PAUSED if paused.is_judged else TrialState.RUNNING
            is_lost = record.number in self._lost
            record = replace(record, state=TrialState.PRUNED if is_lost else state)
        measured = measured_of(latest, objective.metric)
        audited = str(latest.user_attrs.get(attributes.AUDITED, ""))
        return TrialView(record, measured, audited)


@dataclass(frozen=True, slots=True)
class _AsRead:
    """A trial as it was read, and what would show that it has changed since."""

    latest: int
    state: OptunaState
    paused: Pausing | None
    view: TrialView
    n_refused: int

    def fits(self, latest: FrozenTrial, paused: Pausing | None) -> bool:
        """Whether it is still so."""
        return (self.latest, self.state, self.paused) == (latest.number, latest.state, paused)


def _with(trial: TrialView, measurement: Measurement, objective: Objective) -> TrialView:
    """The trial with a further measurement; an epoch's first one stands."""
    by_epoch = {measurement.epoch: measurement} | {each.epoch: each for each in trial.measured}
    measured = tuple(by_epoch[epoch] for epoch in sorted(by_epoch))
    values = values_in(measured, objective.metric)
    epoch = best_epoch(values, objective)
    best = None if epoch is None else values[epoch]
    record = replace(trial.record, values=values, best_epoch=epoch, best_value=best)
    return replace(trial, record=record, measured=measured)
