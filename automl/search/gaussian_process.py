"""The posterior that proposals rest on: a Gaussian process over the features of a space.

Kernel, priors and hyperparameters are those of ``study.matern``; here points are rows of features,
of which several may belong to one setting, and the function is zero where nothing is known.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.spatial.distance import cdist

from automl.search.encoding import Array
from automl.study.matern import (
    JITTER,
    Hyperparameters,
    HyperPrior,
    LogPosterior,
    ModeSearch,
    matern,
    posterior_mode,
)

__all__ = ["GaussianProcess", "fit", "squared_distances"]

#: The mode is often one of two: all is smooth, or a few settings decide and the rest is noise.
_SEARCH = ModeSearch(starts=((0.0, 0.0, 0.0), (-1.0, 0.0, 0.0)))


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
        covariance = hyper.amplitude**2 * matern(cdist(scaled, scaled))
        covariance[np.diag_indices_from(covariance)] += hyper.noise**2 + extra + JITTER
        factor = cholesky(covariance, lower=True)
        return cls(hyper, owners, scaled, factor, cho_solve((factor, True), values), extra)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """(m, s) means and (m,) standard deviations of the function at features (m, f)."""
        cross = self._cross(features)
        half = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
        variance = self.hyper.amplitude**2 - np.einsum("nm,nm->m", half, half)
        return cross @ self.weights, np.sqrt(np.maximum(variance, JITTER))

    def covariance(self, features: Array) -> Array:
        """(m, m) Covariance of the function at features (m, f)."""
        scaled = features / self.hyper.lengthscales[self.owners]
        half = solve_triangular(self.factor, self._cross(features).T, lower=True)
        prior = self.hyper.amplitude**2 * matern(cdist(scaled, scaled))
        return np.asarray(prior - half.T @ half)

    def distances(self, features: Array) -> Array:
        """(m, n) Distances of features (m, f) from the observations, in lengthscales."""
        scaled = features / self.hyper.lengthscales[self.owners]
        return np.asarray(cdist(scaled, self.scaled))

    def _cross(self, features: Array) -> Array:
        return self.hyper.amplitude**2 * matern(self.distances(features))


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
    posterior = LogPosterior(squared_distances(owners, features), values, extra, prior)
    return Hyperparameters.of(posterior_mode(posterior, _SEARCH))


def squared_distances(owners: NDArray[np.intp], features: Array) -> Array:
    """(d, n, n) Squared distances of points in each setting, of features (n, f)."""
    n_settings = int(owners.max(initial=-1)) + 1
    squared = np.zeros((n_settings, len(features), len(features)))
    for column, owner in enumerate(owners):
        squared[owner] += np.square(features[:, column, None] - features[None, :, column])
    return squared
