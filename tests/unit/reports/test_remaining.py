"""How long the rest takes: the work, its spread, and what bounds it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.reports.remaining import Outlook, SecondsRange, remaining
from automl.study.config import Direction, Objective, Resources, StudyConfig
from automl.study.limits import Limits
from automl.study.live import LiveAttempt
from automl.study.records import TrialRecord, TrialState

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp()
CONFIG = StudyConfig(
    name="bikes",
    skill_dir="/skills/centerpose",
    policy="on",
    policy_source="the default",
    objective=Objective("val_3DIoU", Direction.MAXIMIZE),
    limits=Limits(trials=9),
    resources=Resources(max_concurrent=2),
)


def done(
    number: int, seconds: float = 60.0, state: TrialState = TrialState.COMPLETE
) -> TrialRecord:
    value = 0.5 if state is TrialState.COMPLETE else None
    epoch = None if value is None else 1
    return TrialRecord(number, state, {}, best_epoch=epoch, best_value=value, seconds=seconds)


def running(number: int) -> TrialRecord:
    return TrialRecord(number, TrialState.RUNNING, {})


def outlook(
    records: Sequence[TrialRecord],
    live: Sequence[LiveAttempt] = (),
    config: StudyConfig = CONFIG,
    epochs: int | None = 10,
) -> Outlook:
    return Outlook(config, records, live, NOW, 600.0, epochs)


def three() -> list[TrialRecord]:
    return [done(number) for number in range(3)]


def test_the_work_is_spread_over_the_places() -> None:
    live = [LiveAttempt(3, 1, NOW - 30.0), LiveAttempt(4, 1, NOW - 30.0)]
    span = remaining(outlook([*three(), running(3), running(4)], live))
    assert span == SecondsRange(150.0, 150.0)  # twice 30 s and four times 60 s on two places


def test_nothing_is_left_once_all_is_done_and_nothing_known_before_the_first_pace() -> None:
    assert remaining(outlook([done(number) for number in range(9)])) is None
    assert remaining(outlook([running(0)], [LiveAttempt(0, 1, NOW)])) is None
    assert remaining(outlook([])) is None


def test_the_pace_of_a_first_trial_tells_before_any_has_ended() -> None:
    live = LiveAttempt(0, 1, NOW - 20.0, in_epoch=0, of_epochs=2, step=40, of_steps=100)
    live = replace(live, phase="train")
    span = remaining(outlook([running(0)], [live]))
    assert span is not None
    # 0.4 of 2 epochs in 20 s: 100 s each, and eight more of them on two places.
    assert span.low_s < (80 + 8 * 100) / 2 < span.high_s


def test_trials_of_different_lengths_give_a_range_round_their_mean() -> None:
    records = [done(0, 30.0), done(1, 60.0), done(2, 90.0)]
    span = remaining(outlook(records))
    assert span is not None
    assert span.low_s < 6 * 60 / 2 < span.high_s
    assert (span.low_s + span.high_s) / 2 == pytest.approx(180.0)


def test_fresh_seeds_are_full_trainings_however_short_the_searchs_trials_were() -> None:
    limits = Limits(trials=4, confirm=2, confirm_top=1)
    config = replace(CONFIG, limits=limits, resources=Resources(max_concurrent=1))
    records = [done(0, 100.0), *(done(n, 10.0, TrialState.PRUNED) for n in (1, 2))]
    without = remaining(outlook(records, config=replace(config, limits=Limits(trials=4))))
    span = remaining(outlook(records, config=config))
    assert span is not None
    assert without is not None
    assert span.high_s - without.high_s > 4 * 100
    assert span.low_s > without.low_s


def test_paused_trials_may_go_on_in_the_high_end_alone() -> None:
    limits = replace(CONFIG, limits=Limits(trials=6), resources=Resources(max_concurrent=1))
    rested = [*three(), *(done(n, 60.0, TrialState.PRUNED) for n in (3, 4))]
    paused = [*three(), *(done(n, 20.0, TrialState.PAUSED) for n in (3, 4))]
    before, after = (remaining(outlook(each, config=limits)) for each in (rested, paused))
    assert before is not None
    assert after is not None
    assert before == SecondsRange(60.0, 60.0)
    assert after.low_s < after.high_s


def test_the_studys_time_bounds_both_ends() -> None:
    config = replace(CONFIG, limits=Limits(trials=99, max_wall_s=700.0))
    assert remaining(outlook(three(), config=config)) == SecondsRange(100.0, 100.0, is_cut=True)
    until = datetime.fromtimestamp(NOW + 50, UTC).isoformat()
    config = replace(CONFIG, limits=Limits(trials=99, deadline=until))
    assert remaining(outlook(three(), config=config)) == SecondsRange(50.0, 50.0, is_cut=True)


def test_a_range_reads_as_one_number_where_it_is_one() -> None:
    assert str(SecondsRange(60.0, 60.2)) == "1m00s, by the trials so far"
    assert str(SecondsRange(60.0, 90.0)) == "1m00s to 1m30s, by the trials so far"
    assert str(SecondsRange(60.0, 90.0, is_cut=True)) == "1m00s to 1m30s, when its time is up"


@given(
    st.lists(st.floats(1, 1e4), min_size=3, max_size=9),
    st.lists(st.floats(0, 1e4), max_size=2),
    st.integers(0, 50),
    st.integers(1, 8),
)
def test_it_is_a_range_and_never_below_one_trial_that_waits(
    lengths: list[float], ages: list[float], waiting: int, slots: int
) -> None:
    records = [done(number, seconds) for number, seconds in enumerate(lengths)]
    live = [LiveAttempt(len(records) + i, 1, NOW - age) for i, age in enumerate(ages)]
    records += [running(each.number) for each in live]
    limits = Limits(trials=len(records) + waiting)
    config = replace(CONFIG, limits=limits, resources=Resources(max_concurrent=slots))
    span = remaining(outlook(records, live, config))
    if not waiting and not live:
        assert span is None
        return
    assert span is not None
    assert 0 <= span.low_s <= span.high_s
    if waiting:
        assert span.low_s >= min(lengths)
