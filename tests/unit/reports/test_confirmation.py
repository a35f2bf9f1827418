"""What trainings with other seeds say of a winner."""

import math

import pytest
from scipy import stats

from automl.reports.confirmation import confirmed
from automl.study.config import Direction, Objective
from automl.study.records import TrialRecord, TrialState

UP = Objective("val_3DIoU", Direction.MAXIMIZE)
DOWN = Objective("val_2DMPE", Direction.MINIMIZE)


def again(confirms: int, *values: float | None) -> list[TrialRecord]:
    return [
        TrialRecord(
            10 + 100 * confirms + i,
            TrialState.FAILED if value is None else TrialState.COMPLETE,
            {},
            best_epoch=None if value is None else 0,
            best_value=value,
            confirms=confirms,
        )
        for i, value in enumerate(values)
    ]


def test_the_interval_is_welchs() -> None:
    winner, default = (0.71, 0.74, 0.75), (0.60, 0.66, 0.61)
    found = confirmed([*again(0, *default), *again(4, *winner)], 4, UP)
    assert found is not None
    theirs = stats.ttest_ind(winner, default, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert found.is_better is True
    assert found.finding == "with other seeds better than the default"


def test_noise_is_not_taken_for_a_gain() -> None:
    found = confirmed([*again(0, 0.5, 0.7, 0.6), *again(4, 0.6, 0.8, 0.55)], 4, UP)
    assert found is not None
    assert found.is_better is False
    assert found.finding == "with other seeds not separable from the default"


def test_lower_is_better_where_the_objective_says_so() -> None:
    found = confirmed([*again(0, 0.50, 0.51, 0.52), *again(4, 0.10, 0.11, 0.12)], 4, DOWN)
    assert found is not None
    assert found.is_better is True


def test_failed_trainings_are_counted_and_have_no_value() -> None:
    found = confirmed([*again(0, 0.5, None), *again(4, 0.6, 0.7)], 4, UP)
    assert found is not None
    assert found.default is not None
    assert (found.default.failed, found.default.sd) == (1, None)
    assert found.low is None
    assert "too few seeds" in found.finding


def test_equal_values_have_an_interval_without_width() -> None:
    found = confirmed([*again(0, 0.5, 0.5), *again(4, 0.5, 0.5)], 4, UP)
    assert found is not None
    assert (found.low, found.high, found.is_better) == (0.0, 0.0, False)
    assert not math.isnan(found.low or 0.0)


def test_no_default_leaves_nothing_to_compare_with() -> None:
    found = confirmed(again(4, 0.6, 0.7), 4, UP)
    assert found is not None
    assert found.default is None
    assert found.difference is None


def test_nothing_is_said_before_the_winner_was_trained_again() -> None:
    assert confirmed(again(0, 0.5), 4, UP) is None
