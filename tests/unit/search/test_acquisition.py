"""Expected improvement, near and far."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from automl.search.acquisition import (
    log_expected_improvement,
    log_improvement_over_fantasies,
    log_probability,
)


def improvement(mean: float, sd: float, best: float) -> float:
    """The integral that the expected improvement is."""
    density = norm(mean, sd).pdf
    low = min(mean, best) - 12 * sd
    return float(quad(lambda loss: (best - loss) * density(loss), low, best, limit=200)[0])


@pytest.mark.parametrize("mean", [-2.0, -0.3, 0.0, 0.9, 1.1, 3.0])
@pytest.mark.parametrize("sd", [0.3, 1.0, 2.5])
def test_it_is_the_expected_improvement(mean: float, sd: float) -> None:
    found = log_expected_improvement(np.array([mean]), np.array([sd]), 0.2)[0]
    assert math.exp(found) == pytest.approx(improvement(mean, sd, 0.2), rel=1e-5, abs=1e-12)


def test_far_off_it_still_falls_and_never_ends() -> None:
    means = np.concatenate([np.linspace(-5, 60, 400), np.geomspace(61, 1e7, 400)])
    logs = log_expected_improvement(means, np.ones(800), 0.0)
    assert np.isfinite(logs).all()
    assert (np.diff(logs) < 0).all()


@pytest.mark.parametrize("edge", [1.0, 1e4])
def test_its_three_forms_meet(edge: float) -> None:
    means = np.array([edge * (1 - 1e-7), edge, edge * (1 + 1e-7)])
    near, middle, far = log_expected_improvement(means, np.ones(3), 0.0)
    assert far - middle == pytest.approx(middle - near, rel=1e-3)


def test_over_fantasies_it_is_the_mean_of_the_improvements() -> None:
    means, sd, best = np.array([[0.0, 1.0, -1.0]]), np.array([0.7]), np.array([0.2, 0.5, -2.0])
    each = [improvement(mean, 0.7, top) for mean, top in zip(means[0], best, strict=True)]
    found = log_improvement_over_fantasies(means, sd, best)
    assert np.exp(found) == pytest.approx([np.mean(each)], rel=1e-5)


def test_the_probability_of_lying_above_a_limit() -> None:
    logs = log_probability(np.array([1.0, -40.0]), np.array([1.0, 1.0]), 0.0)
    assert logs == pytest.approx([norm.logcdf(1), norm.logcdf(-40)])
