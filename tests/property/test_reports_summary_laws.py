"""Laws of what follows from trials: strict JSON, and winners that do not depend on a sign."""

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from automl.reports.derive import cost_of, incumbents_of
from automl.reports.model import TrialReport
from automl.reports.strict import strict_json
from automl.study.config import Direction, Objective
from automl.study.ranking import best_trial
from automl.study.records import Outcome, OutcomeState, TrialRecord, TrialState

_NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def _n_not_finite(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_n_not_finite, value.values()))
    if isinstance(value, list):
        return sum(map(_n_not_finite, value))
    return isinstance(value, float) and not math.isfinite(value)


@given(_VALUES)
def test_anything_becomes_strict_json_and_nothing_finite_changes(value: Any) -> None:
    plain, reasons = strict_json(value)
    text = json.dumps(plain, allow_nan=False)
    if _n_not_finite(value) == 0:
        assert reasons == {}
        assert json.loads(text) == value
    else:
        assert reasons
        # Places can only meet where a key holds a dot or a bracket of its own.
        assert len(reasons) <= _n_not_finite(value)


_STATES = st.sampled_from(
    [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED, TrialState.RUNNING]
)
_RESULTS = st.lists(st.tuples(_STATES, st.none() | st.floats(-1e6, 1e6)), max_size=20)


def _trials(results: list[tuple[TrialState, float | None]]) -> list[TrialReport]:
    return [
        TrialReport(
            TrialRecord(
                number,
                state,
                {},
                best_epoch=None if value is None else 0,
                best_value=None if value is None else value,
                seconds=float(number),
            )
        )
        for number, (state, value) in enumerate(results)
    ]


@given(_RESULTS)
def test_the_incumbent_only_improves_and_ends_at_the_winner(
    results: list[tuple[TrialState, float | None]],
) -> None:
    objective = Objective("m", Direction.MAXIMIZE)
    trials = _trials(results)
    points = incumbents_of(trials, objective)
    bests = [point.best for point in points]
    assert bests == sorted(bests)
    assert [point.spent_s for point in points] == sorted(point.spent_s for point in points)
    winner = best_trial([trial.record for trial in trials], objective)
    assert (winner is None) == (not points)
    if winner is not None:
        assert bests[-1] == winner.best_value


_SPANS = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 500)), max_size=12)


@given(_SPANS)
def test_wall_time_is_the_length_of_the_union(spans: list[tuple[int, int]]) -> None:
    def at(second: int) -> str:
        return f"2026-11-22T{13 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"

    trials = [
        TrialReport(
            TrialRecord(number, TrialState.COMPLETE, {}),
            attempts=(
                Outcome(
                    number, 1, OutcomeState.OK, started_at=at(begin), ended_at=at(begin + length)
                ),
            ),
        )
        for number, (begin, length) in enumerate(spans)
    ]
    covered = {second for begin, length in spans for second in range(begin, begin + length)}
    assert cost_of(trials).wall_s == len(covered)
