"""How much a point promises: the logarithm of the expected improvement.

Far from anything good the expected improvement is smaller than any number that a float holds, and
its surface flat; its logarithm is neither. The stable form is that of Ament, Daulton, Eriksson,
Balandat, Bakshy (Unexpected improvements to expected improvement for Bayesian optimization,
NeurIPS 2023, appendix A).
"""

import math

import numpy as np
from scipy.special import erfcx, log_ndtr, logsumexp, ndtr

from automl.search.encoding import Array

__all__ = ["log_expected_improvement", "log_improvement_over_fantasies", "log_probability"]

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_HALF_LOG_HALF_PI = 0.5 * math.log(math.pi / 2)
#: Below this the plain form loses digits; below the second the middle one does.
_PLAIN, _FAR = -1.0, -1e4


def log_expected_improvement(mean: Array, sd: Array, best: Array | float) -> Array:
    """The logarithm of the expected improvement of a loss, in natural units.

    Args:
        mean: Expected losses.
        sd: Their standard deviations, positive.
        best: The loss to improve on.
    """
    return np.asarray(_log_h((best - mean) / sd) + np.log(sd))


def log_improvement_over_fantasies(means: Array, sd: Array, best: Array) -> Array:
    """(m,) The expected improvement averaged over s fantasies of what is not known yet.

    Args:
        means: (m, s) Expected losses under each fantasy.
        sd: (m,) Standard deviations, which no fantasy changes.
        best: (s,) The loss to improve on under each.
    """
    logs = log_expected_improvement(means, sd[:, None], best[None, :])
    return np.asarray(logsumexp(logs, axis=1) - math.log(means.shape[1]))


def log_probability(mean: Array, sd: Array, limit: float) -> Array:
    """The logarithm of the probability of lying above a limit."""
    return np.asarray(log_ndtr((mean - limit) / sd))


def _log_h(u: Array) -> Array:
    """log(phi(u) + u Phi(u)) for the standard normal density phi and distribution Phi."""
    plain = np.maximum(u, _PLAIN)
    near = np.log(np.exp(-0.5 * plain**2 - _HALF_LOG_2PI) + plain * ndtr(plain))
    low = np.minimum(u, _PLAIN)
    bounded = np.maximum(low, _FAR)
    ratio = np.log(-bounded * erfcx(-bounded / math.sqrt(2))) + _HALF_LOG_HALF_PI
    tail = np.where(low > _FAR, np.log(-np.expm1(ratio)), -2 * np.log(-low))
    return np.asarray(np.where(u > _PLAIN, near, tail - 0.5 * low**2 - _HALF_LOG_2PI))
