"""The posterior of a kernel's hyperparameters, and what is then believed of points."""

import math

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from automl.study.gaussian_fit import GaussianFit
from automl.study.matern import (
    Array,
    Hyperparameters,
    HyperPrior,
    LogPosterior,
    ModeSearch,
    matern,
    posterior_mode,
)


def squared(one: Array, other: Array) -> Array:
    return np.square(one.T[:, :, None] - other.T[:, None, :])


@pytest.fixture
def points() -> Array:
    return np.random.default_rng(3).random((9, 2))


@pytest.fixture
def values(points: Array) -> Array:
    return np.asarray(np.sin(5 * points[:, 0]) + points[:, 1])


@pytest.mark.parametrize("has_level", [False, True])
@pytest.mark.parametrize("additive", [0.0, 0.5])
def test_the_gradient_is_that_of_the_loss(
    points: Array, values: Array, additive: float, *, has_level: bool
) -> None:
    prior = HyperPrior(additive=additive)
    posterior = LogPosterior(
        squared(points, points), values, np.full(9, 0.1), prior, has_level=has_level
    )
    for seed in range(5):
        size = len(posterior.medians)
        logs = posterior.medians + np.random.default_rng(seed).normal(0, 0.7, size)
        slope = approx_fprime(logs, lambda at: posterior.loss(at)[0], 1e-6)
        assert posterior.loss(logs)[1] == pytest.approx(slope, rel=1e-3, abs=1e-4)


def test_a_level_makes_a_shift_of_all_values_no_difference(points: Array, values: Array) -> None:
    losses = [
        LogPosterior(
            squared(points, points), values + shift, np.zeros(9), HyperPrior(), has_level=has_level
        ).loss(HyperPrior().medians(2))[0]
        for has_level in (True, False)
        for shift in (0.0, 7.0)
    ]
    assert losses[0] == pytest.approx(losses[1])
    assert losses[2] < losses[3] - 1.0


def test_of_two_modes_the_better_one_is_taken() -> None:
    generator = np.random.default_rng(8)
    points = generator.random((14, 3))
    values = np.sin(9 * points[:, 1]) + 0.2 * generator.standard_normal(14)
    posterior = LogPosterior(squared(points, points), values, np.zeros(14), HyperPrior())
    starts = ((0.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (2.0, 0.0, 2.0))
    alone = [posterior.loss(posterior_mode(posterior, ModeSearch((one,))))[0] for one in starts]
    assert posterior.loss(posterior_mode(posterior, ModeSearch(starts)))[0] == min(alone)


def test_numbers_that_admit_no_model_are_refused(values: Array) -> None:
    unknown = np.full((2, 9, 9), np.nan)
    posterior = LogPosterior(unknown, values, np.zeros(9), HyperPrior())
    with pytest.raises(ValueError, match="admit no model"):
        posterior_mode(posterior, ModeSearch(((0.0, 0.0, 0.0),)))


def test_the_correlation_falls_from_one_to_nothing() -> None:
    found = matern(np.array([0.0, 1.0, 3.0, 100.0]))
    # At one lengthscale (1 + sqrt(5) + 5/3) exp(-sqrt(5)), by hand.
    assert found == pytest.approx([1.0, 0.523994, 0.027725, 0.0], abs=1e-5)


def test_far_from_all_values_the_level_is_believed_and_little_known(
    points: Array, values: Array
) -> None:
    fit = GaussianFit(squared(points, points), values + 7.0)
    where = np.vstack([points[:1], [[90.0, 90.0], [-80.0, 10.0]]])
    mean, covariance = fit.predict(squared(points, where), squared(where, where))
    near, far, other = np.sqrt(np.diag(covariance))
    assert mean[0] == pytest.approx(values[0] + 7.0, abs=3 * near)
    assert values.min() < mean[1] - 7.0 < values.max()
    assert (mean[1], far) == pytest.approx((mean[2], other))
    assert far > 3 * near
    assert 0 < covariance[1, 2] < 0.9 * far**2


def test_what_is_a_sum_of_the_settings_is_known_far_from_every_point() -> None:
    """Of points along two sides of a square: the corner that is near none of them."""
    side = np.linspace(0.0, 1.0, 9)
    sides = np.concatenate(
        [np.stack([side, np.zeros(9)], 1), np.stack([np.zeros(9), side], 1)[1:]]
    )
    corner, truth = np.array([[1.0, 1.0]]), math.sin(3.0) + math.cos(2.0)
    values = np.sin(3 * sides[:, 0]) + np.cos(2 * sides[:, 1])
    errors = []
    for amplitude, additive in ((1.0, 0.0), (0.1, 1.0)):
        hyper = Hyperparameters(np.array([0.4, 0.4]), amplitude, 0.01, additive)
        covariance = hyper.covariance(squared(sides, sides)) + hyper.noise**2 * np.eye(17)
        mean = hyper.covariance(squared(corner, sides)) @ np.linalg.solve(covariance, values)
        errors.append(abs(float(mean[0]) - truth))
    assert errors[0] > 0.2
    assert errors[1] < 0.05


def test_the_covariance_of_a_point_with_itself_is_the_variance() -> None:
    hyper = Hyperparameters(np.array([0.4, 0.9]), 1.3, 0.2, 0.5)
    assert hyper.covariance(np.zeros((2, 1, 1)))[0, 0] == pytest.approx(hyper.variance)
