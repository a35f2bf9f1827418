"""What trainings with other seeds say of a winner."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from automl.reports.confirmation import Verdict, confirmed
from automl.study.config import Direction, Objective, StudyConfig
from automl.study.records import FailureClass, TrialRecord, TrialState

CONFIG = StudyConfig("unit", "/skill", "on", "default", Objective("val_3DIoU", Direction.MAXIMIZE))
DOWN_CONFIG = replace(CONFIG, objective=Objective("val_2DMPE", Direction.MINIMIZE))


def again(confirms: int, *values: float | None) -> list[TrialRecord]:
    return [
        TrialRecord(
            10 + 100 * confirms + i,
            TrialState.FAILED if value is None else TrialState.COMPLETE,
            {},
            best_epoch=None if value is None else 0,
            best_value=value,
            confirms=confirms,
            failure=FailureClass.DIVERGED if value is None else None,
        )
        for i, value in enumerate(values)
    ]


def test_the_interval_is_welchs() -> None:
    winner, default = (0.71, 0.74, 0.75), (0.60, 0.66, 0.61)
    found = confirmed([*again(0, *default), *again(4, *winner)], 4, CONFIG)
    assert found is not None
    theirs = stats.ttest_ind(winner, default, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert found.verdict is Verdict.BETTER
    assert found.finding == "better than the default with fresh seeds"


def test_noise_is_not_taken_for_a_gain() -> None:
    found = confirmed([*again(0, 0.5, 0.7, 0.6), *again(4, 0.6, 0.8, 0.55)], 4, CONFIG)
    assert found is not None
    assert found.verdict is Verdict.NOT_SEPARABLE
    assert found.finding == "not separable from the default with fresh seeds"


def test_a_winner_that_was_lucky_can_be_worse() -> None:
    found = confirmed([*again(0, 0.70, 0.71, 0.72), *again(4, 0.50, 0.52, 0.51)], 4, CONFIG)
    assert found is not None
    assert found.verdict is Verdict.WORSE
    assert found.finding == "worse than the default with fresh seeds"


def test_lower_is_better_where_the_objective_says_so() -> None:
    found = confirmed([*again(0, 0.50, 0.51, 0.52), *again(4, 0.10, 0.11, 0.12)], 4, DOWN_CONFIG)
    assert found is not None
    assert found.verdict is Verdict.BETTER


@given(
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6),
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6),
)
def test_the_verdict_turns_with_the_direction(ours: list[float], base: list[float]) -> None:
    records = [*again(0, *base), *again(4, *ours)]
    mirrored = [replace(r, best_value=-(r.best_value or 0.0)) for r in records]
    up, down = confirmed(records, 4, CONFIG), confirmed(mirrored, 4, DOWN_CONFIG)
    assert up is not None
    assert down is not None
    assert up.verdict is down.verdict
    assert up.verdict is not None
    assert (up.low or 0.0) <= (up.high or 0.0)


def test_failed_trainings_are_counted_and_have_no_value() -> None:
    found = confirmed([*again(0, 0.5, None), *again(4, 0.6, 0.7)], 4, CONFIG)
    assert found is not None
    assert found.default is not None
    assert (found.default.failed, found.default.sd) == ({"diverged": 1}, None)
    assert found.low is None
    assert found.finding == "trained with too few fresh seeds to tell"
    assert "1 of 2 failed: 1 diverged" in found.means


def test_settings_that_break_more_trainings_than_the_default_are_not_better() -> None:
    ours = again(4, 0.90, None, 0.91, None, None)
    found = confirmed([*again(0, 0.5, 0.51, 0.52, 0.5, 0.51), *ours], 4, CONFIG)
    assert found is not None
    assert found.low is not None
    assert found.low > 0
    assert found.verdict is Verdict.NOT_SEPARABLE
    assert found.finding == (
        "not separable from the default with fresh seeds, and 3 of 5 failed: 3 diverged"
    )


def test_what_the_machine_broke_does_not_count_against_the_settings() -> None:
    lost = replace(again(4, None)[0], failure=FailureClass.KILLED)
    records = [*again(0, 0.50, 0.51, 0.52), *again(4, 0.90, 0.91), lost]
    found = confirmed(records, 4, CONFIG)
    assert found is not None
    assert found.verdict is Verdict.BETTER
    assert "1 of 3 failed: 1 killed" in found.finding


def test_a_training_stopped_early_has_no_value() -> None:
    stopped = replace(again(4, 0.99)[0], number=99, state=TrialState.PRUNED)
    found = confirmed([*again(0, 0.5, 0.6), *again(4, 0.6, 0.7), stopped], 4, CONFIG)
    assert found is not None
    assert found.winner.values == (0.6, 0.7)
    assert found.winner.failed == {"pruned": 1}


def test_equal_values_have_an_interval_without_width() -> None:
    found = confirmed([*again(0, 0.5, 0.5), *again(4, 0.5, 0.5)], 4, CONFIG)
    assert found is not None
    assert (found.low, found.high, found.verdict) == (0.0, 0.0, Verdict.NOT_SEPARABLE)
    assert found.details[-1] == (
        "zero variance: every fresh seed of trial 4 and of trial 0 gave the same value"
    )


@pytest.mark.parametrize("noise", [0.0, 1e-17])
def test_one_side_without_variance_is_said_and_has_an_interval(noise: float) -> None:
    constant = (0.3, 0.3 + noise, 0.1 + 0.2)
    found = confirmed([*again(0, *constant), *again(4, 0.7, 0.8, 0.9)], 4, CONFIG)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.5 < found.high
    assert found.verdict is Verdict.BETTER
    assert found.details[-1] == "zero variance: every fresh seed of trial 0 gave the same value"


def test_different_values_without_variance_are_told_apart() -> None:
    found = confirmed([*again(0, 0.5, 0.5), *again(4, 0.4, 0.4)], 4, CONFIG)
    assert found is not None
    assert found.verdict is Verdict.WORSE
    assert "zero variance" in found.details[-1]


def test_no_default_leaves_nothing_to_compare_with() -> None:
    found = confirmed(again(4, 0.6, 0.7), 4, CONFIG)
    assert found is not None
    assert found.default is None
    assert found.difference is None


def test_nothing_is_said_before_the_winner_was_trained_again() -> None:
    assert confirmed(again(0, 0.5), 4, CONFIG) is None
