"""Ranks and rank correlations, beside SciPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from automl.search.ranks import (
    best_first,
    correlation,
    highest_plausible,
    normal_scores,
    ranks,
    tied_share,
    unrestricted,
)

SERIES = st.lists(st.integers(-5, 5), min_size=3, max_size=20)


@given(SERIES)
def test_ranks_are_scipys(values: list[int]) -> None:
    assert list(ranks([float(value) for value in values])) == list(stats.rankdata(values))


@given(st.lists(st.tuples(st.integers(-5, 5), st.sampled_from([0, 1, 2, 70_000])), max_size=20))
def test_ranks_within_groups_are_those_of_each_group_alone(pairs: list[tuple[int, int]]) -> None:
    values, groups = np.array(pairs, int).reshape(-1, 2).T
    found, order = ranks(values, groups), values.argsort()
    scores = normal_scores(values, groups)
    assert list(scores) == list(normal_scores(values, groups, order))
    for group in {*groups.tolist()}:
        alone = values[groups == group]
        assert list(found[groups == group]) == list(stats.rankdata(alone))
        assert list(scores[groups == group]) == list(normal_scores(alone))


@given(st.lists(st.integers(-3, 3), max_size=20))
def test_the_best_come_first_and_of_tied_ones_the_earlier(values: list[int]) -> None:
    given_values = np.array(values, float)
    order = best_first(given_values)
    assert list(order) == sorted(range(len(values)), key=lambda place: (-values[place], place))
    assert tied_share(given_values, order) == tied_share(given_values)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=20))
def test_correlation_is_scipys(pairs: list[tuple[int, int]]) -> None:
    one, other = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert correlation(one, other) == 0.0
    else:
        assert correlation(one, other) == pytest.approx(stats.spearmanr(one, other)[0])


@given(SERIES)
def test_normal_scores_keep_order_and_balance(values: list[int]) -> None:
    scores = normal_scores([float(value) for value in values])
    assert list(ranks(scores)) == list(ranks([float(value) for value in values]))
    if len(set(values)) == len(values):
        assert sum(scores) == pytest.approx(0.0, abs=1e-9)


def test_one_value_says_nothing() -> None:
    assert list(normal_scores([7.0])) == [0.0]
    assert list(normal_scores([])) == []
    assert correlation([1.0], [2.0]) == 0.0


def test_tied_share() -> None:
    assert tied_share([0.0, 0.0, 1.0, 2.0]) == 0.5
    assert tied_share([1.0, 2.0]) == 0.0
    assert tied_share([]) == 1.0


def test_few_points_bound_nothing() -> None:
    assert highest_plausible(-1.0, 3, 0.9) == 1.0
    assert highest_plausible(0.0, 20, 0.9) == pytest.approx(0.309, abs=0.01)
    assert highest_plausible(0.0, 20, 0.9) < highest_plausible(0.0, 10, 0.9)
    assert highest_plausible(-1.0, 8, 0.9) < 0


def test_a_narrowed_range_hides_correlation() -> None:
    assert unrestricted(0.4, 1.0) == pytest.approx(0.4)
    assert 0.4 < unrestricted(0.4, 2.0) < 1.0
    assert unrestricted(-0.4, 2.0) == -unrestricted(0.4, 2.0)
    assert unrestricted(0.0, 3.0) == 0.0
