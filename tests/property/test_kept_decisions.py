"""What is kept between decisions changes none: they are those of a view made afresh."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.search.halving import Halving
from automl.search.method import SearchView, TrialView
from automl.search.methods.asha import Asha
from automl.search.methods.hyperband import hyperband
from automl.search.prediction import forecast
from automl.search.resuming import pausing_pays, start_seconds
from automl.search.trial_views import TrialViews
from automl.skill.signals import Signal
from automl.study.config import StudyConfig
from automl.study.records import TrialState
from tests.halving_views import N_EPOCHS, RUNGS, asked, trial

WIDTHS = ("a", "b")
SIGNALS = ((), (Signal("train_loss", within=("width",)), Signal("error", silent=0.0)))


@st.composite
def histories(draw: st.DrawFn) -> tuple[StudyConfig, list[TrialView | int]]:
    """A study, and what became of its trials in turn: as one stands, or the number of one lost."""
    config = asked(20, signals=draw(st.sampled_from(SIGNALS)))
    seed = draw(st.integers(0, 9_999))
    order = random.Random(seed)  # noqa: S311
    n_trials, n_steps = draw(st.integers(1, 16)), draw(st.integers(1, 60))
    return config, [_step(order, n_trials, config) for _ in range(n_steps)]


def _step(order: random.Random, n_trials: int, config: StudyConfig) -> TrialView | int:
    number = order.randrange(n_trials)
    if order.random() < 0.05:
        return number
    state = order.choice([each for each in TrialState if each is not TrialState.WAITING])
    n_done = N_EPOCHS if state is TrialState.COMPLETE else order.randrange(N_EPOCHS)
    curve = [{name: float(order.randrange(9)) for name in ("score", "train_loss", "error")}]
    curve += [{**curve[0], "score": float(order.randrange(9))} for _ in range(n_done)]
    params: dict[str, str | float] = {"width": order.choice(WIDTHS), "optim.lr": 0.1}
    audited = "to check" if order.random() < 0.1 else ""
    found = trial(number, curve[:n_done], config, state, params, audited)
    confirms = 0 if number > 12 else None
    return replace(found, record=replace(found.record, confirms=confirms))


@pytest.mark.timeout(60)
@settings(max_examples=60, deadline=None)
@given(histories(), st.sampled_from([Asha(), hyperband(len(RUNGS))]), st.integers(1, 4))
def test_kept_and_fresh_views_decide_the_same(
    history: tuple[StudyConfig, list[TrialView | int]], method: Asha, every: int
) -> None:
    config, steps = history
    trials = TrialViews()
    kept = SearchView(trials, config)
    for place, step in enumerate(steps):
        if isinstance(step, int):
            trials.drop(step)
        else:
            trials.put(step)
        if place % every == 0:
            assert_decides_as_afresh(kept, method)


def assert_decides_as_afresh(kept: SearchView, method: Asha) -> None:
    """Every decision, order and prediction is that of the same trials seen for the first time."""
    fresh = SearchView([replace(each) for each in kept.trials], kept.config)
    assert method.next_start(kept) == method.next_start(fresh)
    assert start_seconds(kept) == start_seconds(fresh)
    for rung in RUNGS:
        one, other = Halving(kept, method.first_rung), Halving(fresh, method.first_rung)
        assert one.order(rung) == other.order(rung)
        assert [each.number for each in one.held(rung)] == [
            each.number for each in other.held(rung)
        ]
        assert one.trust(rung) == other.trust(rung)
        assert pausing_pays(kept, rung) == pausing_pays(fresh, rung)
        for number in one.order(rung):
            assert forecast(kept, rung).predict(number) == forecast(fresh, rung).predict(number)
    for each in kept.searched(TrialState.RUNNING):
        assert method.judge(kept, each.number) == method.judge(fresh, each.number)


@pytest.mark.timeout(60)
@settings(max_examples=60, deadline=None)
@given(histories(), st.sampled_from([Asha(), hyperband(len(RUNGS))]))
def test_who_waits_at_a_rung_is_who_paused_there(
    history: tuple[StudyConfig, list[TrialView | int]], method: Asha
) -> None:
    """Beside the definition, trial by trial."""
    config, steps = history
    trials = TrialViews()
    for step in steps:
        if isinstance(step, int):
            trials.drop(step)
        else:
            trials.put(step)
    view = SearchView(trials, config)
    halving = Halving(view, method.first_rung)
    for rung in RUNGS:
        competitors = [
            each
            for each in view.searched()
            if each.number
            and each.epoch + 1 >= rung
            and each.record.state is not TrialState.FAILED
            and not each.audited
            and halving.is_judged(each.number, rung)
        ]
        assert sorted(halving.order(rung)) == [each.number for each in competitors]
        assert [each.number for each in halving.held(rung)] == [
            each.number
            for each in competitors
            if each.record.state is TrialState.PAUSED and halving.last_rung(each) == rung
        ]


@pytest.mark.parametrize("known", [1, 63, 65, 100, 129])
def test_a_study_that_goes_on_with_many_trials_decides_as_before(known: int) -> None:
    config, order = asked(400, signals=()), random.Random(0)  # noqa: S311
    steps = [_trained(order, number, config) for number in range(known + 90)]
    trials = TrialViews(steps[:known])
    method = hyperband(len(RUNGS))
    assert_decides_as_afresh(SearchView(trials, config), method)
    for step in steps[known:]:
        trials.put(step)
        method.next_start(SearchView(trials, config))
    assert_decides_as_afresh(SearchView(trials, config), method)


def _trained(order: random.Random, number: int, config: StudyConfig) -> TrialView:
    state, n_done = order.choice([(TrialState.COMPLETE, N_EPOCHS), (TrialState.PAUSED, RUNGS[0])])
    curve = [{"score": order.random(), "train_loss": order.random()} for _ in range(n_done)]
    return trial(number, curve, config, state)
