"""The posterior that proposals rest on: a Gaussian process over the features of a space.

Kernel, priors and hyperparameters are those of ``study.matern``; here points are rows of features,
of which several may belong to one setting. Where nothing is known the function is zero, or at a
level that the values tell.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular

from automl.search.encoding import Array
from automl.study.matern import (
    JITTER,
    Hyperparameters,
    HyperPrior,
    LogPosterior,
    ModeSearch,
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
        seen: (n, f) Features of the observations.
        factor: (n, n) Lower Cholesky factor of their covariance with noise.
        level: (s,) What is expected where nothing is known.
        weights: (n, s) The inverse covariance times the values above the level.
        extra: (n,) Variance of the noise of each observation beyond that of any training.
    """

    hyper: Hyperparameters
    owners: NDArray[np.intp]
    seen: Array
    factor: Array
    level: Array
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
        *,
        has_level: bool = False,
    ) -> "GaussianProcess":
        """The posterior of values (n, s) at features (n, f), with noise variances ``extra``.

        With a level it is what generalised least squares say (Rasmussen and Williams, 2006, sec.
        2.7), and zero otherwise.
        """
        covariance = hyper.covariance(squared_distances(owners, features))
        covariance[np.diag_indices_from(covariance)] += hyper.noise**2 + extra + JITTER
        factor = cholesky(covariance, lower=True)
        weights = cho_solve((factor, True), values)
        level = np.zeros(values.shape[1])
        if has_level:
            ones = cho_solve((factor, True), np.ones(len(values)))
            level = ones @ values / ones.sum()
            weights = weights - np.outer(ones, level)
        return cls(hyper, owners, features, factor, level, weights, extra)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """(m, s) means and (m,) standard deviations of the function at features (m, f)."""
        cross = self._cross(features)
        half = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
        variance = self.hyper.variance - np.einsum("nm,nm->m", half, half)
        return self.level + cross @ self.weights, np.sqrt(np.maximum(variance, JITTER))

    def covariance(self, features: Array) -> Array:
        """(m, m) Covariance of the function at features (m, f)."""
        half = solve_triangular(self.factor, self._cross(features).T, lower=True)
        prior = self.hyper.covariance(squared_distances(self.owners, features))
        return np.asarray(prior - half.T @ half)

    def _cross(self, features: Array) -> Array:
        return self.hyper.covariance(squared_distances(self.owners, features, self.seen))


def fit(
    owners: NDArray[np.intp],
    features: Array,
    values: Array,
    extra: Array,
    prior: HyperPrior,
    *,
    has_level: bool = False,
) -> Hyperparameters:
    """The hyperparameters at their posterior mode.

    Args:
        owners: (f,) The setting, from 0 to d - 1, that each feature belongs to.
        features: (n, f) The points; n at least 1.
        values: (n,) Standardised values.
        extra: (n,) Variances of noise beyond that of any training.
        prior: Priors of the hyperparameters.
        has_level: Whether the function has a level that the values tell.
    """
    squared = squared_distances(owners, features)
    posterior = LogPosterior(squared, values, extra, prior, has_level=has_level)
    return Hyperparameters.of(posterior_mode(posterior, _SEARCH), len(squared))


def squared_distances(
    owners: NDArray[np.intp], features: Array, others: Array | None = None
) -> Array:
    """(d, n, m) Squared distances in each setting of features (n, f) and (m, f).

    Args:
        owners: (f,) The setting that each feature belongs to.
        features: (n, f) Points.
        others: (m, f) Points; None for the same.
    """
    others = features if others is None else others
    squared = np.zeros((int(owners.max(initial=-1)) + 1, len(features), len(others)))
    for column, owner in enumerate(owners):
        squared[owner] += np.square(features[:, column, None] - others[None, :, column])
    return squared
