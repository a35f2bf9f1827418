"""Which proposals are not started: what would teach nothing new, fail, or end too late."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import optuna

from automl.search.budget import Budget
from automl.search.frontier import beyond_memory, may_refuse, n_refused_of
from automl.search.proposals import MOST_DRAWS, repeated
from automl.search.trial_store import QueuedTrial, TrialStore
from automl.skill.tree import ParamValue
from automl.study import attributes
from automl.study.config import StudyConfig

__all__ = ["Screening"]


@dataclass(frozen=True, slots=True)
class Screening:
    """Looks at each proposal before it is started.

    Attributes:
        store: The study's trials.
        config: What was asked for.
        budget: The time that is left.
    """

    store: TrialStore
    config: StudyConfig
    budget: Budget

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
        is_shared = self.config.resources.trials_per_gpu > 1
        full = beyond_memory(params, grouped, self.config.keys, is_shared=is_shared)
        again = replace(queued, draw=queued.draw + 1)
        frozen = self.store.trials()[trial.number]
        if full is not None and may_refuse(queued.number, grouped, self.config.limits.trials):
            why = f"trial {full} ran out of memory with no larger a batch"
            self.store.refuse(frozen, queued, params, why)
            return True
        is_last = queued.draw - n_refused >= MOST_DRAWS
        if self.budget.refuses(params):
            self._shorten(trial, again, is_last=is_last)
            return True
        same = repeated(params, queued.number, grouped)
        if same is None:
            return False
        if not is_last:
            self.store.replace(frozen, again, f"repeats trial {same}")
            return True
        trial.set_user_attr(attributes.NOTE, f"repeats trial {same}")
        return False

    def _shorten(self, trial: optuna.Trial, again: QueuedTrial, *, is_last: bool) -> None:
        """Another draw in place of a training that would not end in time, or none at all."""
        frozen = self.store.trials()[trial.number]
        if is_last:
            self.budget.close()
            self.store.withdraw(frozen, "would not end in time")
        else:
            self.store.replace(frozen, again, "would not end in time")
