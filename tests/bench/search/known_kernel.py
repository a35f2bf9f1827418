"""What a model of this kind could find at best: our sampler, told the kernel of its landscape.

The hyperparameters are fitted to 1,024 exact values of the landscape, spread over the whole space,
and stay as they are during the search; mean and spread of the values are those of the landscape
too. What such a search finds, no better fit of the same model to the trials would have found.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np

from automl.search import surrogate
from automl.search.encoding import Array, Cube
from automl.search.exploration import sobol
from automl.search.gaussian_process import fit
from automl.search.observations import Observation
from automl.space.proposal import decode, sampled
from automl.study.matern import Hyperparameters, HyperPrior
from tests.bench.search.families import Problem

__all__ = ["kernel_of", "known_kernel"]

_VALUES, _SEED = 1024, 12345
#: What is left of a deviation where trainings have no noise.
_LEAST_NOISE = 0.002


def kernel_of(problem: Problem) -> tuple[Hyperparameters, float, float]:
    """Hyperparameters of a landscape's losses, and their mean and standard deviation."""
    cube = Cube.of({one.draw_name: one.drawn.as_optuna() for one in sampled(problem.space)})
    points = cube.spread(sobol(len(cube), _SEED, 0, _VALUES))
    scores = np.array([problem.truth(decode(problem.space, cube.decode(one))) for one in points])
    # Where trainings break there is no value.
    whole = scores > 0.0
    losses = -scores[whole]
    middle, spread = float(losses.mean()), float(losses.std())
    features, values = cube.features(points[whole]), (losses - middle) / spread
    found = fit(cube.owners, features, values, np.zeros(len(values)), HyperPrior())
    noise = max(problem.family.noise, _LEAST_NOISE) / spread
    return replace(found, noise=noise), middle, spread


@contextmanager
def known_kernel(problem: Problem) -> Iterator[None]:
    """Every model of losses has the kernel of the problem's landscape, whatever the trials say."""
    hyper, middle, spread = kernel_of(problem)

    def given(*args: Any) -> Hyperparameters:
        is_loss = args[-1] is surrogate._LOSS_PRIOR
        return hyper if is_loss else fit(*args)

    def standardised(seen: Sequence[Observation], sign: int) -> tuple[Array, Array]:
        values = np.array([one.value for one in seen], dtype=float) * sign
        noise = np.array([one.sd for one in seen], dtype=float)
        return (values - middle) / spread, np.square(noise / spread)

    with (
        patch.object(surrogate, "fit", given),
        patch.object(surrogate, "_standardised", standardised),
    ):
        yield
