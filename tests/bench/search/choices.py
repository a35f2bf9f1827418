"""How the sampler's settings were chosen: variants of it in whole trainings, by the same seeds.

Every variant searches with the program's own parts, one training after the other, begins with the
default, and is scored by the value without noise of the training with the best observed value. One
row is one search. The rows that were chosen by are ``sampler_results/choices.json``; those of
other landscapes are ``choices_elsewhere.json`` beside it. ``rung_choices.json`` there is of
variants of the rungs, which were made by changing the program.

    python -m tests.bench.search.choices --seeds LO HI [--choices NAME...] [--landscapes NAME...]
        [--trainings 50] [--processes 1] [--curves FOLDER] [--out FILE]

Prints each row, and then the table of ``paired``. Set ``OMP_NUM_THREADS=1``.
"""

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl.search.activity import Activity
from automl.search.encoding import Array, Cube
from automl.search.exploration import _FLAT_TURN, least_distance, sobol
from automl.search.gaussian_process import GaussianProcess, fit
from automl.search.gp_sampler import _explored, _promising
from automl.search.observations import Kind, Observation
from automl.search.surrogate import Surrogate, _is_flat, _possible, _standardised
from automl.study.matern import HyperPrior
from automl.study.seeds import derive_seed
from tests.bench.search.cube_problems import CubeProblem, problem_of
from tests.bench.search.paired import SHOWN, Row, table
from tests.bench.search.stamped import write_rows

BASE, SHIPPED = "before", "sum and lengthscales"
LANDSCAPES = (
    *("one6", "hills6", "noisy6", "hart6", "bumps6", "recipe6"),
    *("hills2", "recipe2", "hills12"),
)


@dataclass(frozen=True, slots=True)
class SamplerChoice:
    """The settings of the sampler that were chosen.

    Attributes:
        n_first: Values before the model proposes; None for the settings and three, at most eight.
        lengthscale: Median of the prior of lengthscales.
        additive: Median of the prior of the part that is a sum over the settings; 0 for none.
        has_level: Whether the function has a level that the values tell.
        turn: Of so many proposals one explores.
        wide: Whether first points of even and of odd numbers come from the whole space.
    """

    n_first: int | None = 4
    lengthscale: float = 0.5
    additive: float = 0.0
    has_level: bool = True
    turn: int = 5
    wide: tuple[bool, bool] = (True, False)

    def values_before(self, n_settings: int) -> int:
        """How many values there are before the model proposes."""
        return min(8, n_settings + 3) if self.n_first is None else self.n_first


CHOICES: Mapping[str, SamplerChoice] = {
    BASE: SamplerChoice(n_first=None, has_level=False),
    "level": SamplerChoice(n_first=None),
    "four first values": SamplerChoice(has_level=False),
    "both": SamplerChoice(),
    "both, odd wide": SamplerChoice(wide=(False, True)),
    "both, all wide": SamplerChoice(wide=(True, True)),
    "lengthscales": SamplerChoice(lengthscale=0.4),
    "shorter lengthscales": SamplerChoice(lengthscale=0.3),
    "half the exploring": SamplerChoice(turn=10),
    "sum": SamplerChoice(additive=0.5),
    SHIPPED: SamplerChoice(lengthscale=0.4, additive=0.5),
    "odd wide": SamplerChoice(lengthscale=0.4, additive=0.5, wide=(False, True)),
    "all wide": SamplerChoice(lengthscale=0.4, additive=0.5, wide=(True, True)),
}


def believed(choice: SamplerChoice, cube: Cube, observations: Sequence[Observation]) -> Surrogate:
    """The posterior of trainings that have ended, as ``Surrogate.of`` makes it."""
    points = cube.encode(one.params for one in observations)
    measured = [one for one in observations if one.value is not None]
    seen = cube.encode(one.params for one in measured)
    losses, extra = _standardised(measured, sign=-1)
    prior = HyperPrior(lengthscale=choice.lengthscale, additive=choice.additive)
    features, has_level = cube.features(seen), choice.has_level
    hyper = fit(cube.owners, features, losses, extra, prior, has_level=has_level)
    model = GaussianProcess.condition(
        hyper, cube.owners, features, losses[:, None], extra, has_level=has_level
    )
    expected = model.predict(features)[0].mean(axis=1)
    return Surrogate(
        cube=cube,
        losses=model,
        best=expected[[np.argmin(expected)]],
        incumbent=seen[np.argmin(expected)],
        possible=_possible(cube, cube.features(points), observations),
        known=points,
        elsewhere=points[:0],
        activity=Activity.of(cube, points),
        is_flat=_is_flat(expected),
    )


def propose(
    choice: SamplerChoice,
    problem: CubeProblem,
    observations: Sequence[Observation],
    number: int,
    seed: int,
) -> Array:
    """(d,) The point of a number, as the program's sampler proposes it."""
    cube = problem.cube
    n_values = sum(one.value is not None for one in observations)
    if n_values < choice.values_before(len(cube)):
        shares = sobol(len(cube), derive_seed(seed, "start", 0), number)
        return np.asarray(problem.prior.at(shares, is_wide=choice.wide[number % 2])[0])
    generator = np.random.default_rng(derive_seed(seed, "proposal", number, 0))
    surrogate = believed(choice, cube, observations)
    distance = least_distance(number, len(cube))
    if number % (_FLAT_TURN if surrogate.is_flat else choice.turn):
        point = _promising(surrogate, surrogate.promise, generator)
        if surrogate.distance(point[None, :])[0] >= distance:
            return point
    return _explored(surrogate, distance, generator)


def search(choice: SamplerChoice, problem: CubeProblem, seed: int, trainings: int) -> list[float]:
    """The value without noise of the best training so far, after each."""
    draws = np.random.default_rng([seed, 99])
    observations: list[Observation] = []
    best, taken, curve = -math.inf, problem.worst, []
    for number in range(trainings):
        is_first = number == 0
        point = problem.start if is_first else propose(choice, problem, observations, number, seed)
        value = problem.value(np.array(point, dtype=float))
        shake = problem.noise * float(draws.standard_normal())
        params = problem.cube.decode(point)
        if math.isnan(value):
            observations.append(Observation(params, None, 0.0, Kind.FAILED))
        else:
            measured = max(problem.worst, value + shake)
            observations.append(Observation(params, measured, 0.0, Kind.MEASURED))
            if measured > best:
                best, taken = measured, value
        curve.append(taken)
    return curve


def _row(name: str, landscape: str, seed: int, trainings: int, curves: Path | None) -> Row:
    curve = search(CHOICES[name], problem_of(landscape, seed, curves), seed, trainings)
    at = {str(cost): round(curve[cost - 1], 4) for cost in SHOWN if cost <= trainings}
    return {"choice": name, "landscape": landscape, "seed": seed, "at": at}


def _rows(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    with ProcessPoolExecutor(asked.processes) as pool:
        jobs = [
            pool.submit(_row, name, landscape, seed, asked.trainings, asked.curves)
            for seed in range(*asked.seeds)
            for landscape in asked.landscapes
            for name in asked.choices
        ]
        for job in jobs:
            yield dict(job.result())


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs searches, and prints their rows and the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs=2, metavar=("LO", "HI"), required=True)
    parser.add_argument("--choices", nargs="+", default=list(CHOICES), choices=list(CHOICES))
    parser.add_argument("--landscapes", nargs="+", default=list(LANDSCAPES))
    parser.add_argument("--trainings", type=int, default=50)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--curves", type=Path)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(arguments)
    print("\n".join(table(write_rows(asked.out, "choices", _rows(asked)), BASE)))


if __name__ == "__main__":
    main()
