"""What both screens know of a driven study."""

from dataclasses import replace

import pytest

from automl.app.screen import Sight
from automl.cli.progress import Progress
from automl.execution.driver import TrialStarted
from automl.reports.changed import changed_params
from automl.study.config import StudyConfig
from automl.study.records import Attempt, Measurement, TrialRecord, TrialState


def test_counts_best_and_running_follow_the_events(busy: Progress) -> None:
    snapshot = busy.snapshot()
    assert snapshot.finished == 5
    assert snapshot.counts[TrialState.RUNNING] == 2
    assert [one.number for one in snapshot.running] == [5, 6]
    assert (snapshot.running[0].epoch, snapshot.running[0].value) == (1, 0.21)
    assert snapshot.running[0].best == 0.22
    assert snapshot.best is not None
    assert snapshot.best.number == 4


def test_an_old_look_does_not_undo_an_ending(busy: Progress) -> None:
    stale = TrialRecord(4, TrialState.RUNNING, {})
    earlier = TrialRecord(9, TrialState.COMPLETE, {}, best_value=0.9, best_epoch=0)
    busy.look(Sight((stale, earlier), 0.0))
    snapshot = busy.snapshot()
    assert snapshot.counts[TrialState.RUNNING] == 2
    assert snapshot.best is not None
    assert snapshot.best.number == 9


def test_a_continued_attempt_begins_where_its_history_ends(
    config: StudyConfig, busy: Progress
) -> None:
    metric = config.objective.metric
    history = (Measurement(0, {metric: 0.3}, 10.0), Measurement(1, {metric: 0.2}, 20.0))
    busy.event(TrialStarted(Attempt(7, 2, {}, "trials/0007/1/x.pth", history)))
    running = busy.snapshot().running[-1]
    assert (running.epoch, running.value, running.best) == (1, 0.2, 0.3)


def test_all_params_count_as_changed_while_trial_zero_is_unknown() -> None:
    default = TrialRecord(0, TrialState.COMPLETE, {"a": 1, "b": 2})
    assert changed_params({"a": 1, "b": 3}, default) == {"b": 3}
    assert changed_params({"a": 1, "b": 3}, None) == {"a": 1, "b": 3}


@pytest.mark.parametrize("policy", ["on", "off"])
def test_a_direct_training_asks_for_one_trial(config: StudyConfig, policy: str) -> None:
    progress = Progress(replace(config, policy=policy), lambda: 0.0)
    assert progress.snapshot().asked == (12 if policy == "on" else 1)
