"""Landscapes for samplers alone: a point of a cube is a whole training, and answers with a value.

========  =====================================================================================
hills     three hills, the best the narrowest; no training where the first setting is far above it
noisy     the same, with three times the noise
one, two  the best hill alone, and with one other
valley    one bent valley with ripples and a cliff
hart      Hartmann's function of six settings, its settings in any order and direction
========  =====================================================================================

Others are families of ``terrain``, and ``taskset-NAME``: a task of TaskSet, in which the training
that is nearest answers. A name is a family and the number of its settings, such as ``hills6``.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from optuna.distributions import FloatDistribution

from automl.search.encoding import Array, Cube
from automl.search.prior import CubePrior, Prior
from tests.bench.search import terrain
from tests.bench.search.landscapes import OPTIMUM, Hills, Landscape, hills, valley

__all__ = ["TASKSET", "CubeProblem", "problem_of"]

TASKSET = "taskset-"
_NOISE = {"noisy": 0.03}
_USUAL_NOISE = 0.01
#: Of the made-up landscapes the first settings are believed to be known better than the others.
_BELIEVED, _WIDTHS = 3, (0.125, 0.3)
#: How far above the best value of the first setting no training is possible.
_CLIFF = 0.25
#: Hartmann's function (Dixon and Szegö, 1978): heights, steepness, tops and its best value.
_HEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
_STEEP = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_TOPS = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)
_HIGHEST = 3.32237


@dataclass(frozen=True, slots=True)
class CubeProblem:
    """What a sampler searches.

    Attributes:
        cube: The space.
        prior: What is believed before.
        start: (d,) The default.
        value: From a point (d,) to the value without noise; NaN where no training is possible.
        noise: Standard deviation of the noise of a training.
        worst: What no value is below.
    """

    cube: Cube
    prior: CubePrior
    start: Array
    value: Callable[[Array], float]
    noise: float = _USUAL_NOISE
    worst: float = 0.0


def problem_of(name: str, seed: int, curves: Path | None = None) -> CubeProblem:
    """The landscape of a name and a seed.

    Raises:
        SystemExit: The name is unknown, or a task lies in no folder.
    """
    if name.startswith(TASKSET):
        if curves is None:
            raise SystemExit(f"{name}: say with --curves in which folder its file is")
        return _task(curves, name.removeprefix(TASKSET), seed)
    match = re.fullmatch(r"([a-z]+)(\d+)", name)
    kind, n_settings = (match[1], int(match[2])) if match else (name, 0)
    if kind in terrain.FAMILIES:
        return _terrain(kind, n_settings, seed)
    if kind != "hart" and kind not in _LANDSCAPES:
        raise SystemExit(f"{name} is no landscape: {', '.join(_LANDSCAPES)}, hart or a terrain")
    return _landscape(kind, n_settings, seed)


def _one(seed: int, n_settings: int) -> Hills:
    found = hills(seed, n_settings)
    return Hills(found.tops[:1], found.heights[:1], found.steepness[:1])


def _two(seed: int, n_settings: int) -> Hills:
    return hills(seed, n_settings, 2)


_LANDSCAPES: Mapping[str, Callable[[int, int], Landscape]] = {
    "hills": hills,
    "noisy": hills,
    "one": _one,
    "two": _two,
    "valley": valley,
}


def _hartmann(seed: int) -> Callable[[Array], float]:
    rng = np.random.default_rng([seed, 66])
    order, is_flipped = rng.permutation(6), rng.random(6) < 0.5

    def value(x: Array) -> float:
        at = np.where(is_flipped, 1 - x, x)[order]
        return OPTIMUM * float(_HEIGHTS @ np.exp(-(_STEEP * (at - _TOPS) ** 2).sum(1))) / _HIGHEST

    return value


def _landscape(kind: str, n_settings: int, seed: int) -> CubeProblem:
    if kind == "hart":
        score, edge = _hartmann(seed), math.inf
    else:
        one = _LANDSCAPES[kind](seed, n_settings)
        score, edge = one.value, float(one.best[0]) + _CLIFF
    names = [f"x{index}" for index in range(n_settings)]
    cube = Cube.of({name: FloatDistribution(0.0, 1.0) for name in names})
    priors = {name: Prior(0.5, _WIDTHS[at >= _BELIEVED]) for at, name in enumerate(names)}

    def value(x: Array) -> float:
        return math.nan if x[0] > edge else float(score(x))

    start = np.full(n_settings, 0.5)
    noise = _NOISE.get(kind, _USUAL_NOISE)
    return CubeProblem(cube, CubePrior.of(cube, priors), start, value, noise)


def _terrain(family: str, n_settings: int, seed: int) -> CubeProblem:
    problem = terrain.make(family, n_settings, seed)
    cube = Cube.of(problem.distributions)
    prior = CubePrior.of(cube, {name: Prior(value) for name, value in problem.default.items()})
    start = np.nan_to_num(cube.encode([problem.default])[0], nan=0.5)
    return CubeProblem(cube, prior, start, lambda x: problem.value(cube.decode(x)))


@cache
def _trainings(curves: Path, task: str) -> tuple[Array, Array, Array]:
    """(n, d) Settings in the unit cube, (n,) negative losses, NaN if broken, and (d,) decades."""
    kept = np.load(next(curves.glob(f"{TASKSET}*{task}*.npz")))
    names, settings = kept["names"].tolist(), np.array(kept["settings"], float)
    for name in ("beta1", "beta2"):
        settings[:, names.index(name)] = 1 - settings[:, names.index(name)]
    logs = np.log(settings)
    lengths = logs.max(0) - logs.min(0)
    losses = kept["valid_loss"][:, 1:]
    best = np.where(np.isfinite(losses).all(1), -losses.min(1), np.nan)
    return (logs - logs.min(0)) / lengths, best, lengths / math.log(10)


def _task(curves: Path, task: str, seed: int) -> CubeProblem:
    """A task; its default is one of the better half of its trainings, of the best tenth none."""
    points, values, decades = _trainings(curves, task)
    is_whole = np.isfinite(values)
    order = np.argsort(-np.where(is_whole, values, -9e9), kind="stable")[: is_whole.sum()]
    among = order[len(order) // 10 : len(order) // 2]
    chosen = among[int(np.random.default_rng([seed, 5]).integers(len(among)))]
    start = np.clip(points[chosen], 0, 1)
    names = [f"x{index}" for index in range(len(start))]
    cube = Cube.of({name: FloatDistribution(0.0, 1.0) for name in names})
    widths = 0.5 / decades
    priors = {name: Prior(float(start[at]), float(widths[at])) for at, name in enumerate(names)}

    def value(x: Array) -> float:
        return float(values[np.square(points - x).sum(1).argmin()])

    worst = float(np.nanmin(values))
    return CubeProblem(cube, CubePrior.of(cube, priors), start, value, 0.0, worst)
