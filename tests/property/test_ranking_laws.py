"""Laws of the ranking: ties, both directions, and any change of scale that keeps the order."""

import math
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from automl.study.config import Direction, Objective
from automl.study.ranking import (
    best_epoch,
    best_of,
    best_trial,
    better,
    is_ranked,
    running_best,
    values_in,
)
from automl.study.records import Measurement, TrialRecord, TrialState

UP = Objective("m", Direction.MAXIMIZE)
DOWN = Objective("m", Direction.MINIMIZE)

#: Few different values, so that ties are the rule and not the exception.
_VALUES = st.integers(-3, 3).map(float)
_CURVES = st.dictionaries(st.integers(0, 50), _VALUES, max_size=12)
_OBJECTIVES = st.sampled_from([UP, DOWN])


@st.composite
def _records(draw: st.DrawFn) -> list[TrialRecord]:
    """Trials of a search and of its confirmation, in any state, numbered in any order."""
    numbers = draw(st.lists(st.integers(0, 60), unique=True, max_size=15))
    records = []
    for number in numbers:
        state = draw(st.sampled_from(TrialState))
        value = draw(st.none() | _VALUES)
        confirms = draw(st.sampled_from([None, None, 0]))
        epoch = None if value is None else 0
        record = TrialRecord(number, state, {}, best_epoch=epoch, best_value=value)
        records.append(replace(record, confirms=confirms))
    return records


def _mirrored(record: TrialRecord) -> TrialRecord:
    return record if record.best_value is None else replace(record, best_value=-record.best_value)


@given(_records(), _OBJECTIVES)
def test_no_ranked_trial_beats_the_best_and_none_before_it_equals_it(
    records: list[TrialRecord], objective: Objective
) -> None:
    ranked = [record for record in records if is_ranked(record)]
    best = best_trial(records, objective)
    assert (best is None) == (not ranked)
    if best is None or best.best_value is None:
        return
    assert best in ranked
    for record in ranked:
        assert not objective.is_better(record.best_value or 0.0, best.best_value)
        if record.best_value == best.best_value:
            assert best.number <= record.number


@given(_records(), st.randoms(use_true_random=False))
def test_the_order_in_which_trials_are_read_does_not_matter(
    records: list[TrialRecord], random: Random
) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)
    assert best_trial(shuffled, UP) == best_trial(records, UP)


@given(_records())
def test_turning_sign_and_direction_keeps_the_winner(records: list[TrialRecord]) -> None:
    up, down = best_trial(records, UP), best_trial([*map(_mirrored, records)], DOWN)
    assert (None if up is None else up.number) == (None if down is None else down.number)


@given(_CURVES, _OBJECTIVES)
def test_a_change_of_scale_that_keeps_the_order_keeps_the_best_epoch(
    curve: dict[int, float], objective: Objective
) -> None:
    scaled = {epoch: math.exp(value) for epoch, value in curve.items()}
    assert best_epoch(curve, objective) == best_epoch(scaled, objective)


@given(_CURVES, _OBJECTIVES)
def test_the_best_epoch_is_the_earliest_of_the_extreme_ones(
    curve: dict[int, float], objective: Objective
) -> None:
    extreme = max if objective is UP else min
    expected = [epoch for epoch in sorted(curve) if curve[epoch] == extreme(curve.values())]
    assert best_epoch(curve, objective) == (expected[0] if expected else None)


@given(st.lists(_VALUES, max_size=20), _OBJECTIVES)
def test_the_running_best_never_gets_worse_and_ends_at_the_best(
    values: list[float], objective: Objective
) -> None:
    reached = running_best(values, objective)
    assert len(reached) == len(values)
    losses = [objective.loss(value) for value in reached]
    assert losses == sorted(losses, reverse=True)
    if values:
        assert reached[-1] == best_of(values, float, objective)
        assert reached[0] == values[0]


@given(_VALUES, st.none() | _VALUES, _OBJECTIVES)
def test_the_better_of_two_is_one_of_them(
    value: float, incumbent: float | None, objective: Objective
) -> None:
    chosen = better(value, incumbent, objective)
    assert chosen in (value, incumbent)
    assert incumbent is None or objective.loss(chosen) <= objective.loss(incumbent)


@given(st.lists(st.none() | _VALUES, max_size=12), _OBJECTIVES)
def test_what_has_no_value_is_never_best(values: list[float | None], objective: Objective) -> None:
    place = best_of(range(len(values)), values.__getitem__, objective)
    assert (place is None) == all(value is None for value in values)
    assert place is None or values[place] is not None


def test_the_later_measurement_of_an_epoch_counts() -> None:
    measured = [Measurement(2, {"m": 0.1}, 1.0), Measurement(2, {"m": 0.3, "n": 1.0}, 2.0)]
    assert values_in(measured, "m") == {2: 0.3}
    assert values_in([*measured, Measurement(3, {"n": 1.0}, 3.0)], "m") == {2: 0.3}
