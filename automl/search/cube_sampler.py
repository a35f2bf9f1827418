"""What samplers that know their space share: they propose a point of its unit cube."""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from automl.search.encoding import Array, Cube

__all__ = ["CubeSampler"]


class CubeSampler(BaseSampler):
    """Proposes the points that a subclass places.

    Args:
        seed: Seed of all proposals of the study, or of this one alone.
        distributions: Everything that is drawn, by name.
    """

    def __init__(self, seed: int, distributions: Mapping[str, BaseDistribution]) -> None:
        self._seed = seed
        self._distributions = dict(distributions)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Everything that is drawn."""
        del study, trial
        return dict(self._distributions)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The proposal: a value of every parameter of the space."""
        cube = Cube.of(search_space)
        return cube.decode(self._point(cube, study, trial)) if len(cube) else dict(cube.constants)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A uniform draw of a parameter that it was not made for."""
        return RandomSampler(self._seed).sample_independent(
            study, trial, param_name, param_distribution
        )

    def _point(self, cube: Cube, study: Study, trial: FrozenTrial) -> Array:
        """(d,) The point."""
        raise NotImplementedError
