"""A Gaussian process with noise, fitted to few values: Matern 5/2, a lengthscale a setting.

Maximum a posteriori (Rasmussen and Williams 2006, chapters 2, 4 and 5). The priors hold the model
to little structure and much noise until the values say otherwise; that of the lengthscales grows
with the root of the number of settings, as distances do (Hvarfner et al. 2024, "Vanilla Bayesian
Optimization Performs Great in High Dimensions").
"""

import math
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

__all__ = ["Array", "GaussianFit"]

Array: TypeAlias = NDArray[np.float64]

# Of standardised values: the median of each before anything is known, and the standard deviation
# of its logarithm.
_SIGNAL, _SIGNAL_SPREAD = 0.7, 0.7
_NOISE, _NOISE_SPREAD = 0.5, 1.0
_LENGTH, _LENGTH_SPREAD = 0.5, 0.6  # of the root of the number of settings
_LENGTHS = (math.log(0.05), math.log(30.0))
_SIGNALS = (math.log(0.01), math.log(10.0))
_NOISES = (math.log(1e-4), math.log(2.0))
#: Where the search for the best fit begins: little noise, and much.
_STARTS = (0.1, 0.7)
_MOST_STEPS = 100
#: Shifts of the lengthscales and of the signal, of their logarithms.
_AROUND = (-0.9, 0.0, 0.9)
_ROOT_5 = math.sqrt(5.0)


class GaussianFit:
    """The model that suits the values best.

    Args:
        squared: Squared distances of every pair of values by each setting [n_settings, n, n],
            scaled so that 1 is the whole range of the setting.
        values: The values [n], standardised.

    Raises:
        ValueError: The numbers admit no model.
    """

    def __init__(self, squared: Array, values: Array) -> None:
        self._squared = squared
        self._values = values
        n_settings = len(squared)
        length = math.log(_LENGTH) + 0.5 * math.log(max(1, n_settings))
        self._prior = np.asarray([*[length] * n_settings, math.log(_SIGNAL), math.log(_NOISE)])
        spread = [*[_LENGTH_SPREAD] * n_settings, _SIGNAL_SPREAD, _NOISE_SPREAD]
        self._spread = np.asarray(spread)
        self._at = self._best()

    @property
    def noise(self) -> float:
        """Standard deviation of the noise of one value."""
        return math.exp(float(self._at[-1]))

    def predict(self, cross: Array, own: Array) -> tuple[Array, Array]:
        """What is believed of points, beneath the noise.

        Args:
            cross: Squared distances of values and points [n_settings, n, n_points].
            own: Squared distances of points [n_settings, n_points, n_points].

        Returns:
            Mean [n_points] and covariance [n_points, n_points]; the uncertainty of the level that
            all points share, and of the model itself, is part of it.
        """
        parts = [(weight, *self._predict(at, cross, own)) for weight, at in self._mixture()]
        mean = np.asarray(sum(weight * each for weight, each, _ in parts))
        covariance = np.zeros((len(mean), len(mean)))
        for weight, each, its_covariance in parts:
            away = each - mean
            covariance = covariance + weight * (its_covariance + np.outer(away, away))
        return mean, covariance

    def _predict(self, at: Array, cross: Array, own: Array) -> tuple[Array, Array]:
        factor = self._factor(at)
        shared = self._kernel(cross, at)
        ones = linalg.cho_solve(factor, np.ones_like(self._values))
        level, weights = self._level(factor)
        left = 1.0 - shared.T @ ones
        covariance = self._kernel(own, at) - shared.T @ linalg.cho_solve(factor, shared)
        return level + shared.T @ weights, covariance + np.outer(left, left) / ones.sum()

    def _mixture(self) -> list[tuple[float, Array]]:
        """Models round the best one, each with its weight: few values never settle on one."""
        least = self._loss(self._at)[0]
        found = []
        for length, signal in product(_AROUND, _AROUND):
            at = self._at + np.asarray([*[length] * len(self._squared), signal, 0.0])
            loss = self._loss(at)[0]
            if math.isfinite(loss):
                found.append((math.exp(min(0.0, least - loss)), at))
        total = sum(weight for weight, _ in found)
        return [(weight / total, at) for weight, at in found]

    def _best(self) -> Array:
        n_settings = len(self._squared)
        bounds = [*[_LENGTHS] * n_settings, _SIGNALS, _NOISES]
        found = []
        for noise in _STARTS:
            start = np.asarray([*self._prior[:-1], math.log(noise)])
            found.append(
                optimize.minimize(
                    self._loss,
                    start,
                    jac=True,
                    method="L-BFGS-B",
                    bounds=bounds,
                    options={"maxiter": _MOST_STEPS, "ftol": 1e-11, "gtol": 1e-7},
                )
            )
        best = min(found, key=lambda each: float(each.fun))
        if not math.isfinite(float(best.fun)):
            raise ValueError("the values admit no model")
        return np.asarray(best.x, dtype=np.float64)

    def _kernel(self, squared: Array, at: Array) -> Array:
        root = self._root(squared, at)
        return np.asarray(math.exp(2.0 * at[-2]) * (1.0 + root + root**2 / 3.0) * np.exp(-root))

    @staticmethod
    def _root(squared: Array, at: Array) -> Array:
        """The distance in lengthscales, times the root of 5."""
        return np.asarray(_ROOT_5 * np.sqrt(np.tensordot(np.exp(-2.0 * at[:-2]), squared, 1)))

    def _factor(self, at: Array) -> Any:
        noise = math.exp(2.0 * at[-1]) * np.eye(len(self._values))
        return linalg.cho_factor(self._kernel(self._squared, at) + noise, lower=True)

    def _level(self, factor: Any) -> tuple[float, Array]:
        """The mean of all points by generalised least squares, and the weights of the values."""
        ones = linalg.cho_solve(factor, np.ones_like(self._values))
        level = float(ones @ self._values / ones.sum())
        return level, np.asarray(linalg.cho_solve(factor, self._values - level))

    def _loss(self, at: Array) -> tuple[float, Array]:
        """Minus the logarithm of the posterior density, and its gradient."""
        try:
            factor = self._factor(at)
        except linalg.LinAlgError:
            return math.inf, np.zeros_like(at)
        level, weights = self._level(factor)
        slope = linalg.cho_solve(factor, np.eye(len(self._values))) - np.outer(weights, weights)
        away = (at - self._prior) / self._spread
        size = np.log(np.diag(factor[0])).sum()
        loss = 0.5 * (self._values - level) @ weights + size + 0.5 * away @ away
        return float(loss), self._gradient(at, slope) + away / self._spread

    def _gradient(self, at: Array, slope: Array) -> Array:
        """Of the likelihood's part; ``slope`` is the derivative by the covariance, doubled."""
        root = self._root(self._squared, at)
        steep = math.exp(2.0 * at[-2]) * (5.0 / 3.0) * (1.0 + root) * np.exp(-root)
        lengths = 0.5 * np.exp(-2.0 * at[:-2])
        by_length = lengths * np.tensordot(self._squared, slope * steep, 2)
        by_signal = np.sum(slope * self._kernel(self._squared, at))
        by_noise = math.exp(2.0 * at[-1]) * np.trace(slope)
        return np.asarray([*by_length, by_signal, by_noise])
