"""The posterior against its textbook form, and its hyperparameters."""

import math

import numpy as np
import pytest

from automl.search.encoding import Array
from automl.search.gaussian_process import GaussianProcess, fit, squared_distances
from automl.study.matern import Hyperparameters, HyperPrior

PRIOR = HyperPrior()


def matern(a: Array, b: Array, hyper: Hyperparameters) -> Array:
    """The kernel written out, one entry after the other."""
    rows = []
    for x in a:
        row = []
        for y in b:
            r = math.sqrt(sum(((x - y) / hyper.lengthscales) ** 2))
            term = 1 + math.sqrt(5) * r + 5 / 3 * r * r
            joint = hyper.amplitude**2 * term * math.exp(-math.sqrt(5) * r)
            row.append(joint + hyper.additive**2 * each_alone(abs(x - y), hyper))
        rows.append(row)
    return np.array(rows)


def each_alone(apart: Array, hyper: Hyperparameters) -> float:
    distances = math.sqrt(5) * apart / hyper.lengthscales
    return float(np.mean((1 + distances + distances**2 / 3) * np.exp(-distances)))


@pytest.fixture
def points() -> Array:
    return np.random.default_rng(3).random((9, 2))


@pytest.fixture
def values(points: Array) -> Array:
    return np.asarray(np.sin(5 * points[:, 0]) + points[:, 1])


@pytest.mark.parametrize("additive", [0.0, 0.6])
def test_the_posterior_is_that_of_the_textbook(
    points: Array, values: Array, additive: float
) -> None:
    hyper = Hyperparameters(np.array([0.4, 0.9]), 1.3, 0.2, additive)
    extra = np.linspace(0, 0.5, len(points))
    where = np.random.default_rng(4).random((5, 2))
    model = GaussianProcess.condition(hyper, np.arange(2), points, values[:, None], extra)
    means, sd = model.predict(where)
    inverse = np.linalg.inv(matern(points, points, hyper) + np.diag(0.04 + extra))
    cross = matern(where, points, hyper)
    covariance = matern(where, where, hyper) - cross @ inverse @ cross.T
    assert means[:, 0] == pytest.approx(cross @ inverse @ values, abs=1e-6)
    assert sd == pytest.approx(np.sqrt(np.diag(covariance)), abs=1e-6)
    assert model.covariance(where) == pytest.approx(covariance, abs=1e-6)


def test_a_level_is_learned_from_the_values(points: Array, values: Array) -> None:
    hyper = Hyperparameters(np.array([0.2, 0.2]), 1.0, 0.1)
    far, extra = np.array([[9.0, 9.0]]), np.zeros(len(points))
    both = np.stack([values, values + 5.0], axis=1)
    model = GaussianProcess.condition(hyper, np.arange(2), points, both, extra, has_level=True)
    inverse = np.linalg.inv(matern(points, points, hyper) + 0.01 * np.eye(len(points)))
    level = inverse.sum(axis=0) @ values / inverse.sum()
    assert model.predict(far)[0][0] == pytest.approx([level, level + 5.0])
    near = model.predict(points)[0]
    assert near[:, 1] - near[:, 0] == pytest.approx(np.full(len(points), 5.0))


def test_features_of_one_choice_share_a_lengthscale() -> None:
    owners = np.array([0, 0, 1])
    features = np.array([[1, 0, 0.2], [0, 1, 0.4], [1, 0, 0.9], [0, 1, 0.1]]) / math.sqrt(2)
    squared = squared_distances(owners, features)
    assert squared[0] == pytest.approx(np.array([[0, 1, 0, 1], [1, 0, 1, 0]] * 2))
    assert squared[1, 0] == pytest.approx(np.array([0, 0.02, 0.245, 0.005]))


def test_what_matters_gets_the_shorter_lengthscale() -> None:
    points = np.random.default_rng(0).random((40, 3))
    values = np.sin(8 * points[:, 1])
    lengthscales = fit(np.arange(3), points, values, np.zeros(40), PRIOR).lengthscales
    assert lengthscales[1] < 0.3 * min(lengthscales[0], lengthscales[2])


def test_noise_is_seen_where_there_is_noise() -> None:
    generator = np.random.default_rng(0)
    points = generator.random((60, 1))
    smooth = np.sin(4 * points[:, 0])
    noisy = smooth + 0.3 * generator.standard_normal(60)
    found = [fit(np.arange(1), points, one, np.zeros(60), PRIOR).noise for one in (smooth, noisy)]
    assert found[0] < 0.05
    assert found[1] == pytest.approx(0.3, rel=0.3)


def test_one_value_leaves_the_priors_as_they_are() -> None:
    found = fit(np.arange(2), np.full((1, 2), 0.5), np.zeros(1), np.zeros(1), PRIOR)
    assert found.lengthscales == pytest.approx(np.full(2, 0.5), rel=0.05)


def test_a_point_that_was_tried_twice_is_no_obstacle(points: Array, values: Array) -> None:
    twice, again = np.repeat(points, 2, axis=0), np.repeat(values, 2)
    hyper = fit(np.arange(2), twice, again, np.zeros(18), PRIOR)
    model = GaussianProcess.condition(hyper, np.arange(2), twice, again[:, None], np.zeros(18))
    assert model.predict(points)[0][:, 0] == pytest.approx(values, abs=0.1)


def test_a_noisier_value_moves_the_mean_less() -> None:
    hyper = Hyperparameters(np.array([0.5]), 1.0, 0.1)
    where, value = np.array([[0.5]]), np.array([[1.0]])
    means = [
        GaussianProcess.condition(hyper, np.arange(1), where, value, np.array([extra])).predict(
            where
        )[0][0, 0]
        for extra in (0.0, 1.0)
    ]
    assert means == pytest.approx([1 / 1.01, 1 / 2.01])
