"""A replay: what of a study answers, what a simulation costs, and against what it is held."""

from dataclasses import replace
from pathlib import Path

import pytest

from automl.app.replay import ReplayAsked, replay
from automl.app.replay_source import ReplaySource, source_of_study
from automl.errors import FixInput
from automl.reports.summary import read_summary
from automl.space.model import SearchSpace
from automl.study.records import FailureClass, Measurement, OutcomeState
from tests.unit.reports.study_builder import StudyBuilder, Told, config, params

CURVE = (0.0, 0.1, 0.2, 0.4)


@pytest.fixture
def builder(tmp_path: Path) -> StudyBuilder:
    builder = StudyBuilder(tmp_path, config())
    builder.add(0, Told(params(), CURVE, seconds=48.0))
    builder.add(1, Told(params(lr=1e-3), (0.0, 0.2, 0.3, 0.6), seconds=48.0))
    builder.add(
        2, Told(params(lr=1e-2), (0.0,), OutcomeState.FAILED, FailureClass.DIVERGED, "nan")
    )
    builder.add(3, Told(params(lr=1e-4), (0.0, 0.1), OutcomeState.PRUNED))
    builder.add(4, Told(params(lr=1e-4), (), OutcomeState.FAILED, FailureClass.DISK, "full"))
    builder.add(5, Told(params(lr=1e-3), (0.0, 0.2, 0.3, 0.4), confirms=1, seconds=48.0))
    return builder


def source(builder: StudyBuilder) -> ReplaySource:
    return source_of_study(read_summary(builder.paths.folder))


def test_what_ended_by_itself_answers(builder: StudyBuilder) -> None:
    found = source(builder)
    assert [each.name for each in found.recordings] == ["trial 0", "trial 1", "trial 2", "trial 5"]
    assert found.left_out == 2
    assert found.n_epochs == 4
    assert found.recordings[2].curve.failure is FailureClass.DIVERGED


def test_what_was_done_leaves_confirmations_out(builder: StudyBuilder) -> None:
    done = source(builder).done
    assert done.n_trials == 5
    assert done.trainings == (4 + 4 + 1 + 2) / 4
    # Two trainings of these settings reached 0.6 and 0.4.
    assert done.best == pytest.approx(0.5)


def test_epochs_and_the_start_share_the_time(builder: StudyBuilder) -> None:
    found = source(builder)
    curve = found.recordings[0].curve
    assert curve.seconds + found.start_s == pytest.approx(48.0)
    assert all(epoch.seconds > 0 for epoch in curve.epochs)


def test_what_comes_before_the_first_epoch_is_no_part_of_it(builder: StudyBuilder) -> None:
    summary = read_summary(builder.paths.folder)
    slow = tuple(
        replace(trial, measurements=tuple(late(entry) for entry in trial.measurements))
        for trial in summary.trials
    )
    plain = source_of_study(summary).recordings[0].curve
    curve = source_of_study(replace(summary, trials=slow)).recordings[0].curve
    assert curve.epochs[0].seconds == pytest.approx(plain.epochs[1].seconds)
    assert curve.seconds == pytest.approx(plain.epochs[1].seconds * 4)


def late(entry: Measurement) -> Measurement:
    return replace(entry, elapsed_s=entry.elapsed_s + 30.0)


def test_a_simulation_costs_what_the_recordings_took(builder: StudyBuilder) -> None:
    found = source(builder)
    done = replay(found, ReplayAsked(sampler="random", trials=6, places=1, seeds=3))
    assert [run.seed for run in done.runs] == [7, 8, 9]
    for run in done.runs:
        assert run.n_trials == 6
        assert run.seconds == pytest.approx(run.wall_s)
        whole = run.events.get("ends", 0)
        assert run.trainings == pytest.approx(whole + 0.25 * run.events.get("fails", 0))
        assert run.best in (0.4, pytest.approx(0.5))
        assert (run.level_at is not None) == (run.best != 0.4)


def test_what_is_not_asked_for_stays_as_it_was(builder: StudyBuilder) -> None:
    done = replay(source(builder), ReplayAsked(seeds=1))
    assert done.config.search.sampler == config().search.sampler
    assert done.config.limits.trials == 8
    assert done.config.resources.max_concurrent == 2


def test_nothing_to_answer_with_is_refused(tmp_path: Path) -> None:
    once = StudyBuilder(tmp_path, config("once"), SearchSpace())
    once.add(0, Told({}, CURVE))
    with pytest.raises(FixInput, match="a study that searched"):
        source(once)
    failed = StudyBuilder(tmp_path, config("failed"))
    failed.add(0, Told(params(), (), OutcomeState.FAILED, FailureClass.OOM, "CUDA"))
    with pytest.raises(FixInput, match="trained to its end"):
        source(failed)
