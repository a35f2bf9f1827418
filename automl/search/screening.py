"""Which proposals are not started: what would teach nothing new, fail, or end too late."""

from collections.abc import Mapping
from dataclasses import replace

import optuna

from automl.search.budget import Budget
from automl.search.frontier import beyond_memory, may_refuse, n_refused_of
from automl.search.memory_groups import MemoryGroups
from automl.search.proposals import MOST_DRAWS
from automl.search.queued_trial import QueuedTrial
from automl.search.trial_store import TrialStore
from automl.skill.tree import ParamValue
from automl.study import attributes
from automl.study.config import StudyConfig

__all__ = ["Screening"]


class Screening:
    """Looks at each proposal before it is started.

    Args:
        store: The study's trials.
        config: What was asked for.
        budget: The time that is left.
    """

    def __init__(self, store: TrialStore, config: StudyConfig, budget: Budget) -> None:
        self.store = store
        self.config = config
        self.budget = budget
        self._memory = MemoryGroups(store, config.keys)

    def turns_away(
        self, trial: optuna.Trial, queued: QueuedTrial, params: Mapping[str, ParamValue]
    ) -> bool:
        """Whether a proposal was ended, and another draw queued in its place.

        Args:
            trial: The running Optuna trial of it.
            queued: What was queued for it.
            params: What was drawn.
        """
        grouped = self.store.grouped()
        n_refused = n_refused_of(grouped.get(queued.number, ()))
        full = self._beyond_memory(params)
        again = replace(queued, draw=queued.draw + 1)
        frozen = self.store.trial(trial.number)
        if full is not None and may_refuse(queued.number, grouped, self.config.limits.trials):
            why = f"trial {full} ran out of memory with no larger a batch"
            self.store.refuse(frozen, queued, params, why)
            return True
        is_last = queued.draw - n_refused >= MOST_DRAWS
        if self.budget.refuses(params):
            self._shorten(trial, again, is_last=is_last)
            return True
        same = self.store.tally.repeated(params, queued.number)
        if same is None:
            return False
        if not is_last:
            self.store.replace(frozen, again, f"repeats trial {same}")
            return True
        trial.set_user_attr(attributes.NOTE, f"repeats trial {same}")
        return False

    def _beyond_memory(self, params: Mapping[str, ParamValue]) -> int | None:
        """The trial whose running out of memory says that this proposal would; None if none."""
        alike = self._memory.alike(params)
        if not alike:
            return None
        return beyond_memory(
            params,
            self.store.grouped(),
            self.config.keys,
            is_shared=self.config.resources.trials_per_gpu > 1,
            among=alike,
        )

    def _shorten(self, trial: optuna.Trial, again: QueuedTrial, *, is_last: bool) -> None:
        """Another draw in place of a training that would not end in time, or none at all."""
        frozen = self.store.trial(trial.number)
        if is_last:
            self.budget.close()
            self.store.withdraw(frozen, "would not end in time")
        else:
            self.store.replace(frozen, again, "would not end in time")
