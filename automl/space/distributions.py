"""The search space as Optuna sees it."""

from typing import Any, cast

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from automl.skill.tree import ParamValue
from automl.space.model import Kind, SearchSpace
from automl.space.proposal import (
    Dimension,
    Draw,
    decode,
    default_params,
    dimensions,
    encode,
    propose,
)

__all__ = ["decode", "default_params", "distributions", "encode", "suggest"]


def suggest(space: SearchSpace, trial: optuna.Trial) -> dict[str, ParamValue]:
    """Draws every parameter from a trial: dotted key to value, parents first.

    What Optuna records are the draws (``trial.params``); ``decode`` turns them into values again.
    A trial that was put into the queue with ``encode(space, params)`` gives ``params`` back, up to
    the rounding of a number that is drawn as a share.
    """
    return propose(space, cast("Draw", trial))


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Name to distribution of everything that is drawn; the same for every trial of a study."""
    return {one.name: _distribution(one) for one in dimensions(space)}


def _distribution(dimension: Dimension) -> BaseDistribution:
    if dimension.kind is Kind.CATEGORICAL:
        return CategoricalDistribution(dimension.choices)
    ends: dict[str, Any] = {"low": dimension.low, "high": dimension.high, "log": dimension.log}
    if dimension.kind is Kind.INT:
        return IntDistribution(**ends, step=dimension.step)
    return FloatDistribution(**ends)
