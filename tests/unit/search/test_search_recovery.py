import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState as OptunaState

from automl.search.engine import Engine
from automl.space.distributions import FloatRange, IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study import attributes
from automl.study.config import Direction, Objective, Resources, StudyConfig
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.limits import Limits
from automl.study.outcomes import write_outcome
from automl.study.records import (
    Attempt,
    FailureClass,
    Measurement,
    OutcomeState,
    TrialState,
)
from automl.study.storage import open_storage, open_study

GOLDEN = Path(__file__).parents[2] / "golden" / "study"

Make = Callable[..., Engine]
End = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Found:
    epoch: int
    path: Path


def measured(*values: float) -> tuple[Measurement, ...]:
    return tuple(
        Measurement(epoch, {"val_3DIoU": value}, 10.0 * (epoch + 1))
        for epoch, value in enumerate(values)
    )


def nothing(paths: AttemptPaths) -> tuple[Measurement, ...]:
    return ()


def no_checkpoint(paths: AttemptPaths, epoch: int | None) -> None:
    return None


def checkpoint_of(epoch: int) -> Callable[[AttemptPaths, int | None], Found]:
    return lambda paths, _: Found(epoch, paths.folder / f"model_epoch_{epoch:03d}_step_00001.pth")


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return StudyPaths(tmp_path)


def ask(engine: Engine) -> Attempt:
    attempt = engine.ask()
    assert attempt is not None
    return attempt


def test_nothing_running_is_nothing_to_recover(make: Make, paths: StudyPaths, end: End) -> None:
    engine = make()
    engine.finish(end(ask(engine), [0.1]))
    assert make().recover(paths, nothing, no_checkpoint) == ()


def test_an_attempt_whose_training_was_left_running_is_handed_out_again(
    make: Make, paths: StudyPaths
) -> None:
    attempt = ask(make())
    held = frozenset({paths.attempt(0, 1).folder})
    engine = make()
    (recovered,) = engine.recover(paths, lambda _: measured(0.1), checkpoint_of(0), held)
    assert recovered.text == "its training was not ended with the driver: found again"
    # The same attempt with the same parameters: not one that goes on from its checkpoint.
    assert ask(engine) == attempt
    (record,) = engine.records()
    assert record.attempts == 1
    # Killed before it was handed out, or after: it is found again as often as it takes.
    again = make()
    (recovered,) = again.recover(paths, nothing, no_checkpoint, held)
    assert "found again" in recovered.text
    assert ask(again) == attempt


def test_an_attempt_that_had_ended_is_kept(make: Make, paths: StudyPaths, end: End) -> None:
    attempt = ask(make())
    write_outcome(paths.attempt(0, 1), end(attempt, [0.1, 0.4]))
    engine = make()
    (recovered,) = engine.recover(paths, nothing, no_checkpoint)
    assert str(recovered) == "trial 0  had ended (ok): kept"
    assert engine.records()[0].values == {0: 0.1, 1: 0.4}
    assert engine.records()[0].state is TrialState.COMPLETE


def test_failures_of_the_last_driver_do_not_break_this_one(
    make: Make, paths: StudyPaths, end: End
) -> None:
    first = make()
    for number in range(3):
        outcome = end(ask(first), failure=FailureClass.DATA)
        write_outcome(paths.attempt(number, 1), outcome)
    engine = make()
    assert len(engine.recover(paths, nothing, no_checkpoint)) == 3
    assert engine.stopped is None


def test_a_whole_checkpoint_is_continued_with_the_history_up_to_it(
    make: Make, paths: StudyPaths, study: optuna.Study
) -> None:
    lost = ask(make(resources=Resources(gpus_per_trial=2)))
    engine = make(resources=Resources(gpus_per_trial=2))
    (recovered,) = engine.recover(paths, lambda _: measured(0.1, 0.3, 0.9), checkpoint_of(1))
    assert recovered.text == "checkpoint of epoch 1 is whole: goes on from it (attempt 2)"
    again = ask(engine)
    assert (again.number, again.attempt, again.params) == (0, 2, lost.params)
    assert again.resume_from == "trials/0000/1/model_epoch_001_step_00001.pth"
    assert again.history == measured(0.1, 0.3)
    assert engine.records()[0].best_value == 0.3
    assert (engine.records()[0].seconds, engine.records()[0].gpu_seconds) == (30.0, 60.0)


def test_a_second_crash_adds_to_the_history_and_to_the_time(make: Make, paths: StudyPaths) -> None:
    ask(make())
    engine = make()
    engine.recover(paths, lambda _: measured(0.1, 0.3), checkpoint_of(1))
    ask(engine)
    own = (Measurement(2, {"val_3DIoU": 0.5}, 7.0),)
    engine = make()
    engine.recover(paths, lambda _: own, checkpoint_of(2))
    third = ask(engine)
    assert third.attempt == 3
    assert [entry.elapsed_s for entry in third.history] == [10.0, 20.0, 27.0]
    assert engine.records()[0].attempts == 3
    assert engine.records()[0].seconds == 27.0


def test_without_a_checkpoint_it_starts_again(make: Make, paths: StudyPaths) -> None:
    ask(make())
    engine = make()
    (recovered,) = engine.recover(paths, lambda _: measured(0.9), no_checkpoint)
    assert "starts again" in recovered.text
    again = ask(engine)
    assert (again.attempt, again.resume_from, again.history) == (2, None, ())
    assert engine.records()[0].best_value is None


@pytest.mark.parametrize("is_there", [True, False])
def test_the_earlier_checkpoint_is_used_again_while_it_is_there(
    make: Make, paths: StudyPaths, is_there: bool
) -> None:
    ask(make())
    engine = make()
    engine.recover(paths, lambda _: measured(0.1), checkpoint_of(0))
    second = ask(engine)
    assert second.resume_from is not None
    if is_there:
        file = paths.folder / second.resume_from
        file.parent.mkdir(parents=True)
        file.touch()
    engine = make()
    (recovered,) = engine.recover(paths, nothing, no_checkpoint)
    assert ("goes on from" if is_there else "starts again") in recovered.text
    third = ask(engine)
    assert third.resume_from == (second.resume_from if is_there else None)
    assert third.history == (measured(0.1) if is_there else ())


def test_a_broken_outcome_counts_as_absent_and_is_said(make: Make, paths: StudyPaths) -> None:
    ask(make())
    paths.attempt(0, 1).folder.mkdir(parents=True)
    paths.attempt(0, 1).outcome.write_text('{"format": 1, "number": 0, "sta')
    (recovered,) = make().recover(paths, nothing, no_checkpoint)
    assert "starts again" in recovered.text
    assert "outcome.json counts as absent" in recovered.text


def test_the_outcome_of_another_attempt_is_not_taken(
    make: Make, paths: StudyPaths, end: End
) -> None:
    attempt = ask(make())
    write_outcome(paths.attempt(0, 1), replace(end(attempt, [0.9]), number=5))
    (recovered,) = make().recover(paths, nothing, no_checkpoint)
    assert "starts again" in recovered.text


def test_an_interrupted_outcome_is_continued_from_the_folder(
    make: Make, paths: StudyPaths, end: End
) -> None:
    attempt = ask(make())
    write_outcome(paths.attempt(0, 1), end(attempt, [0.1], OutcomeState.INTERRUPTED))
    engine = make()
    (recovered,) = engine.recover(paths, lambda _: measured(0.1), checkpoint_of(0))
    assert "goes on from" in recovered.text
    assert ask(engine).history == measured(0.1)


def test_a_start_without_a_number_is_dropped(
    make: Make, paths: StudyPaths, study: optuna.Study
) -> None:
    study.enqueue_trial({"batch": 3})
    study.ask()
    engine = make()
    (recovered,) = engine.recover(paths, nothing, no_checkpoint)
    assert str(recovered) == "was abandoned before it began"
    assert study.trials[0].state is OptunaState.FAIL
    assert engine.records() == ()
    assert ask(engine).number == 0


def test_a_start_that_had_not_begun_is_the_same_attempt_again(
    make: Make, paths: StudyPaths, study: optuna.Study
) -> None:
    ask(make())
    # A second start, cut off between its number and its parameters.
    study.enqueue_trial({}, user_attrs={attributes.NUMBER: 1, attributes.ATTEMPT: 1})
    study.ask()
    engine = make()
    recovered = engine.recover(paths, nothing, no_checkpoint)
    assert "starts again" in recovered[0].text
    assert recovered[1].text == "had not begun: queued again"
    attempts = [ask(engine) for _ in range(2)]
    assert [(it.number, it.attempt) for it in attempts] == [(0, 2), (1, 1)]
    assert engine.records()[1].attempts == 1


def test_a_start_that_was_queued_again_before_the_crash_is_only_ended(
    make: Make, paths: StudyPaths, study: optuna.Study
) -> None:
    lost = ask(make())
    attrs = {attributes.NUMBER: 0, attributes.ATTEMPT: 2, attributes.PARAMS: dict(lost.params)}
    study.enqueue_trial(study.trials[0].params, user_attrs=attrs)
    engine = make(limits=Limits(1))
    (recovered,) = engine.recover(paths, nothing, no_checkpoint)
    assert recovered.text == "attempt 1 had been queued again"
    again = ask(engine)
    assert (again.number, again.attempt) == (0, 2)
    assert engine.ask() is None


def test_a_study_of_the_first_format_goes_on(paths: StudyPaths, end: End) -> None:
    shutil.copy(GOLDEN / "format_1.journal", paths.journal)
    objective = Objective("val_3DIoU", Direction.MAXIMIZE, 0.0)
    space = SearchSpace(
        (
            Parameter("train.optim.lr", "float", FloatRange(1e-5, 1e-2, log=True), default=6e-5),
            Parameter("dataset.batch_size", "int", IntRange(1, 16), default=4),
        )
    )
    config = StudyConfig("golden", "/skill", "on", "default", objective, limits=Limits(7))
    engine = Engine(open_study(open_storage(paths), "golden", objective), space, config)
    recovered = engine.recover(paths, nothing, no_checkpoint)
    assert [(it.number, it.attempt) for it in recovered] == [(4, 2), (5, 1)]
    numbers = []
    while (attempt := engine.ask()) is not None:
        numbers.append((attempt.number, attempt.attempt))
        engine.finish(end(attempt, [0.2]))
    assert numbers == [(4, 3), (5, 2), (6, 1)]
    best = engine.incumbent()
    assert best is not None
    assert best.number == 0
