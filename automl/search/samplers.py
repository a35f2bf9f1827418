"""Who proposes: a fresh Optuna sampler for each proposal.

A sampler that lives on carries a random state and a cache of its own, so a resumed study would
propose what a study that ran through would not. One made for each proposal, seeded from the
study's seed and the trial's number, makes a proposal a pure function of what the study holds.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.space.model import SearchSpace
from automl.space.proposal import option_weights
from automl.study.config import SearchSettings
from automl.study.seeds import derive_seed

__all__ = ["SAMPLERS", "SamplerSource", "startup_trials"]

_FEWEST_STARTUP = 3
_MOST_STARTUP = 10


def startup_trials(settings: SearchSettings, trials: int) -> int:
    """How many trials must have ended before the sampler learns from them.

    Half of the trials asked for, at least 3 and at most 10 (Optuna's own number): a short search
    would otherwise be random to its end.
    """
    if settings.startup_trials is not None:
        return settings.startup_trials
    return max(_FEWEST_STARTUP, min(_MOST_STARTUP, trials // 2))


class WeightedRandomSampler(RandomSampler):
    """Random draws in which the weights of a categorical's choices count.

    Args:
        seed: Seed of this one proposal.
        weights: Parameter name to one weight per choice, in the order of the choices.
    """

    def __init__(self, seed: int, weights: Mapping[str, tuple[float, ...]]) -> None:
        super().__init__(seed=seed)
        self._generator = np.random.default_rng(seed)
        self._weights = weights

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """One value of one parameter."""
        weights = self._weights.get(param_name, ())
        if (
            not isinstance(param_distribution, CategoricalDistribution)
            or len(weights) != len(param_distribution.choices)
            or sum(weights) <= 0
        ):
            return super().sample_independent(study, trial, param_name, param_distribution)
        shares = np.asarray(weights, dtype=float) / sum(weights)
        return param_distribution.choices[self._generator.choice(len(shares), p=shares)]


def _tpe(seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        # Optuna calls ``group`` experimental; it alone models conditional parameters jointly.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(
            seed=seed, n_startup_trials=0, multivariate=True, group=True, constant_liar=True
        )


_Learner: TypeAlias = Callable[[int], BaseSampler]

# Name to what takes over after the start-up trials; None for a search that never learns.
SAMPLERS: Mapping[str, _Learner | None] = {"tpe": _tpe, "random": None}


@dataclass(frozen=True, slots=True)
class SamplerSource:
    """Makes the sampler of each proposal.

    Attributes:
        settings: Sampler by name, seed, start-up.
        space: Weights of choices come from here.
        trials: Trials asked for in total; the start-up depends on it.
    """

    settings: SearchSettings
    space: SearchSpace
    trials: int

    def __post_init__(self) -> None:
        if self.settings.sampler not in SAMPLERS:
            raise FixInput(
                f"the sampler must be one of {', '.join(SAMPLERS)}",
                got=self.settings.sampler,
                where="--sampler",
                fix=did_you_mean(self.settings.sampler, SAMPLERS),
            )

    def make(self, number: int, draw: int, n_modelled: int) -> BaseSampler:
        """The sampler that proposes one configuration.

        Args:
            number: Logical number of the trial.
            draw: Proposals thrown away for this number so far; a later one must differ.
            n_modelled: Ended trials that a sampler can learn from.
        """
        seed = derive_seed(self.settings.seed, "sampler", number, draw)
        learner = SAMPLERS[self.settings.sampler]
        if learner is None or n_modelled < startup_trials(self.settings, self.trials):
            return WeightedRandomSampler(seed, option_weights(self.space))
        return learner(seed)
