"""Our own sampler, for few, expensive and noisy trainings.

A proposal is a pure function of what the study holds, the seed and the trial's number: the model
is fitted anew for each, and nothing is remembered between two. What is proposed:

1. the first points, a Sobol sequence, by turns over the whole space and over what is believed
   (``prior``);
2. then the point of the highest expected improvement over the best posterior mean
   (``surrogate``, ``acquisition``), for what it costs where that is known, and at times one that
   explores (``exploration``);
3. in place of a point that is all but a known one (of more than two settings at first: within a
   fifth of a lengthscale), one that explores.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from automl.search.encoding import Array, Cube
from automl.search.exploration import interior, is_turn, least_distance, sobol
from automl.search.maximise import maximise
from automl.search.observations import Observation, Predict, at_level, no_prediction, observe
from automl.search.prior import CubePrior, Prior
from automl.search.surrogate import Surrogate
from automl.study.seeds import derive_seed

__all__ = ["START_POINTS", "GaussianProcessSampler", "Knowledge"]

_EXPLORING = 64
#: Values before the model proposes, the default's among them: it learns from few, and what it
#: proposes is worth more than another point that knows of none.
START_POINTS = 4
#: Best known points that the search for the highest promise looks around.
_LOOKED_AROUND = 4
#: How many trials a stated belief is worth: its weight is this over the number of values. (The
#: authors of piBO take a tenth of the trials asked for.)
_BELIEF = 5.0


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a sampler knows beside the trials of its study.

    Attributes:
        distributions: Everything that is drawn, by name; None to read it off the trials.
        priors: What is believed of a setting, by name.
        n_start: Values before the model proposes.
        metric: Name of the objective's metric.
        predict: What a trial that has not run to its end would end with.
        earlier: Observations of earlier studies, in the draws of this one; their values are
            differences from the default of their own study.
        cost: Logarithm of what a proposal, name to draw, costs against a typical one; None where
            all count alike.
    """

    distributions: Mapping[str, BaseDistribution] | None = None
    priors: Mapping[str, Prior] = field(default_factory=dict)
    n_start: int = START_POINTS
    metric: str = ""
    predict: Predict = no_prediction
    earlier: tuple[Observation, ...] = ()
    cost: Callable[[Mapping[str, Any]], float] | None = None

    def costs(self, cube: Cube, points: Array) -> Array:
        """(m,) The logarithm of the cost of points (m, d)."""
        if self.cost is None:
            return np.zeros(len(points))
        return np.array([self.cost(cube.decode(point)) for point in points])


class GaussianProcessSampler(BaseSampler):
    """Proposes by a Gaussian process.

    Args:
        seed: Seed of the study; the first points of all its proposals belong together.
        knowledge: What is known beside the trials.
        number: The trial's logical number; None for Optuna's own.
        draw: Proposals thrown away for this number so far; a later one differs.
    """

    def __init__(
        self,
        seed: int,
        knowledge: Knowledge | None = None,
        number: int | None = None,
        draw: int = 0,
    ) -> None:
        self._seed = seed
        self._knowledge = knowledge or Knowledge()
        self._number = number
        self._draw = draw

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Everything that is drawn; a setting that some trials lack is drawn in all of them."""
        del trial
        if self._knowledge.distributions is not None:
            return dict(self._knowledge.distributions)
        found: dict[str, BaseDistribution] = {}
        for one in study.get_trials(deepcopy=False):
            found |= one.distributions
        return dict(sorted(found.items()))

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The proposal: a value of every parameter of the space.

        Raises:
            ValueError: The study has several objectives.
        """
        self._raise_error_if_multi_objective(study)
        cube = Cube.of(search_space)
        if not cube.dimensions:
            return dict(cube.constants)
        others = [one for one in study.get_trials(deepcopy=False) if one.number != trial.number]
        sign = 1 if study.direction is StudyDirection.MINIMIZE else -1
        point = self._point(cube, others, sign, self._number_of(trial))
        return cube.decode(point)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A uniform draw of a parameter that no earlier trial had."""
        self._raise_error_if_multi_objective(study)
        seed = derive_seed(self._seed, "alone", self._number_of(trial), self._draw, param_name)
        return RandomSampler(seed).sample_independent(study, trial, param_name, param_distribution)

    def _number_of(self, trial: FrozenTrial) -> int:
        return trial.number if self._number is None else self._number

    def _point(self, cube: Cube, trials: list[FrozenTrial], sign: int, number: int) -> Array:
        know = self._knowledge
        own = observe(trials, know.metric, know.predict)
        observations = (*at_level(know.earlier, trials), *own)
        n_values = sum(one.value is not None for one in observations)
        prior = CubePrior.of(cube, know.priors)
        if n_values < max(know.n_start, 1):
            # A draw after a refused one is of another sequence.
            seed = derive_seed(self._seed, "start", self._draw)
            shares = sobol(len(cube), seed, number)
            return np.asarray(prior.at(shares, is_wide=_is_wide(number))[0])
        seed = derive_seed(self._seed, "proposal", number, self._draw)
        generator = np.random.default_rng(seed)
        surrogate = Surrogate.of(cube, observations, sign, generator)
        distance = least_distance(number, len(cube))
        if not is_turn(number, is_flat=surrogate.is_flat):

            def score(points: Array) -> Array:
                belief = _BELIEF / n_values * prior.log_density(points)
                return surrogate.promise(points) + belief - know.costs(cube, points)

            point = _promising(surrogate, score, generator)
            if surrogate.distance(point[None, :])[0] >= distance:
                return point
        return _explored(surrogate, distance, generator)


def _is_wide(number: int) -> bool:
    """Whether a first point is drawn from the whole space and not from what is believed.

    Every second one is: where the default lies on a plateau, all that is near it says nothing.
    """
    return number % 2 == 0


def _promising(
    surrogate: Surrogate, score: Callable[[Array], Array], generator: np.random.Generator
) -> Array:
    """(d,) The point of the highest score, from points (m, d) to (m,)."""
    tried = np.concatenate([surrogate.known, surrogate.elsewhere])
    known = np.where(np.isnan(tried), 0.5, tried)
    means, _ = surrogate.losses.predict(surrogate.features(known))
    order = np.argsort(means.mean(axis=1), kind="stable")[:_LOOKED_AROUND]
    return maximise(score, surrogate.cube, known[order], generator)


def _explored(surrogate: Surrogate, distance: float, generator: np.random.Generator) -> Array:
    """(d,) A new point, whatever it promises, where a training is likely to be possible."""
    cube = surrogate.cube
    if surrogate.is_flat:
        points = cube.spread(generator.random((_EXPLORING, len(cube))))
    else:
        points = interior(cube, surrogate.incumbent, surrogate.lengthscales, _EXPLORING, generator)
    chance = surrogate.chance(points)
    is_new = surrogate.distance(points) >= distance
    likely = np.log(generator.random(len(points))) < chance
    for wanted in (is_new & likely, is_new):
        if wanted.any():
            return np.asarray(points[np.argmax(wanted)])
    return np.asarray(points[np.argmax(surrogate.distance(points))])
