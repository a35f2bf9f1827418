"""CMA-ES, made anew for each proposal by playing the study's trials back.

The evolution strategy with covariance matrix adaptation in its standard form and with its standard
constants (Hansen, The CMA Evolution Strategy: a tutorial, arXiv 1604.00772, 2016). Its state is a
fold over the observations, a generation at a time, so that nothing is stored beside the trials;
points that it did not propose, such as the default, are pulled in by their Mahalanobis length
(Hansen, Injecting external solutions into CMA-ES, arXiv 1110.4181, 2011). Choices have no
direction: they are drawn by what is believed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from automl.search.cube_sampler import CubeSampler
from automl.search.encoding import Array, Cube
from automl.search.observations import Kind, Observation, observe
from automl.search.prior import CubePrior, Prior

__all__ = ["CmaEsSampler", "EvolutionState"]

#: Draws outside of the space before the last one is moved into it.
_MOST_DRAWS = 20


@dataclass(frozen=True, slots=True)
class _Weights:
    """The constants of the strategy for d settings."""

    size: int
    parents: Array
    mass: float
    c_sigma: float
    d_sigma: float
    c_c: float
    c_1: float
    c_mu: float

    @classmethod
    def of(cls, d: int) -> "_Weights":
        size = 4 + int(3 * math.log(d))
        raw = math.log((size + 1) / 2) - np.log(np.arange(1, size // 2 + 1))
        parents = raw / raw.sum()
        mass = 1 / float(np.square(parents).sum())
        c_sigma = (mass + 2) / (d + mass + 5)
        c_1 = 2 / ((d + 1.3) ** 2 + mass)
        return cls(
            size,
            parents,
            mass,
            c_sigma,
            1 + 2 * max(0.0, math.sqrt((mass - 1) / (d + 1)) - 1) + c_sigma,
            (4 + mass / d) / (d + 4 + 2 * mass / d),
            c_1,
            min(1 - c_1, 2 * (mass - 2 + 1 / mass) / ((d + 2) ** 2 + mass)),
        )


@dataclass(frozen=True, slots=True)
class EvolutionState:
    """What the strategy has learned.

    Attributes:
        mean: (d,) Centre of the next draws.
        sigma: Overall step.
        covariance: (d, d) Their shape.
        path_sigma: (d,) Evolution path of the step.
        path: (d,) Evolution path of the shape.
        generation: Generations taken in.
    """

    mean: Array
    sigma: float
    covariance: Array
    path_sigma: Array
    path: Array
    generation: int = 0

    @classmethod
    def start(cls, mean: Array, widths: Array) -> "EvolutionState":
        """The state before the first generation, as wide as what is believed."""
        zeros = np.zeros(len(mean))
        return cls(mean, 1.0, np.diag(np.square(widths)), zeros, zeros)

    def after(self, points: Array, losses: Array) -> "EvolutionState":
        """The state after a generation: points (size, d) and their losses (size,)."""
        d = len(self.mean)
        weights = _Weights.of(d)
        _, inverse = _roots(self.covariance)
        best = points[np.argsort(losses, kind="stable")[: len(weights.parents)]]
        steps = _pulled_in((best - self.mean) / self.sigma, inverse)
        step = weights.parents @ steps
        length = math.sqrt(d) * (1 - 1 / (4 * d) + 1 / (21 * d * d))
        c_sigma = weights.c_sigma
        path_sigma = (1 - c_sigma) * self.path_sigma + math.sqrt(
            c_sigma * (2 - c_sigma) * weights.mass
        ) * (inverse @ step)
        size = float(np.linalg.norm(path_sigma))
        fade = math.sqrt(1 - (1 - c_sigma) ** (2 * (self.generation + 1)))
        moves = float(size / fade < (1.4 + 2 / (d + 1)) * length)
        path = (1 - weights.c_c) * self.path + moves * math.sqrt(
            weights.c_c * (2 - weights.c_c) * weights.mass
        ) * step
        kept = 1 - weights.c_1 - weights.c_mu
        kept += (1 - moves) * weights.c_1 * weights.c_c * (2 - weights.c_c)
        rank_mu = np.einsum("i,ij,ik->jk", weights.parents, steps, steps)
        return replace(
            self,
            mean=self.mean + self.sigma * step,
            sigma=self.sigma * math.exp(c_sigma / weights.d_sigma * (size / length - 1)),
            covariance=kept * self.covariance
            + weights.c_1 * np.outer(path, path)
            + weights.c_mu * rank_mu,
            path_sigma=path_sigma,
            path=path,
            generation=self.generation + 1,
        )

    def draw(self, generator: np.random.Generator) -> Array:
        """(d,) A point inside of the unit cube."""
        root, _ = _roots(self.covariance)
        point = self.mean
        for _ in range(_MOST_DRAWS):
            point = self.mean + self.sigma * (root @ generator.standard_normal(len(self.mean)))
            if (point >= 0).all() and (point <= 1).all():
                return np.asarray(point)
        return np.clip(point, 0.0, 1.0)


def _roots(covariance: Array) -> tuple[Array, Array]:
    """The symmetric root of a covariance, and its inverse."""
    values, vectors = np.linalg.eigh(covariance)
    sizes = np.sqrt(np.maximum(values, 1e-16))
    return (vectors * sizes) @ vectors.T, (vectors / sizes) @ vectors.T


def _pulled_in(steps: Array, inverse: Array) -> Array:
    """The steps, none of them longer than a draw of the strategy itself would be."""
    d = steps.shape[1]
    lengths = np.linalg.norm(steps @ inverse, axis=1, keepdims=True)
    longest = math.sqrt(d) + 2 * d / (d + 2)
    return np.asarray(steps * np.minimum(1.0, longest / np.maximum(lengths, 1e-12)))


class CmaEsSampler(CubeSampler):
    """Proposes by CMA-ES.

    Args:
        seed: Seed of this one proposal.
        distributions: Everything that is drawn, by name.
        priors: What is believed of each setting; the strategy starts there, and as wide.
        metric: Name of the objective's metric.
    """

    def __init__(
        self,
        seed: int,
        distributions: Mapping[str, BaseDistribution],
        priors: Mapping[str, Prior],
        metric: str = "",
    ) -> None:
        super().__init__(seed, distributions)
        self._priors = dict(priors)
        self._metric = metric

    def _point(self, cube: Cube, study: Study, trial: FrozenTrial) -> Array:
        others = [one for one in study.get_trials(deepcopy=False) if one.number != trial.number]
        sign = 1 if study.direction is StudyDirection.MINIMIZE else -1
        generator = np.random.default_rng(self._seed)
        prior = CubePrior.of(cube, self._priors)
        point = prior.at(generator.random((1, len(cube))))[0]
        numbers = ~cube.is_choice
        if numbers.any():
            seen = observe(others, self._metric)
            state = _played_back(cube, prior, seen, sign)
            point[numbers] = state.draw(generator)
        return np.asarray(cube.snap(point[None, :])[0])


def _played_back(
    cube: Cube, prior: CubePrior, observations: Sequence[Observation], sign: int
) -> EvolutionState:
    """The state after all whole generations; what failed is worse than anything measured."""
    numbers = ~cube.is_choice
    state = EvolutionState.start(
        np.nan_to_num(prior.centres[numbers], nan=0.5), prior.widths[numbers]
    )
    ended = [one for one in observations if one.value is not None or one.kind is Kind.FAILED]
    points = np.nan_to_num(cube.encode(one.params for one in ended)[:, numbers], nan=0.5)
    losses = np.array([math.inf if one.value is None else sign * one.value for one in ended])
    size = _Weights.of(int(numbers.sum())).size
    for first in range(0, len(ended) - size + 1, size):
        here = slice(first, first + size)
        state = state.after(points[here], losses[here])
    return state
