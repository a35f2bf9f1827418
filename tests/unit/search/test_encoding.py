"""A search space as a cube."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from automl.search.activity import Activity
from automl.search.encoding import Cube, dimension_of

SPACE: dict[str, BaseDistribution] = {
    "lr": FloatDistribution(1e-6, 1e-2, log=True),
    "momentum": FloatDistribution(0.5, 0.9),
    "drop": FloatDistribution(0.0, 0.5, step=0.1),
    "batch": IntDistribution(1, 32, log=True),
    "angle": IntDistribution(0, 90, step=5),
    "net": CategoricalDistribution(("a", "b", "c")),
    "flip": CategoricalDistribution((False, True)),
}
CUBE = Cube.of(SPACE)


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=len(SPACE), max_size=len(SPACE)))
def test_every_point_stands_for_values_of_the_space_and_back(shares: list[float]) -> None:
    point = CUBE.spread(np.array([shares]))
    params = CUBE.decode(point[0])
    for name, value in params.items():
        assert SPACE[name]._contains(SPACE[name].to_internal_repr(value))
    assert CUBE.encode([params]) == pytest.approx(point, abs=1e-12)
    assert CUBE.snap(point) == pytest.approx(point, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "value", "coordinate"),
    [
        ("lr", 1e-4, 0.5),
        ("momentum", 0.6, 0.25),
        # Six values with a cell of a sixth each; the second lies in the middle of its own.
        ("drop", 0.1, 0.25),
        ("angle", 45, 0.5),
        ("net", "c", 2.0),
        ("flip", True, 1.0),
    ],
)
def test_a_value_lies_on_its_own_scale(name: str, value: Any, coordinate: float) -> None:
    assert dimension_of(name, SPACE[name]).encode(value) == pytest.approx(coordinate)


def test_each_value_of_a_grid_has_the_same_room() -> None:
    shares = (np.arange(6000)[:, None] + 0.5) / 6000
    points = Cube.of({"drop": SPACE["drop"]}).spread(shares)
    assert set(np.unique(points.round(9), return_counts=True)[1]) == {1000}


def test_values_have_the_type_that_the_space_says() -> None:
    params = CUBE.decode(CUBE.spread(np.full((1, len(SPACE)), 0.4))[0])
    kinds = [type(params[name]) for name in SPACE]
    assert kinds == [float, float, float, int, int, str, bool]


def test_two_options_are_as_far_apart_as_the_ends_of_a_range() -> None:
    cube = Cube.of({"net": SPACE["net"], "momentum": SPACE["momentum"]})
    features = cube.features(np.array([[0, 0.0], [2, 0.0], [0, 1.0]]))
    assert np.linalg.norm(features[0] - features[1]) == pytest.approx(1)
    assert np.linalg.norm(features[0] - features[2]) == pytest.approx(1)
    assert cube.owners.tolist() == [0, 0, 0, 1]


def test_what_has_one_value_is_no_dimension() -> None:
    cube = Cube.of({"one": IntDistribution(3, 3), "only": CategoricalDistribution(("a",))})
    assert len(cube) == 0
    assert cube.decode([]) == {"one": 3, "only": "a"}


def test_trials_that_lack_a_setting_do_not_differ_in_it() -> None:
    features = CUBE.features(CUBE.encode([{"net": "a"}, {"net": "b"}, {"net": "a"}]))
    assert np.array_equal(features[0], features[2])
    assert np.linalg.norm(features[0] - features[1]) == pytest.approx(1)


@pytest.mark.parametrize("value", [None, "d", -1.0])
def test_a_value_that_it_does_not_know_is_missing(value: Any) -> None:
    name = "lr" if value == -1.0 else "net"
    assert np.isnan(dimension_of(name, SPACE[name]).encode(value))


def test_a_setting_that_one_option_alone_has_is_absent_under_the_others() -> None:
    cube = Cube.of({"net": SPACE["net"], "momentum": SPACE["momentum"], "lr": SPACE["lr"]})
    seen = cube.encode(
        [{"net": "a", "momentum": 0.6, "lr": 1e-4}, {"net": "b", "lr": 1e-3}, {"net": "b"}]
    )
    points = np.array([[0.0, 0.3, 0.5], [1.0, 0.3, 0.5], [2.0, 0.3, 0.5]])
    masked = Activity.of(cube, seen).masked(points)
    # ``lr`` is lacking in one trial of b and there in another: no option says why.
    assert np.isnan(masked).tolist() == [[False] * 3, [False, True, False], [False] * 3]


def test_where_nothing_is_missing_nothing_is_masked() -> None:
    cube = Cube.of({"net": SPACE["net"], "momentum": SPACE["momentum"]})
    points = np.array([[0.0, 0.3], [1.0, 0.3]])
    assert np.array_equal(Activity.of(cube, points).masked(points), points)
