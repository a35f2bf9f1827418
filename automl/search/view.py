"""The view that a method decides by, made of what the Optuna study holds."""

import math
from collections.abc import Sequence
from dataclasses import replace

from optuna.trial import FrozenTrial

from automl.search.budget import Budget
from automl.search.followed import Followed
from automl.search.method import SearchView
from automl.search.trial_store import TrialStore
from automl.search.trial_views import TrialView, TrialViews
from automl.space.model import SearchSpace
from automl.space.proposal import n_configurations
from automl.study import attributes
from automl.study.config import Objective, StudyConfig
from automl.study.measured import measured_of, paused_of
from automl.study.ranking import best_epoch, values_in
from automl.study.records import Measurement, TrialState
from automl.study.trials import record_of

__all__ = ["ViewSource"]


class ViewSource:
    """Makes views of a study; what it keeps between two of them saves time and no more.

    A trial is looked at again when it was written to, so that a view costs what has changed.

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
        self._views = TrialViews()
        self._read = Followed(store, self._seen)

    @property
    def config(self) -> StudyConfig:
        """What was asked for."""
        return self._config

    def lose(self, numbers: frozenset[int]) -> None:
        """Shows paused trials as stopped: they cannot go on.

        Their checkpoints have gone since their study ended, or they would not end in time.
        """
        self._lost |= numbers
        for number in numbers:
            self._read.again(number)

    def view(
        self, number: int | None = None, measurement: Measurement | None = None
    ) -> SearchView:
        """The study as it stands, until the next view or the next write.

        Args:
            number: The trial that was just measured; None for none.
            measurement: What it measured, which is not in the study yet.
        """
        self._follow()
        if number is not None and measurement is not None:
            measured = _with(self._views.by_number[number], measurement, self._config.objective)
            self._views.put(measured)
            self._read.again(number)
        tally = self._store.tally
        is_small = math.isfinite(self._total)
        is_small = is_small and len(self._views) + tally.n_refused >= self._total
        return SearchView(
            trials=self._views,
            config=self._config,
            total=self._total,
            n_refused=tally.n_refused,
            n_tried=tally.n_tried if is_small else 0,
            ended=self._budget.search_end if number is None else None,
        )

    def _follow(self) -> None:
        for number, _, now in self._read.follow():
            if now is None:
                self._views.drop(number)
            else:
                self._views.put(now)

    def _seen(self, number: int, trials: Sequence[FrozenTrial]) -> TrialView:
        objective, latest = self._config.objective, trials[-1]
        record, paused = record_of(trials, objective), paused_of(latest)
        if paused is not None:
            # One whose rung is yet to be judged is seen as it was when it came to it.
            state = TrialState.PAUSED if paused.is_judged else TrialState.RUNNING
            is_lost = number in self._lost
            record = replace(record, state=TrialState.PRUNED if is_lost else state)
        measured = measured_of(latest, objective.metric)
        audited = str(latest.user_attrs.get(attributes.AUDITED, ""))
        return TrialView(record, measured, audited)


def _with(trial: TrialView, measurement: Measurement, objective: Objective) -> TrialView:
    """The trial with a further measurement; an epoch's first one stands."""
    by_epoch = {measurement.epoch: measurement} | {each.epoch: each for each in trial.measured}
    measured = tuple(by_epoch[epoch] for epoch in sorted(by_epoch))
    values = values_in(measured, objective.metric)
    epoch = best_epoch(values, objective)
    best = None if epoch is None else values[epoch]
    record = replace(trial.record, values=values, best_epoch=epoch, best_value=best)
    return replace(trial, record=record, measured=measured)
