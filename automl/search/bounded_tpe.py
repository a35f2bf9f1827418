"""Optuna's TPE over a bounded number of ended trials, so that the 10,000th proposal costs no more.

TPE parts the ended trials into good ones, the best tenth but at most 25, and all others, and
proposes what is likely among the good and unlikely among the others. Of the others an older one
weighs less (``optuna.samplers._tpe.sampler.default_weights``). So of more than 250 ended trials,
where the number of good ones no longer grows, the 25 best and the newest others are looked at:
the good ones are those that all trials together would give.
"""

import heapq
import math
import warnings
from collections.abc import Container, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

__all__ = ["MOST_ENDED", "N_GOOD", "BoundedTpeSampler", "looked_at"]

#: What Optuna calls good is a tenth of the ended trials, and at most so many.
N_GOOD = 25
MOST_ENDED = 10 * N_GOOD
_ENDED = (OptunaState.COMPLETE, OptunaState.PRUNED)


def looked_at(trials: Sequence[FrozenTrial], direction: StudyDirection) -> list[FrozenTrial]:
    """Of ended trials those that a proposal is made from, in their order.

    Args:
        trials: Every trial that is complete or pruned, oldest first.
        direction: Which way is better.
    """
    if len(trials) <= MOST_ENDED:
        return [*trials]
    sign = -1.0 if direction is StudyDirection.MAXIMIZE else 1.0
    good = heapq.nsmallest(N_GOOD, trials, key=lambda trial: _place(trial, sign))
    numbers = {trial.number for trial in good}
    newest: list[FrozenTrial] = []
    for trial in reversed(trials):
        if len(newest) == MOST_ENDED - N_GOOD:
            break
        if trial.number not in numbers:
            newest.append(trial)
    return sorted((*good, *newest), key=lambda trial: trial.number)


def _place(trial: FrozenTrial, sign: float) -> tuple[int, int, float]:
    """As Optuna ranks them: complete ones by value, then pruned ones by how far they came."""
    if trial.state is OptunaState.COMPLETE:
        return 0, 0, sign * (trial.value or 0.0)
    if not trial.intermediate_values:
        return 2, 0, 0.0
    step, value = max(trial.intermediate_values.items())
    return 1, -step, math.inf if math.isnan(value) else sign * value


class _BoundedStudy(optuna.Study):
    """A study whose ended trials are those that are looked at; it writes to the same storage."""

    def __init__(self, study: optuna.Study) -> None:
        super().__init__(study.study_name, study._storage, study.sampler, study.pruner)
        ended = study.get_trials(deepcopy=False, states=_ENDED)
        self._ended = looked_at(ended, study.direction)

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Container[OptunaState] | None = None,
        use_cache: bool = False,
    ) -> list[FrozenTrial]:
        others = [state for state in OptunaState if state not in _ENDED]
        wanted = [state for state in others if states is None or state in states]
        found = [trial for trial in self._ended if states is None or trial.state in states]
        if wanted:
            found += super()._get_trials(deepcopy, wanted, use_cache)
        return sorted(found, key=lambda trial: trial.number)


class BoundedTpeSampler(TPESampler):
    """TPE for one proposal.

    Args:
        seed: Seed of this proposal.
    """

    def __init__(self, seed: int) -> None:
        with warnings.catch_warnings():
            # Optuna calls ``group`` experimental; it alone models conditional parameters jointly.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            super().__init__(
                seed=seed, n_startup_trials=0, multivariate=True, group=True, constant_liar=True
            )
        self._seen: _BoundedStudy | None = None

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """What is drawn jointly."""
        return super().infer_relative_search_space(self._bounded(study), trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """What is drawn jointly, drawn."""
        return super().sample_relative(self._bounded(study), trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """One value that is not drawn jointly."""
        bounded = self._bounded(study)
        return super().sample_independent(bounded, trial, param_name, param_distribution)

    def _bounded(self, study: optuna.Study) -> optuna.Study:
        if self._seen is None:
            self._seen = _BoundedStudy(study)
        return self._seen
