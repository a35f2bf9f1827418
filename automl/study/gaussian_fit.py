"""What few and noisy values say of points: a mean, and how much of it is known.

The model is that of ``study.matern``, held by its priors to little structure and much noise until
the values say otherwise. A winner is judged by it, so what is not known is part of the answer: the
level of all points is learned from the values, and models round the best one are averaged by the
density of their posterior.
"""

import math
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from scipy import linalg

from automl.study.matern import (
    JITTER,
    Array,
    Hyperparameters,
    HyperPrior,
    LogPosterior,
    ModeSearch,
    posterior_mode,
)

__all__ = ["GaussianFit"]

_PRIOR: Final = HyperPrior(
    lengthscale=0.5 * math.sqrt(2.0),
    lengthscale_sd=0.6,
    amplitude=0.7,
    amplitude_sd=0.7,
    noise=0.5,
)
#: Begins at little noise, 0.1, and at much, 0.7.
_SEARCH: Final = ModeSearch(
    starts=tuple((0.0, 0.0, math.log(noise / _PRIOR.noise)) for noise in (0.1, 0.7)),
    most_steps=100,
    least_gain=1e-11,
    least_slope=1e-7,
)
#: Shifts of the lengthscales and of the amplitude, of their logarithms.
_AROUND: Final = (-0.9, 0.0, 0.9)


class GaussianFit:
    """The models that suit the values best.

    Args:
        squared: Squared distances of every pair of values by each setting [n_settings, n, n],
            scaled so that 1 is the whole range of the setting.
        values: The values [n], standardised.

    Attributes:
        noise: Standard deviation of the noise of one value.

    Raises:
        ValueError: The numbers admit no model.
    """

    def __init__(self, squared: Array, values: Array) -> None:
        posterior = LogPosterior(squared, values, np.zeros(len(values)), _PRIOR, has_level=True)
        mode = posterior_mode(posterior, _SEARCH)
        self.noise = math.exp(float(mode[-1]))
        self._mixture = [
            (weight, _Model.of(Hyperparameters.of(logs, len(squared)), squared, values))
            for weight, logs in _mixture(posterior, mode)
        ]

    def predict(self, cross: Array, own: Array) -> tuple[Array, Array]:
        """What is believed of points, beneath the noise.

        Args:
            cross: Squared distances of values and points [n_settings, n, n_points].
            own: Squared distances of points [n_settings, n_points, n_points].

        Returns:
            Mean [n_points] and covariance [n_points, n_points]; the uncertainty of the level that
            all points share, and of the model itself, is part of it.
        """
        parts = [(weight, *model.predict(cross, own)) for weight, model in self._mixture]
        mean = np.asarray(sum(weight * each for weight, each, _ in parts))
        covariance = np.zeros((len(mean), len(mean)))
        for weight, each, its_covariance in parts:
            away = each - mean
            covariance = covariance + weight * (its_covariance + np.outer(away, away))
        return mean, covariance


def _mixture(posterior: LogPosterior, mode: Array) -> list[tuple[float, Array]]:
    """Models round the best one, each with its weight: few values never settle on one."""
    least = posterior.loss(mode)[0]
    found = []
    for length, amplitude in product(_AROUND, _AROUND):
        logs = mode + np.asarray([*[length] * (len(mode) - 2), amplitude, 0.0])
        loss = posterior.loss(logs)[0]
        if math.isfinite(loss):
            found.append((math.exp(min(0.0, least - loss)), logs))
    total = sum(weight for weight, _ in found)
    return [(weight / total, logs) for weight, logs in found]


@dataclass(frozen=True, slots=True)
class _Model:
    """The posterior of the function for given hyperparameters, with a level that is learned.

    Attributes:
        hyper: The hyperparameters.
        factor: Cholesky factor of the covariance of the values, as ``cho_solve`` takes it.
        level: Level of all points by generalised least squares (Rasmussen and Williams, sec. 2.7).
        weights: The inverse covariance times the values above the level [n].
        ones: The inverse covariance times ones [n].
    """

    hyper: Hyperparameters
    factor: Any
    level: float
    weights: Array
    ones: Array

    @classmethod
    def of(cls, hyper: Hyperparameters, squared: Array, values: Array) -> "_Model":
        noise = (hyper.noise**2 + JITTER) * np.eye(len(values))
        factor = linalg.cho_factor(hyper.covariance(squared) + noise, lower=True)
        ones = linalg.cho_solve(factor, np.ones_like(values))
        level = float(ones @ values / ones.sum())
        return cls(hyper, factor, level, linalg.cho_solve(factor, values - level), ones)

    def predict(self, cross: Array, own: Array) -> tuple[Array, Array]:
        shared = self.hyper.covariance(cross)
        left = 1.0 - shared.T @ self.ones
        known = shared.T @ linalg.cho_solve(self.factor, shared)
        covariance = self.hyper.covariance(own) - known
        return (
            self.level + shared.T @ self.weights,
            covariance + np.outer(left, left) / self.ones.sum(),
        )
