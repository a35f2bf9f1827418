"""Who proposes: a fresh Optuna sampler for each proposal.

A sampler that lives on carries a random state and a cache of its own, so a resumed study would
propose what a study that ran through would not. One made for each proposal, seeded from the
study's seed and the trial's number, makes a proposal a pure function of what the study holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.search.bounded_tpe import BoundedTpeSampler
from automl.search.observations import Observation, Predict, no_prediction
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.space.proposal import decode, option_weights, sampled
from automl.study.config import SearchSettings
from automl.study.seeds import derive_seed

__all__ = ["SAMPLERS", "SamplerSource", "startup_trials"]

#: Where ``auto`` hands over from the Gaussian process to TPE: beyond this the model's time grows
#: with the cube of the trials, and its distances tell little.
_MOST_TRIALS, _MOST_SETTINGS = 200, 20
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


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose proposal is asked for.

    Attributes:
        number: Logical number of the trial.
        draw: Proposals thrown away for this number so far; a later one must differ.
        n_modelled: Ended trials that a sampler can learn from.
    """

    number: int
    draw: int = 0
    n_modelled: int = 0


@dataclass(frozen=True, slots=True)
class SamplerSource:
    """Makes the sampler of each proposal.

    Attributes:
        settings: Sampler by name, seed, start-up.
        space: What is searched; defaults, beliefs and weights of choices come from here.
        trials: Trials asked for in total; the start-up depends on it.
        metric: Name of the objective's metric.
        predict: What a trial that has not run to its end would end with.
        earlier: Observations of earlier studies, in the draws of this one; their values are
            differences from the default of their own study.
        cost: Logarithm of what a proposal, dotted key to value, costs against a typical one; None
            where all count alike.
    """

    settings: SearchSettings
    space: SearchSpace
    trials: int
    metric: str = ""
    predict: Predict = no_prediction
    earlier: tuple[Observation, ...] = ()
    cost: Callable[[Mapping[str, ParamValue]], float] | None = None

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
        return SAMPLERS[self.settings.sampler](self, Turn(number, draw, n_modelled))

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Everything that is drawn, by name, in the order of the draws."""
        return {one.draw_name: one.drawn.as_optuna() for one in sampled(self.space)}

    def seed(self, turn: Turn) -> int:
        """The seed of one proposal."""
        return derive_seed(self.settings.seed, "sampler", turn.number, turn.draw)


def _random(source: SamplerSource, turn: Turn) -> BaseSampler:
    return WeightedRandomSampler(source.seed(turn), option_weights(source.space))


def _tpe(source: SamplerSource, turn: Turn) -> BaseSampler:
    if turn.n_modelled < startup_trials(source.settings, source.trials):
        return _random(source, turn)
    return BoundedTpeSampler(source.seed(turn))


# The others are imported when they propose: their parts of scipy take a second.


def _gp(source: SamplerSource, turn: Turn) -> BaseSampler:
    from automl.search.beliefs import priors_of
    from automl.search.gp_sampler import START_POINTS, GaussianProcessSampler, Knowledge

    asked = source.settings.startup_trials
    knowledge = Knowledge(
        distributions=source.distributions,
        priors=priors_of(source.space),
        n_start=START_POINTS if asked is None else asked,
        metric=source.metric,
        predict=source.predict,
        earlier=source.earlier,
        cost=None if source.cost is None else partial(_cost, source.space, source.cost),
    )
    return GaussianProcessSampler(source.settings.seed, knowledge, turn.number, turn.draw)


def _cost(
    space: SearchSpace, cost: Callable[[Mapping[str, ParamValue]], float], draws: Mapping[str, Any]
) -> float:
    return cost(decode(space, draws))


def _auto(source: SamplerSource, turn: Turn) -> BaseSampler:
    is_small = len(sampled(source.space)) <= _MOST_SETTINGS and turn.n_modelled <= _MOST_TRIALS
    return (_gp if is_small else _tpe)(source, turn)


def _cmaes(source: SamplerSource, turn: Turn) -> BaseSampler:
    from automl.search.beliefs import priors_of
    from automl.search.cma_es import CmaEsSampler

    return CmaEsSampler(
        source.seed(turn), source.distributions, priors_of(source.space), source.metric
    )


def _qmc(source: SamplerSource, turn: Turn) -> BaseSampler:
    from automl.search.even import SobolSampler

    # A draw after a refused one is of another sequence; all of one sequence belong together.
    seed = derive_seed(source.settings.seed, "sobol", turn.draw)
    return SobolSampler(seed, source.distributions, turn.number)


def _grid(source: SamplerSource, turn: Turn) -> BaseSampler:
    from automl.search.even import GridSampler

    place = turn.number + turn.draw * source.trials
    return GridSampler(source.settings.seed, source.distributions, place, source.trials)


# Name to what makes the sampler of a proposal.
SAMPLERS: Mapping[str, Callable[[SamplerSource, Turn], BaseSampler]] = {
    "auto": _auto,
    "gp": _gp,
    "tpe": _tpe,
    "cmaes": _cmaes,
    "random": _random,
    "qmc": _qmc,
    "grid": _grid,
}
