"""Laws of the halving methods, over random curves, places and orders of measurement."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.search.decision import Continue, Decision, EndCause, Pause, Stop
from automl.search.halving import FINALISTS, Halving
from automl.search.method import Method
from automl.search.methods.asha import Asha
from automl.search.methods.hyperband import hyperband
from automl.search.rungs import ETA
from automl.study.config import Direction, StudyConfig
from automl.study.records import TrialState
from tests.halving_views import N_EPOCHS, RUNGS, Curve, Driven, asked

METHODS = st.sampled_from([Asha(), hyperband(len(RUNGS))])
VALUES = st.integers(0, 40)


@st.composite
def curves(draw: st.DrawFn) -> list[Curve]:
    """Curves of integers, so that some are tied and transforms keep every order exactly."""
    n_trials = draw(st.integers(1, 14))
    flat = draw(st.integers(0, N_EPOCHS))
    return [
        [
            {
                "score": float(draw(VALUES)) if epoch >= flat else 0.0,
                "train_loss": float(draw(VALUES)),
            }
            for epoch in range(N_EPOCHS)
        ]
        for _ in range(n_trials)
    ]


def drive(table: list[Curve], method: Method, places: int = 1, seed: int = 0) -> Driven:
    return Driven(asked(len(table)), method, table, places, seed).run()


@pytest.mark.timeout(60)
@settings(max_examples=40, deadline=None)
@given(curves(), METHODS, st.integers(1, 5), st.integers(0, 99))
def test_every_search_ends_with_trained_trials(
    table: list[Curve], method: Method, places: int, seed: int
) -> None:
    done = drive(table, method, places, seed)
    assert done.end is not None
    assert done.end.cause is EndCause.LIMITS
    assert len(done.runs) == len(table)
    assert 0 in done.ended
    assert max(run.n_done for run in done.runs) <= N_EPOCHS
    # Beside the default, the best predicted were trained to their end.
    assert len(done.ended) >= min(len(table), 1 + FINALISTS)


@pytest.mark.timeout(60)
@settings(max_examples=40, deadline=None)
@given(curves(), METHODS, st.integers(1, 5), st.integers(0, 99))
def test_the_best_so_far_is_never_stopped(
    table: list[Curve], method: Method, places: int, seed: int
) -> None:
    for view, number, decision in drive(table, method, places, seed).decided:
        best = {each.number: each.record.best_value or 0.0 for each in view.trials}
        if all(best[number] > value for other, value in best.items() if other != number):
            assert isinstance(decision, Continue)


@pytest.mark.timeout(60)
@settings(max_examples=40, deadline=None)
@given(curves(), st.integers(1, 5), st.integers(0, 99))
def test_who_goes_on_is_among_the_best_third(table: list[Curve], places: int, seed: int) -> None:
    done = drive(table, Asha(), places, seed)
    for view, start in done.promoted:
        halving = Halving(view)
        rung = halving.last_rung(view.by_number[start.number])
        order = halving.order(rung)
        is_last = len(view.trials) == len(table)
        least = FINALISTS if is_last else 0
        assert order.index(start.number) < max(least, len(order) // ETA)
        # Nobody who waits was passed over.
        held = {trial.number for trial in halving.held(rung)}
        assert start.number == next(number for number in order if number in held)


@pytest.mark.timeout(60)
@settings(max_examples=40, deadline=None)
@given(curves(), METHODS, st.integers(1, 5), st.integers(0, 99))
def test_who_is_ended_is_behind_at_a_rung(
    table: list[Curve], method: Asha, places: int, seed: int
) -> None:
    for view, number, decision in drive(table, method, places, seed).decided:
        if isinstance(decision, Continue) and not decision.audited:
            continue
        rung = view.by_number[number].epoch + 1
        halving = Halving(view, method.first_rung)
        assert number > 0
        assert rung in RUNGS
        order = halving.order(rung)
        assert order.index(number) >= len(order) // ETA


@pytest.mark.timeout(60)
@settings(max_examples=25, deadline=None)
@given(curves(), METHODS, st.integers(1, 3))
def test_asked_twice_it_answers_the_same(table: list[Curve], method: Method, places: int) -> None:
    done = drive(table, method, places)
    for view, number, decision in done.decided:
        assert method.judge(view, number) == decision
    for view, start in done.promoted:
        assert method.next_start(view) == start


def changed(table: list[Curve], change: Callable[[str, float], float]) -> list[Curve]:
    def row(metrics: Mapping[str, float]) -> dict[str, float]:
        return {name: change(name, value) for name, value in metrics.items()}

    return [[row(metrics) for metrics in curve] for curve in table]


def bare(decision: Decision) -> tuple[type[Decision], bool]:
    """A decision without its words, which hold values."""
    return type(decision), bool(getattr(decision, "audited", ""))


def decisions(done: Driven) -> list[tuple[int, object]]:
    return [(number, bare(decision)) for _, number, decision in done.decided]


@pytest.mark.timeout(60)
@settings(max_examples=30, deadline=None)
@given(curves(), METHODS, st.integers(1, 3))
def test_order_preserving_transforms_change_nothing(
    table: list[Curve], method: Method, places: int
) -> None:
    bent = changed(table, lambda _, value: math.expm1(value / 10))
    assert decisions(drive(bent, method, places)) == decisions(drive(table, method, places))


@pytest.mark.timeout(60)
@settings(max_examples=30, deadline=None)
@given(curves(), METHODS, st.integers(1, 3))
def test_a_flipped_objective_is_judged_the_same(
    table: list[Curve], method: Method, places: int
) -> None:
    flipped = changed(table, lambda name, value: -value if name == "score" else value)
    down = asked(len(table), direction=Direction.MINIMIZE)
    done = Driven(down, method, flipped, places).run()
    assert decisions(done) == decisions(drive(table, method, places))


@pytest.mark.timeout(60)
@settings(max_examples=30, deadline=None)
@given(curves(), st.integers(1, 3))
def test_what_pauses_or_stops_says_why(table: list[Curve], places: int) -> None:
    for _, _, decision in drive(table, Asha(), places).decided:
        if isinstance(decision, Pause | Stop):
            assert "epoch" in decision.reason
            assert "go" in decision.reason


def test_without_rungs_all_are_trained() -> None:
    table: list[Curve] = [[{"score": float(n)}] * N_EPOCHS for n in range(6)]
    done = Driven(replace_rungs(len(table)), Asha(), table).run()
    assert done.n_epochs == len(table) * N_EPOCHS
    assert {run.state for run in done.runs} == {TrialState.COMPLETE}


def replace_rungs(trials: int) -> StudyConfig:
    config = asked(trials)
    return replace(config, search=replace(config.search, rungs=()))
