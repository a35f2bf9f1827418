"""Matern-5/2 with few and noisy values: the kernel, its priors, and the mode of its posterior.

One lengthscale a setting (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006,
eq. 4.17 and sec. 5.1). Every hyperparameter has a log-normal prior: with ten trainings the
likelihood alone says little, and its maximum is often a corner. The mode is found by L-BFGS-B on
the analytic gradient (ibid., eq. 5.9); no random number is drawn.

Points enter by their squared distances in each setting, so that a setting may be a number, a word
or absent. ``search.gaussian_process`` proposes with it, ``study.gaussian_fit`` weighs the winner.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

__all__ = [
    "JITTER",
    "Array",
    "HyperPrior",
    "Hyperparameters",
    "LogPosterior",
    "ModeSearch",
    "matern",
    "posterior_mode",
]

Array: TypeAlias = NDArray[np.float64]
Shift: TypeAlias = tuple[float, float, float]

_ROOT5 = math.sqrt(5.0)
#: Added to the diagonal, so that a matrix of repeated points stays positive definite.
JITTER = 1e-8
#: How far from the medians of their priors the logarithms may go.
_REACH = 6.0


@dataclass(frozen=True, slots=True)
class HyperPrior:
    """Log-normal priors: median and standard deviation of the logarithm.

    The values are standardised before, so that amplitude and noise are shares of their spread.
    Lengthscales grow with the root of the number of settings, as distances in a cube do (Hvarfner,
    Hellsten, Nardi, Vanilla Bayesian optimization performs great in high dimensions, ICML 2024).

    Attributes:
        lengthscale: Median for two settings, in ranges of a setting.
        lengthscale_sd: Spread of its logarithm.
        amplitude: Median of the standard deviation of the function.
        amplitude_sd: Spread of its logarithm.
        noise: Median of the standard deviation of the noise.
        noise_sd: Spread of its logarithm.
    """

    lengthscale: float = 0.5
    lengthscale_sd: float = 1.0
    amplitude: float = 1.0
    amplitude_sd: float = 0.5
    noise: float = 0.1
    noise_sd: float = 1.0

    def medians(self, n_settings: int) -> Array:
        """(d + 2,) Logarithms of the medians: lengthscales, amplitude, noise."""
        lengthscale = math.log(self.lengthscale) + 0.5 * math.log(max(n_settings, 1) / 2)
        rest = [math.log(self.amplitude), math.log(self.noise)]
        return np.array([lengthscale] * n_settings + rest)

    def spreads(self, n_settings: int) -> Array:
        """(d + 2,) Standard deviations of the logarithms, in the same order."""
        rest = [self.amplitude_sd, self.noise_sd]
        return np.array([self.lengthscale_sd] * n_settings + rest)


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What a kernel is made of.

    Attributes:
        lengthscales: (d,) One a setting, in ranges of that setting.
        amplitude: Standard deviation of the function.
        noise: Standard deviation of the noise of any training.
    """

    lengthscales: Array
    amplitude: float
    noise: float

    @classmethod
    def of(cls, logs: Array) -> "Hyperparameters":
        """The hyperparameters of their logarithms (d + 2,)."""
        return cls(np.exp(logs[:-2]), math.exp(logs[-2]), math.exp(logs[-1]))


@dataclass(frozen=True, slots=True)
class ModeSearch:
    """How the mode is looked for; the posterior often has two.

    Attributes:
        starts: Where to begin: shifts of the logarithms of all lengthscales, of the amplitude and
            of the noise from the medians of their priors.
        most_steps: Steps of L-BFGS-B from each start.
        least_gain: A search ends where a step lowers the loss by less than this share of it; the
            usual value of scipy, as the next.
        least_slope: It ends where no part of the gradient is larger.
    """

    starts: tuple[Shift, ...]
    most_steps: int = 60
    least_gain: float = 1e7 * float(np.finfo(np.float64).eps)
    least_slope: float = 1e-5


class LogPosterior:
    """The negative logarithm of the posterior of the hyperparameters, up to a constant.

    Args:
        squared: (d, n, n) Squared distances of the points of the values in each setting.
        values: (n,) Standardised values.
        extra: (n,) Variances of noise beyond that of any training.
        prior: Priors of the hyperparameters.
        has_level: Whether the function has a level of its own, which the values tell (generalised
            least squares; ibid., sec. 2.7); it is zero otherwise.
    """

    def __init__(
        self,
        squared: Array,
        values: Array,
        extra: Array,
        prior: HyperPrior,
        *,
        has_level: bool = False,
    ) -> None:
        self._squares = squared.reshape(len(squared), len(values) ** 2)
        self._values = values
        self._extra = extra
        self._has_level = has_level
        self.medians = prior.medians(len(squared))
        self._spreads = prior.spreads(len(squared))

    def loss(self, logs: Array) -> tuple[float, Array]:
        """Value and gradient (d + 2,) at the logarithms of the hyperparameters.

        Infinite, with a gradient of zero, where the covariance is singular to rounding.
        """
        n = len(self._values)
        root = _ROOT5 * np.sqrt(np.exp(-2 * logs[:-2]) @ self._squares)
        decay = np.exp(-root)
        amplitude2 = math.exp(2 * logs[-2])
        signal = amplitude2 * (1 + root + root**2 / 3) * decay
        covariance = signal.reshape(n, n).copy()
        covariance[np.diag_indices(n)] += math.exp(2 * logs[-1]) + self._extra + JITTER
        try:
            factor = linalg.cholesky(covariance, lower=True, check_finite=False)
        except linalg.LinAlgError:
            return math.inf, np.zeros_like(logs)
        inverse = linalg.cho_solve((factor, True), np.eye(n), check_finite=False)
        away, weights = self._weighed(inverse)
        gap = (logs - self.medians) / self._spreads
        loss = 0.5 * away @ weights + np.log(np.diag(factor)).sum() + 0.5 * gap @ gap
        outer = inverse - np.outer(weights, weights)
        steep = outer.ravel() * (amplitude2 * 5 / 3) * (1 + root) * decay
        return float(loss), gap / self._spreads + self._gradient(logs, outer, steep, signal)

    def _weighed(self, inverse: Array) -> tuple[Array, Array]:
        """(n,) Values above their level, and (n,) the inverse covariance times them."""
        if not self._has_level:
            return self._values, inverse @ self._values
        ones = inverse.sum(axis=0)
        away = self._values - ones @ self._values / ones.sum()
        return away, inverse @ away

    def _gradient(self, logs: Array, outer: Array, steep: Array, signal: Array) -> Array:
        """(d + 2,) Of the likelihood's part; the level is at its best, so that it adds nothing.

        Args:
            logs: (d + 2,) Where.
            outer: (n, n) Twice the derivative of the loss by the covariance.
            steep: (n * n,) That, times the kernel's derivative by the squared distance, times -2.
            signal: (n * n,) The kernel.
        """
        by_length = 0.5 * np.exp(-2 * logs[:-2]) * (self._squares @ steep)
        by_noise = math.exp(2 * logs[-1]) * np.trace(outer)
        return np.array([*by_length, outer.ravel() @ signal, by_noise])


def posterior_mode(posterior: LogPosterior, search: ModeSearch) -> Array:
    """(d + 2,) Logarithms of the hyperparameters at the mode of the posterior.

    Raises:
        ValueError: The numbers admit no model.
    """
    n_settings = len(posterior.medians) - 2
    middle = posterior.medians
    options = {"maxiter": search.most_steps, "ftol": search.least_gain, "gtol": search.least_slope}
    found = [
        optimize.minimize(
            posterior.loss,
            middle + np.array([length] * n_settings + [amplitude, noise]),
            jac=True,
            method="L-BFGS-B",
            bounds=[(at - _REACH, at + _REACH) for at in middle],
            options=options,
        )
        for length, amplitude, noise in search.starts
    ]
    best = min(found, key=lambda each: float(each.fun))
    if not math.isfinite(float(best.fun)):
        raise ValueError("the values admit no model")
    return np.asarray(best.x, dtype=np.float64)


def matern(distances: Array) -> Array:
    """Matern-5/2 correlation at distances in lengthscales, of any shape."""
    root = _ROOT5 * distances
    return np.asarray((1 + root + root**2 / 3) * np.exp(-root))
