"""Decisions of the halving methods, one at a time."""

from dataclasses import replace

import pytest

from automl.search.audit import is_audited, trust_in
from automl.search.decision import Continue, Pause, SearchEnd, Stop
from automl.search.method import GoOn, Propose, SearchView, TrialView
from automl.search.methods.asha import Asha
from automl.search.prediction import forecast
from automl.search.resuming import pausing_pays, start_seconds
from automl.study.records import Measurement, TrialState
from tests.halving_views import asked, trial

CONFIG = asked(20)
RUNNING, PAUSED = TrialState.RUNNING, TrialState.PAUSED
METHOD = Asha()
DEFAULT = trial(0, [{"score": 0.0, "train_loss": 5.0}] * 11 + [{"score": 0.3}], CONFIG,
                TrialState.COMPLETE)  # fmt: skip


def at_first(number: int, loss: float, state: TrialState = PAUSED) -> TrialView:
    """A trial at the first rung, with a flat objective."""
    return trial(number, [{"score": 0.0, "train_loss": loss}] * 2, CONFIG, state)


def study(*losses: float, states: TrialState = PAUSED) -> SearchView:
    """The default, and trials at the first rung of which the last one runs."""
    *waiting, last = enumerate(losses, 1)
    trials = [at_first(number, loss, states) for number, loss in waiting]
    return SearchView([DEFAULT, *trials, at_first(*last, RUNNING)], CONFIG)


def unaudited(n: int) -> int:
    """The first number from ``n`` that the seed does not pick."""
    return next(m for m in range(n, n + 3) if not is_audited(study(*range(1, m + 1)), m))


def test_two_of_a_rung_wait() -> None:
    assert isinstance(METHOD.judge(study(4.0), 1), Pause)
    assert isinstance(METHOD.judge(study(4.0, 3.0), 2), Pause)


def test_of_three_one_goes_on_and_says_why() -> None:
    assert METHOD.judge(study(4.0, 3.0, 2.0), 3) == Continue()
    behind = METHOD.judge(study(4.0, 3.0, 3.5), 3)
    assert isinstance(behind, Pause)
    assert behind.reason.startswith("train_loss 3.5 at epoch 1 is 2nd of 3; predicted 0.")
    assert ", cut 0." in behind.reason
    assert behind.reason.endswith("; 1 of 3 goes on")


def test_who_waited_goes_on_before_anything_new_starts() -> None:
    start = METHOD.next_start(study(4.0, 2.0, 3.0))
    assert isinstance(start, GoOn)
    assert start.number == 2
    assert "1st of 3" in start.reason
    assert METHOD.next_start(study(4.0, 2.0)) == Propose()


def test_what_no_rule_lets_go_on_any_more_is_stopped() -> None:
    number = unaudited(8)
    view = study(*(float(n) for n in range(1, number + 1)))
    decision = METHOD.judge(view, number)
    assert isinstance(decision, Stop)
    assert "6 at most ever will" in decision.reason


def test_the_default_and_audited_trials_are_never_ended() -> None:
    worst = study(1.0, 2.0, 3.0, 9.0)
    last = replace(worst.trials[-1], audited="it was behind")
    assert METHOD.judge(SearchView([*worst.trials[:-1], last], CONFIG), 4) == Continue()
    default = trial(0, [{"score": 0.0, "train_loss": 99.0}] * 2, CONFIG)
    assert METHOD.judge(SearchView([default, *worst.trials[1:]], CONFIG), 0) == Continue()


def test_a_rung_that_tells_nothing_apart_judges_nobody() -> None:
    assert METHOD.judge(study(5.0, 5.0, 5.0), 3) == Continue()


def test_between_rungs_nobody_is_judged() -> None:
    runs = trial(1, [{"score": 0.0, "train_loss": 99.0}] * 3, CONFIG)
    others = [at_first(n, 1.0 + n) for n in (2, 3, 4)]
    assert METHOD.judge(SearchView([DEFAULT, runs, *others], CONFIG), 1) == Continue()


def test_the_last_ones_go_on_where_nothing_is_left_to_start() -> None:
    config = asked(3)
    view = SearchView([DEFAULT, at_first(1, 4.0), at_first(2, 3.0)], config)
    start = METHOD.next_start(view)
    assert isinstance(start, GoOn)
    assert start.number == 2
    one_runs = SearchView([DEFAULT, at_first(1, 4.0), trial(2, [{"score": 0.0}], config)], config)
    assert not isinstance(METHOD.next_start(one_runs), GoOn)


def test_the_search_ends_with_trials_that_stay_paused() -> None:
    config = asked(5)
    ended = [replace(DEFAULT, record=replace(DEFAULT.record, number=n)) for n in (1, 2)]
    view = SearchView([DEFAULT, *ended, at_first(3, 9.0), at_first(4, 8.0)], config)
    assert isinstance(METHOD.next_start(view), SearchEnd)


def test_one_in_ten_is_audited() -> None:
    config = asked(101)
    view = SearchView([trial(0, [], config)], config)
    picked = [number for number in range(1, 101) if is_audited(view, number) and number < 50]
    assert [(number - 1) // 10 for number in picked] == list(range(len(picked)))
    other = asked(101, seed=1)
    again = [n for n in range(1, 50) if is_audited(SearchView(view.trials, other), n)]
    assert picked != again


def test_at_least_one_is_audited() -> None:
    """Where those picked went on by their own merit, the next one of the second half is."""
    config = asked(12)
    view = SearchView([trial(n, [], config) for n in range(7)], config)
    assert is_audited(view, 6)
    assert is_audited(view, 7)
    one = SearchView([*view.trials[:3], trial(3, [], config, audited="x")], config)
    assert [is_audited(one, number) for number in (6, 7)].count(True) <= 1


def ended_against(sign: float, n: int) -> SearchView:
    """Trials that ended as the loss of their second epoch foretold, or the other way round."""
    early = [{"score": 0.0, "train_loss": float(k)} for k in range(n)]
    return SearchView(
        [
            trial(k, [early[k]] * 2 + [{"score": 1.0 + sign * k / n}], CONFIG, TrialState.COMPLETE)
            for k in range(n)
        ],
        CONFIG,
    )


@pytest.mark.parametrize(("sign", "misleads"), [(-1.0, False), (1.0, True)])
def test_a_rung_that_misleads_is_told_from_one_that_does_not(sign: float, misleads: bool) -> None:
    view = ended_against(sign, 5)
    trust = trust_in(forecast(view, 2))
    assert trust.n == 5
    assert trust.misleads is misleads
    assert (trust.correlation < 0) is misleads
    few = ended_against(sign, 3)
    assert not trust_in(forecast(few, 2)).misleads


def test_a_rung_that_misleads_judges_no_more() -> None:
    late = trial(6, [{"score": 0.0, "train_loss": 99.0}] * 2, CONFIG)
    excused = []
    for n in (5, 6):
        decision = METHOD.judge(SearchView([*ended_against(1.0, n).trials, late], CONFIG), 6)
        assert isinstance(decision, Continue)
        assert not decision.audited
        excused.append(decision.excused)
    # With one more trial that contradicts it the loss counts for nothing.
    assert excused == [
        "the rung after epoch 1 judges no more: its ranking and that of the ends have a "
        "correlation of -1.00 (5 trials; at most -1.00 with 90 % confidence)",
        "the rung after epoch 1 judges no more: nothing reported by then ranks the 6 trials that "
        "ended as they ended",
    ]
    good = ended_against(-1.0, 6)
    trusted = METHOD.judge(SearchView([*good.trials, late], CONFIG), 6)
    assert isinstance(trusted, Stop | Pause) or trusted.audited


def slow(number: int, start_s: float) -> TrialView:
    """A trial whose attempt took a while before its first epoch of ten seconds."""
    seen = at_first(number, float(number))
    measured = tuple(
        Measurement(each.epoch, each.metrics, each.elapsed_s + start_s) for each in seen.measured
    )
    return replace(seen, measured=measured)


def test_pausing_pays_while_a_start_is_cheaper_than_what_it_keeps() -> None:
    cheap = SearchView([slow(n, 15.0) for n in range(3)], CONFIG)
    assert start_seconds(cheap) == pytest.approx(15.0)
    assert pausing_pays(cheap, 2)
    dear = SearchView([slow(n, 25.0) for n in range(3)], CONFIG)
    assert not pausing_pays(dear, 2)
    assert pausing_pays(SearchView([], CONFIG), 2)


def test_where_pausing_does_not_pay_the_first_goes_on_and_others_stop() -> None:
    one, two = slow(1, 100.0), slow(2, 100.0)
    runs = replace(two, record=replace(two.record, state=RUNNING))
    decision = METHOD.judge(SearchView([DEFAULT, one, runs], CONFIG), 2)
    assert isinstance(decision, Stop)
    assert "more than it saves" in decision.reason
    first = replace(one, record=replace(one.record, state=RUNNING))
    assert METHOD.judge(SearchView([DEFAULT, first, two], CONFIG), 1) == Continue()
