"""The test that may be looked at after every pair."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.study.sequential import (
    FEWEST_PAIRS,
    MOST_PAIRS,
    Answer,
    chance_of_better,
    decide,
    interval,
    pairs_for,
    pairs_likely,
)

_DIFFERENCES = st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=8)


def looked_at(rng: np.random.Generator, mean: float, sd: float = 0.02) -> tuple[Answer, int]:
    """Pairs until the answer is known."""
    seen: list[float] = []
    while decide(seen) is Answer.OPEN:
        seen.append(mean + sd * rng.standard_normal())
    return decide(seen), len(seen)


def test_looked_at_after_every_pair_chance_is_seldom_taken_for_a_gain() -> None:
    rng = np.random.default_rng(1)
    answers = [looked_at(rng, 0.0)[0] for _ in range(400)]
    assert answers.count(Answer.BETTER) <= 0.05 * len(answers)
    assert answers.count(Answer.WORSE) <= 0.05 * len(answers)


def test_a_clear_gain_is_found_soon() -> None:
    rng = np.random.default_rng(2)
    found = [looked_at(rng, 0.08) for _ in range(50)]
    assert sum(answer is Answer.BETTER for answer, _ in found) >= 48
    assert np.mean([n for _, n in found]) < 7


def test_what_has_no_chance_is_given_up_long_before_the_last_pair() -> None:
    rng = np.random.default_rng(3)
    found = [looked_at(rng, -0.01) for _ in range(50)]
    assert np.mean([n for _, n in found]) < MOST_PAIRS / 2


def test_it_ends_after_the_last_pair() -> None:
    rng = np.random.default_rng(4)
    assert all(looked_at(rng, 0.009)[1] <= MOST_PAIRS for _ in range(50))


def test_what_was_decided_stays_decided() -> None:
    sure = [0.100, 0.101, 0.099, 0.100]
    assert decide(sure) is Answer.BETTER
    assert decide([*sure, -5.0, -5.0]) is Answer.BETTER


def test_pairs_that_always_agree_decide_without_deviation() -> None:
    assert decide([0.1] * FEWEST_PAIRS) is Answer.BETTER
    assert decide([-0.1] * FEWEST_PAIRS) is Answer.WORSE
    assert decide([0.0] * FEWEST_PAIRS) is Answer.HOPELESS
    assert decide([0.1] * (FEWEST_PAIRS - 1)) is Answer.OPEN


@given(_DIFFERENCES)
def test_an_interval_turns_with_its_differences_and_only_shrinks(values: list[float]) -> None:
    low, high = interval(values)
    turned = interval([-value for value in values])
    assert (-turned[1], -turned[0]) == pytest.approx((low, high))
    assert low <= high
    before = interval(values[:-1])
    is_empty = math.isinf(before[0]) or low < before[0] or high > before[1]
    assert is_empty or (before[0] <= low and high <= before[1])


def test_the_interval_holds_the_truth_at_every_look_nineteen_times_of_twenty() -> None:
    rng = np.random.default_rng(5)
    missed = 0
    for _ in range(300):
        values = list(0.3 + 0.1 * rng.standard_normal(12))
        looks = (interval(values[:n]) for n in range(2, 13))
        missed += any(not low <= 0.3 <= high for low, high in looks)
    assert missed <= 0.05 * 300


def test_chances_are_chances() -> None:
    good, poor = [0.05, 0.06, 0.04], [0.05, -0.06, 0.01]
    assert chance_of_better(good, 20) > 0.9 > 0.5 > chance_of_better(poor, 20)
    assert chance_of_better(good, 3) == 0.0
    assert pairs_likely(good) < pairs_likely(poor) == MOST_PAIRS
    assert pairs_likely([]) == FEWEST_PAIRS


def test_what_a_difference_costs() -> None:
    large, small = pairs_for(0.06, 0.01), pairs_for(0.03, 0.01)
    assert large is not None
    assert small is not None
    assert large < small
    assert pairs_for(0.001, 0.01) is None
    assert pairs_for(0.0, 0.01) is None
    assert pairs_for(0.03, 0.0) == FEWEST_PAIRS
    rng = np.random.default_rng(6)
    spread = math.sqrt(2.0) * 0.01
    found = [looked_at(rng, 0.03, spread) for _ in range(60)]
    assert sum(a is Answer.BETTER and n <= small for a, n in found) >= 0.85 * len(found)
