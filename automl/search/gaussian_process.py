"""A Gaussian process for few and noisy values, with its hyperparameters at their posterior mode.

The kernel is Matern-5/2 with one lengthscale a setting (Rasmussen and Williams, Gaussian Processes
for Machine Learning, 2006, eq. 4.17 and sec. 5.1). Every hyperparameter has a log-normal prior:
with ten trainings the likelihood alone says little, and its maximum is often a corner. The mode is
found by L-BFGS-B on the analytic gradient (ibid., eq. 5.9); no random number is drawn.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from automl.search.encoding import Array

__all__ = ["GaussianProcess", "HyperPrior", "Hyperparameters", "fit"]

_ROOT5 = math.sqrt(5.0)
#: Added to the diagonal, so that a matrix of repeated points stays positive definite.
_JITTER = 1e-8
_MOST_STEPS = 60
#: How far from the medians of their priors the logarithms may go.
_REACH = 6.0


@dataclass(frozen=True, slots=True)
class HyperPrior:
    """Log-normal priors: median and standard deviation of the logarithm.

    The values are standardised before, so that amplitude and noise are shares of their spread.
    Lengthscales grow with the root of the number of settings, as distances in a cube do (Hvarfner,
    Hellsten, Nardi, Vanilla Bayesian optimization performs great in high dimensions, ICML 2024).

    Attributes:
        lengthscale: Median for two settings, in sides of the cube.
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
        lengthscales: (d,) One a setting, in sides of the cube.
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
class GaussianProcess:
    """The posterior after n observations, for s sets of values at once.

    Attributes:
        hyper: The kernel's hyperparameters.
        owners: (f,) The setting that each feature belongs to.
        scaled: (n, f) Features of the observations, in lengthscales.
        factor: (n, n) Lower Cholesky factor of their covariance with noise.
        weights: (n, s) The inverse covariance times the values.
        extra: (n,) Variance of the noise of each observation beyond that of any training.
    """

    hyper: Hyperparameters
    owners: NDArray[np.intp]
    scaled: Array
    factor: Array
    weights: Array
    extra: Array

    @classmethod
    def condition(
        cls,
        hyper: Hyperparameters,
        owners: NDArray[np.intp],
        features: Array,
        values: Array,
        extra: Array,
    ) -> "GaussianProcess":
        """The posterior of values (n, s) at features (n, f), with noise variances ``extra``."""
        scaled = features / hyper.lengthscales[owners]
        covariance = hyper.amplitude**2 * _matern(cdist(scaled, scaled))
        covariance[np.diag_indices_from(covariance)] += hyper.noise**2 + extra + _JITTER
        factor = cholesky(covariance, lower=True)
        return cls(hyper, owners, scaled, factor, cho_solve((factor, True), values), extra)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """(m, s) means and (m,) standard deviations of the function at features (m, f)."""
        cross = self._cross(features)
        half = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
        variance = self.hyper.amplitude**2 - np.einsum("nm,nm->m", half, half)
        return cross @ self.weights, np.sqrt(np.maximum(variance, _JITTER))

    def covariance(self, features: Array) -> Array:
        """(m, m) Covariance of the function at features (m, f)."""
        scaled = features / self.hyper.lengthscales[self.owners]
        half = solve_triangular(self.factor, self._cross(features).T, lower=True)
        prior = self.hyper.amplitude**2 * _matern(cdist(scaled, scaled))
        return np.asarray(prior - half.T @ half)

    def distances(self, features: Array) -> Array:
        """(m, n) Distances of features (m, f) from the observations, in lengthscales."""
        scaled = features / self.hyper.lengthscales[self.owners]
        return np.asarray(cdist(scaled, self.scaled))

    def _cross(self, features: Array) -> Array:
        return self.hyper.amplitude**2 * _matern(self.distances(features))


def fit(
    owners: NDArray[np.intp],
    features: Array,
    values: Array,
    extra: Array,
    prior: HyperPrior,
) -> Hyperparameters:
    """The hyperparameters at their posterior mode.

    Args:
        owners: (f,) The setting, from 0 to d - 1, that each feature belongs to.
        features: (n, f) The points; n at least 1.
        values: (n,) Standardised values.
        extra: (n,) Variances of noise beyond that of any training.
        prior: Priors of the hyperparameters.
    """
    n_settings = int(owners.max(initial=-1)) + 1
    posterior = _LogPosterior.of(owners, features, values, extra, prior)
    middle, spread = prior.medians(n_settings), prior.spreads(n_settings)
    bounds = [(at - _REACH, at + _REACH) for at in middle]
    # The mode is often one of two: all is smooth, or a few settings decide and the rest is noise.
    rough = middle.copy()
    rough[:n_settings] -= spread[:n_settings]
    options = {"maxiter": _MOST_STEPS}
    found = [
        minimize(
            posterior.loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        for start in (middle, rough)
    ]
    return Hyperparameters.of(min(found, key=lambda one: float(one.fun)).x)


@dataclass(frozen=True, slots=True)
class _LogPosterior:
    """The negative logarithm of the posterior of the hyperparameters, up to a constant."""

    squares: Array  # (d, n * n) squared distances in each setting
    values: Array
    extra: Array
    medians: Array
    spreads: Array

    @classmethod
    def of(
        cls,
        owners: NDArray[np.intp],
        features: Array,
        values: Array,
        extra: Array,
        prior: HyperPrior,
    ) -> "_LogPosterior":
        n_settings = int(owners.max(initial=-1)) + 1
        squares = np.zeros((n_settings, len(values) ** 2))
        for column, owner in enumerate(owners):
            gaps = features[:, column, None] - features[None, :, column]
            squares[owner] += np.square(gaps).ravel()
        medians, spreads = prior.medians(n_settings), prior.spreads(n_settings)
        return cls(squares, values, extra, medians, spreads)

    def loss(self, logs: Array) -> tuple[float, Array]:
        """Value and gradient (d + 2,) at the logarithms of the hyperparameters."""
        n = len(self.values)
        amplitude2, noise2 = math.exp(2 * logs[-2]), math.exp(2 * logs[-1])
        inverse2 = np.exp(-2 * logs[:-2])
        root = _ROOT5 * np.sqrt(inverse2 @ self.squares)
        decay = np.exp(-root)
        signal = amplitude2 * (1 + root + root**2 / 3) * decay
        covariance = signal.reshape(n, n).copy()
        covariance[np.diag_indices(n)] += noise2 + self.extra + _JITTER
        factor = cholesky(covariance, lower=True, check_finite=False)
        inverse = cho_solve((factor, True), np.eye(n), check_finite=False)
        weights = inverse @ self.values
        gap = (logs - self.medians) / self.spreads
        loss = 0.5 * self.values @ weights + np.log(np.diag(factor)).sum() + 0.5 * gap @ gap
        outer = inverse - np.outer(weights, weights)
        slope = outer.ravel() * (amplitude2 * 5 / 3) * (1 + root) * decay
        gradient = gap / self.spreads
        gradient[:-2] += 0.5 * inverse2 * (self.squares @ slope)
        gradient[-2] += outer.ravel() @ signal
        gradient[-1] += noise2 * np.trace(outer)
        return float(loss), gradient


def _matern(distances: Array) -> Array:
    """Matern-5/2 correlation at distances in lengthscales."""
    root = _ROOT5 * distances
    return np.asarray((1 + root + root**2 / 3) * np.exp(-root))
