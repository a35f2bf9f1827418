"""What is believed before anything was trained."""

import math

import numpy as np
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from automl.search.encoding import Cube
from automl.search.exploration import interior, is_turn, least_distance, sobol
from automl.search.prior import CubePrior, Prior

CUBE = Cube.of(
    {
        "lr": FloatDistribution(1e-6, 1e-2, log=True),
        "drop": FloatDistribution(0.0, 1.0),
        "net": CategoricalDistribution(("a", "b")),
    }
)
SHARES = sobol(3, 5, 0, 1024)


def test_the_rule_is_half_a_decade_and_three_tenths_of_a_range() -> None:
    prior = CubePrior.of(CUBE, {"lr": Prior(1e-4), "drop": Prior(0.5)})
    points = prior.at(SHARES)
    decades = 4 * (points[:, 0] - 0.5)
    assert np.median(decades) == pytest.approx(0, abs=0.02)
    assert decades.std() == pytest.approx(0.5, rel=0.02)
    # Cut off at 1.67 standard deviations, 0.3 becomes less (0.3 x 0.82).
    assert points[:, 1].std() == pytest.approx(0.236, rel=0.03)
    assert points.min() >= 0
    assert points[:, :2].max() <= 1


def test_a_wide_draw_knows_stated_beliefs_alone() -> None:
    beliefs = {"lr": Prior(1e-4), "drop": Prior(0.1, 0.05, is_stated=True), "net": Prior("b", 0.2)}
    points = CubePrior.of(CUBE, beliefs).at(SHARES, is_wide=True)
    assert points[:, 0] == pytest.approx(SHARES[:, 0])
    assert points[:, 1].std() == pytest.approx(0.05, rel=0.1)
    assert points[:, 2].mean() == pytest.approx(0.8, abs=0.01)


def test_a_default_in_a_corner_keeps_the_draws_inside() -> None:
    points = CubePrior.of(CUBE, {"drop": Prior(1.0, 0.05)}).at(SHARES)
    assert points[:, 1].max() <= 1
    assert np.median(points[:, 1]) == pytest.approx(1 - 0.05 * 0.674, abs=0.003)


def test_what_nothing_is_believed_of_is_drawn_evenly() -> None:
    points = CubePrior.of(CUBE, {}).at(SHARES)
    assert points[:, :2] == pytest.approx(SHARES[:, :2])
    assert points[:, 2].mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("prior", "share"),
    [
        (Prior("b", 0.2), 0.8),
        (Prior("b", weights=(3.0, 1.0)), 0.25),
        (Prior("a", weights=(0.0, 0.0)), 0.5),
        (Prior("a"), 0.5),
    ],
)
def test_options_are_drawn_by_width_else_by_weight(prior: Prior, share: float) -> None:
    points = CubePrior.of(CUBE, {"net": prior}).at(SHARES)
    assert points[:, 2].mean() == pytest.approx(share, abs=0.01)


def test_the_density_is_that_of_the_draws() -> None:
    stated = {"lr": Prior(1e-4, is_stated=True), "net": Prior("b", 0.2, is_stated=True)}
    prior = CubePrior.of(CUBE, stated)
    points = np.array([[0.5, 0.1, 1.0], [0.625, 0.9, 1.0], [0.5, 0.1, 0.0]])
    middle, aside, other = prior.log_density(points)
    assert middle - aside == pytest.approx(0.5)
    assert middle - other == pytest.approx(math.log(4))


def test_the_defaults_rule_has_no_weight_beyond_the_first_points() -> None:
    prior = CubePrior.of(CUBE, {"lr": Prior(1e-4), "net": Prior("b", 0.2)})
    assert not prior.log_density(SHARES.round()).any()


def test_the_points_of_a_sequence_belong_together() -> None:
    one_by_one = np.concatenate([sobol(4, 9, index) for index in range(32)])
    assert np.array_equal(one_by_one, sobol(4, 9, 0, 32))
    # One point in each 32nd of every side: what no independent draws do.
    for column in (32 * one_by_one).astype(int).T:
        assert sorted(column) == list(range(32))


def test_every_fifth_proposal_explores_and_every_second_where_nothing_tells_trials_apart() -> None:
    assert [number for number in range(1, 21) if is_turn(number)] == [5, 10, 15, 20]
    assert [number for number in range(1, 7) if is_turn(number, is_flat=True)] == [2, 4, 6]


def test_proposals_may_come_nearer_to_what_is_known_once_20_trials_are_over() -> None:
    assert [least_distance(number, 3) for number in (1, 20, 21, 90)] == [0.2, 0.2, 0.03, 0.03]
    assert [least_distance(number, 2) for number in (1, 20, 21, 90)] == [0.03] * 4


def test_exploration_stays_in_the_interior() -> None:
    cube = Cube.of({"x": FloatDistribution(0, 1), "y": IntDistribution(0, 15)})
    points = interior(cube, np.zeros(2), np.ones(2), 500, np.random.default_rng(0))
    assert points.min() >= 0.1
    assert points.max() <= 0.9
    assert points[:, 0].std() == pytest.approx(0.75 / math.sqrt(12), rel=0.05)


def test_in_many_settings_those_that_matter_move() -> None:
    space: dict[str, BaseDistribution] = {f"x{at}": FloatDistribution(0, 1) for at in range(5)}
    origin, lengthscales = np.full(5, 0.97), np.array([0.2, 0.2, 8.0, 8.0, 8.0])
    points = interior(Cube.of(space), origin, lengthscales, 400, np.random.default_rng(0))
    moved = points != origin
    assert set(moved.sum(axis=1)) == {2}
    assert moved[:, :2].mean() > 0.9
    assert 0 < moved[:, 2:].mean() < 0.1
