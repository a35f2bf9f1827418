"""Proposals of a space without a study: what a search draws before it has learnt anything."""

import optuna

from automl.search.samplers import WeightedRandomSampler
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.space.proposal import option_weights, suggest
from automl.study.seeds import derive_seed

__all__ = ["sample"]


def sample(space: SearchSpace, count: int, seed: int) -> list[dict[str, ParamValue]]:
    """``count`` independent proposals; the same seed gives the same ones."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = WeightedRandomSampler(derive_seed(seed, "sample"), option_weights(space))
    study = optuna.create_study(sampler=sampler)
    return [suggest(space, study.ask()) for _ in range(count)]
