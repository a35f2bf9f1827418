"""Matern-5/2 with few and noisy values: the kernel, its priors, and the mode of its posterior.

One lengthscale a setting (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006,
eq. 4.17 and sec. 5.1). On request the function is the sum of one of all settings and one of each
setting alone (Duvenaud, Nickisch, Rasmussen, Additive Gaussian processes, NeurIPS 2011, of the
orders one and all): what a setting does by itself is learned from few values, wherever the other
settings were. Every hyperparameter has a log-normal prior: with ten trainings the
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
        additive: Median of the standard deviation of the part that is a sum over the settings; 0
            for a function without one.
        additive_sd: Spread of its logarithm.
    """

    lengthscale: float = 0.5
    lengthscale_sd: float = 1.0
    amplitude: float = 1.0
    amplitude_sd: float = 0.5
    noise: float = 0.1
    noise_sd: float = 1.0
    additive: float = 0.0
    additive_sd: float = 1.0

    def medians(self, n_settings: int) -> Array:
        """(p,) Logarithms of the medians: lengthscales, amplitude, noise, additive if any."""
        lengthscale = math.log(self.lengthscale) + 0.5 * math.log(max(n_settings, 1) / 2)
        rest = [self.amplitude, self.noise] + [self.additive] * (self.additive > 0)
        return np.array([lengthscale] * n_settings + [math.log(one) for one in rest])

    def spreads(self, n_settings: int) -> Array:
        """(p,) Standard deviations of the logarithms, in the same order."""
        rest = [self.amplitude_sd, self.noise_sd] + [self.additive_sd] * (self.additive > 0)
        return np.array([self.lengthscale_sd] * n_settings + rest)


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What a kernel is made of.

    Attributes:
        lengthscales: (d,) One a setting, in ranges of that setting.
        amplitude: Standard deviation of the function of all settings.
        noise: Standard deviation of the noise of any training.
        additive: Standard deviation of the sum of functions of one setting each.
    """

    lengthscales: Array
    amplitude: float
    noise: float
    additive: float = 0.0

    @classmethod
    def of(cls, logs: Array, n_settings: int) -> "Hyperparameters":
        """The hyperparameters of their logarithms (p,); those of the settings come first."""
        amplitude, noise, *additive = np.exp(logs[n_settings:]).tolist()
        return cls(np.exp(logs[:n_settings]), amplitude, noise, *additive)

    @property
    def variance(self) -> float:
        """Of the function, at any point."""
        return self.amplitude**2 + self.additive**2

    def covariance(self, squared: Array) -> Array:
        """(n, m) Covariance of the function at points with squared distances (d, n, m)."""
        precisions = self.lengthscales**-2.0
        joint = self.amplitude**2 * matern(np.sqrt(np.tensordot(precisions, squared, 1)))
        if not self.additive:
            return joint
        alone = matern(np.sqrt(precisions[:, None, None] * squared)).mean(axis=0)
        return np.asarray(joint + self.additive**2 * alone)


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
        self.n_settings = len(squared)
        self._squares = squared.reshape(len(squared), len(values) ** 2)
        self._values = values
        self._extra = extra
        self._has_level = has_level
        self._is_additive = prior.additive > 0
        self.medians = prior.medians(self.n_settings)
        self._spreads = prior.spreads(self.n_settings)

    def loss(self, logs: Array) -> tuple[float, Array]:
        """Value and gradient (p,) at the logarithms of the hyperparameters.

        Infinite, with a gradient of zero, where the covariance is singular to rounding.
        """
        n, d = len(self._values), self.n_settings
        parts = self._parts(logs)
        covariance = np.sum([part.kernel for part in parts], axis=0).reshape(n, n)
        covariance[np.diag_indices(n)] += math.exp(2 * logs[d + 1]) + self._extra + JITTER
        try:
            factor = linalg.cholesky(covariance, lower=True, check_finite=False)
        except linalg.LinAlgError:
            return math.inf, np.zeros_like(logs)
        inverse = linalg.cho_solve((factor, True), np.eye(n), check_finite=False)
        away, weights = self._weighed(inverse)
        gap = (logs - self.medians) / self._spreads
        loss = 0.5 * away @ weights + np.log(np.diag(factor)).sum() + 0.5 * gap @ gap
        # Twice the derivative of the likelihood's part by the covariance; the level is at its
        # best, so that it adds nothing.
        outer = inverse - np.outer(weights, weights)
        slopes = np.sum([part.by_lengthscale(outer.ravel()) for part in parts], axis=0)
        sizes = [outer.ravel() @ part.kernel for part in parts]
        by_noise = math.exp(2 * logs[d + 1]) * np.trace(outer)
        gradient = np.array([*slopes, sizes[0], by_noise, *sizes[1:]])
        return float(loss), gap / self._spreads + gradient

    def _parts(self, logs: Array) -> "list[_Part]":
        """The function of all settings, and the sum of those of each where there is one."""
        d, squares = self.n_settings, self._squares
        precisions = np.exp(-2 * logs[:d])
        joint = _Part(math.exp(2 * logs[d]), precisions, squares, precisions[None, :] @ squares)
        if not self._is_additive:
            return [joint]
        size = math.exp(2 * logs[d + 2]) / max(d, 1)
        return [joint, _Part(size, precisions, squares, precisions[:, None] * squares)]

    def _weighed(self, inverse: Array) -> tuple[Array, Array]:
        """(n,) Values above their level, and (n,) the inverse covariance times them."""
        if not self._has_level:
            return self._values, inverse @ self._values
        ones = inverse.sum(axis=0)
        away = self._values - ones @ self._values / ones.sum()
        return away, inverse @ away


class _Part:
    """A sum of functions with one kernel each, at n points.

    Args:
        size: Variance of each of the functions.
        precisions: (d,) One over the square of each lengthscale.
        squares: (d, n * n) Squared distances in each setting.
        within: (1 or d, n * n) The squared distance, in lengthscales, that each kernel goes by:
            that of all settings, or each.

    Attributes:
        kernel: (n * n,) Covariance.
    """

    def __init__(self, size: float, precisions: Array, squares: Array, within: Array) -> None:
        root = _ROOT5 * np.sqrt(within)
        decay = np.exp(-root)
        self.kernel: Array = size * ((1 + root + root**2 / 3) * decay).sum(axis=0)
        self._precisions, self._squares = precisions, squares
        # The kernel's derivative by the squared distance, times -2.
        self._steep = size * (5 / 3) * (1 + root) * decay

    def by_lengthscale(self, outer: Array) -> Array:
        """(d,) Derivative by the logarithm of each lengthscale, given that by the covariance."""
        if len(self._steep) == 1:
            moved = self._squares @ (self._steep[0] * outer)
        else:
            moved = (self._squares * self._steep) @ outer
        return np.asarray(0.5 * self._precisions * moved)


def posterior_mode(posterior: LogPosterior, search: ModeSearch) -> Array:
    """(p,) Logarithms of the hyperparameters at the mode of the posterior.

    Raises:
        ValueError: The numbers admit no model.
    """
    middle, n_settings = posterior.medians, posterior.n_settings
    options = {"maxiter": search.most_steps, "ftol": search.least_gain, "gtol": search.least_slope}
    found = [
        optimize.minimize(
            posterior.loss,
            middle + np.resize([*[length] * n_settings, amplitude, noise, 0.0], len(middle)),
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
