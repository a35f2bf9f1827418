"""Proposals that cover a space evenly and learn nothing: a Sobol sequence, and a grid."""

import math
from collections.abc import Mapping

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial

from automl.search.cube_sampler import CubeSampler
from automl.search.encoding import Array, Cube, Dimension
from automl.search.exploration import sobol

__all__ = ["GridSampler", "SobolSampler"]


class SobolSampler(CubeSampler):
    """Points of one scrambled Sobol sequence.

    Args:
        seed: Seed that scrambles the sequence.
        distributions: Everything that is drawn, by name.
        place: Which point of the sequence; trial 0 is the default, so 1 takes the first.
    """

    def __init__(
        self, seed: int, distributions: Mapping[str, BaseDistribution], place: int
    ) -> None:
        super().__init__(seed, distributions)
        self._place = place

    def _point(self, cube: Cube, study: Study, trial: FrozenTrial) -> Array:
        del study, trial
        return np.asarray(cube.spread(sobol(len(cube), self._seed, max(self._place - 1, 0)))[0])


class GridSampler(CubeSampler):
    """Cells of a grid that is no finer than the trials asked for need, in a scattered order.

    Every number has as many levels as make the grid hold all trials, in the middle of equal parts
    of its scale; a choice has its options. Neighbouring cells are far apart in the order, so that
    a search that ends early has still seen all of the space.

    Args:
        seed: Seed of the cell that comes first.
        distributions: Everything that is drawn, by name.
        place: Which cell in the order.
        trials: Trials asked for in total.
    """

    def __init__(
        self, seed: int, distributions: Mapping[str, BaseDistribution], place: int, trials: int
    ) -> None:
        super().__init__(seed, distributions)
        self._place = place
        self._trials = trials

    def _point(self, cube: Cube, study: Study, trial: FrozenTrial) -> Array:
        del study, trial
        counts = _levels(cube, self._trials)
        cell = _scattered(self._seed + self._place * _stride(math.prod(counts)), counts)
        return np.asarray(cube.spread((np.array([cell]) + 0.5) / np.array(counts))[0])


def _levels(cube: Cube, trials: int) -> list[int]:
    """How many levels each dimension has: the fewest that make as many cells as trials."""
    most = [_most(one) for one in cube.dimensions]
    level = 1
    while True:
        level += 1
        counts = [
            held if one.n_options else int(min(held, level))
            for held, one in zip(most, cube.dimensions, strict=True)
        ]
        if math.prod(counts) >= min(trials, math.prod(most)):
            return [int(count) for count in counts]


def _most(one: Dimension) -> float:
    """How many different values a dimension has."""
    if one.n_options:
        return one.n_options
    if not one.step:
        return math.inf
    low, high = one.distribution.low, one.distribution.high  # type: ignore[attr-defined]
    return float(round((high - low) / one.step) + 1)


def _stride(n_cells: int) -> int:
    """A step that is prime to the number of cells, and near their golden section."""
    step = max(1, round(n_cells * 0.6180339887))
    while math.gcd(step, n_cells) != 1:
        step += 1
    return step


def _scattered(index: int, counts: list[int]) -> list[int]:
    """The level in each dimension of a cell, by its index in the grid."""
    levels = []
    for count in counts:
        index, level = divmod(index, count)
        levels.append(level)
    return levels
