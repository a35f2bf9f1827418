"""The budget in time: what fits into the rest, over resumes, with its share for confirmations."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import optuna
import pytest

from automl.search.decision import EndCause
from automl.search.engine import Engine
from automl.search.rungs import rung_epochs
from automl.search.simulate import simulate
from automl.search.simulation import Simulation
from automl.space.model import SearchSpace
from automl.study.config import Resources, StudyConfig
from automl.study.earlier import Earlier
from automl.study.limits import Limits
from automl.study.records import Attempt, Measurement, Outcome, OutcomeState
from tests.bench.search.families import FAMILIES
from tests.bench.search.warm_start import RESUMED, config_of

BEGIN = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


class Hours:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


Drive = Callable[..., tuple[Engine, int]]


def _end(attempt: Attempt, seconds: float, gpus: float) -> Outcome:
    measured = Measurement(0, {"val_3DIoU": 0.3 + 0.01 * attempt.number}, seconds)
    return Outcome(
        attempt.number,
        attempt.attempt,
        OutcomeState.OK,
        (measured,),
        seconds=seconds,
        gpu_seconds=seconds * gpus,
    )


@pytest.fixture
def clock() -> Hours:
    return Hours()


@pytest.fixture
def drive(space: SearchSpace, config: StudyConfig, clock: Hours) -> Drive:
    """Trains all that is asked for, ``length`` seconds each, one at a time."""
    study = optuna.create_study(direction="maximize")

    def _drive(length: float = 600.0, gpus: int = 0, **limits: object) -> tuple[Engine, int]:
        asked = replace(
            config,
            limits=Limits(**{"trials": 50, **limits}),  # type: ignore[arg-type]
            resources=Resources(gpus_per_trial=gpus),
        )
        engine = Engine(study, space, asked, clock)
        n_begun = 0
        while (attempt := engine.ask()) is not None:
            n_begun += 1
            clock.on(length)
            engine.finish(_end(attempt, length, gpus))
        return engine, n_begun

    return _drive


def test_no_trial_is_started_that_would_not_end_in_time(drive: Drive, clock: Hours) -> None:
    engine, n = drive(max_wall_s=3600.0)
    assert n == 5  # six would fit to the second, which nine of ten like it would not
    assert (clock.now - BEGIN).total_seconds() <= 3600.0
    assert engine.stopped is not None
    assert engine.stopped.cause is EndCause.LIMITS
    assert "a training takes up to" in str(engine.stopped)
    assert "10m are left (--max-wall 60m)" in str(engine.stopped)


def test_a_deadline_is_kept(drive: Drive, clock: Hours) -> None:
    deadline = BEGIN + timedelta(seconds=2000)
    engine, n = drive(deadline=deadline.isoformat())
    assert n == 3
    assert clock.now <= deadline
    assert engine.overdrawn() is None


def test_gpu_hours_count_every_gpu_that_is_held(drive: Drive) -> None:
    engine, n = drive(gpus=4, gpu_hours=4.0)
    assert n == 5
    assert sum(record.gpu_seconds for record in engine.records()) <= 4.0 * 3600.0
    assert "GPU-h" in str(engine.stopped)


def test_the_ledger_goes_on_over_resumes_and_not_over_pauses(drive: Drive, clock: Hours) -> None:
    _, first = drive(max_wall_s=1900.0)
    clock.on(50_000.0)
    engine, second = drive(max_wall_s=1900.0)
    assert (first, second) == (3, 0)
    assert engine.stopped is not None
    _, third = drive(max_wall_s=3700.0)
    assert third in (2, 3)


def test_time_for_the_confirmation_is_kept_back(drive: Drive) -> None:
    engine, n = drive(max_wall_s=7300.0, confirm=2, confirm_top=1)
    again = [record for record in engine.records() if record.confirms is not None]
    assert len(again) == 4
    assert n == 12
    assert all(record.state.is_finished for record in engine.records())


def test_before_one_has_ended_nothing_is_known_and_one_may_start(drive: Drive) -> None:
    engine, n = drive(length=500.0, max_wall_s=60.0)
    assert n == 1
    assert engine.overdrawn() is not None
    assert "used up" in str(engine.stopped)


def test_without_a_limit_of_time_nothing_is_asked_of_the_clock(drive: Drive) -> None:
    engine, n = drive(trials=4)
    assert n == 4
    assert str(engine.stopped) == "all 4 trials were started"


def test_a_proposal_that_takes_too_long_is_drawn_again(
    space: SearchSpace, config: StudyConfig, clock: Hours
) -> None:
    """A batch of one takes sixteen times as long as one of sixteen."""
    study = optuna.create_study(direction="maximize")
    keys = replace(config.keys, batch_sizes=("batch",))
    limits = Limits(trials=200, max_wall_s=40_000.0)
    engine = Engine(study, space, replace(config, keys=keys, limits=limits), clock)
    lengths = []
    while (attempt := engine.ask()) is not None:
        batch = attempt.params["batch"]
        assert isinstance(batch, int)
        lengths.append(8000.0 / batch)
        clock.on(lengths[-1])
        engine.finish(_end(attempt, lengths[-1], 0))
    assert (clock.now - BEGIN).total_seconds() <= 40_000.0
    assert max(lengths[-3:]) < max(lengths)
    numbers = [record.number for record in engine.records()]
    assert numbers == list(range(len(numbers)))


def bounded(seed: int, **limits: object) -> Simulation:
    """A search with rungs on three places, whose trainings take four to six minutes each."""
    problem = FAMILIES["default2"].problem(seed)
    whole = config_of(problem, seed, 200, Earlier(), "random")
    config = replace(
        whole,
        search=replace(whole.search, fidelity="asha", rungs=rung_epochs(problem.n_epochs, 1)),
        limits=Limits(200, same_failures=0, **limits),  # type: ignore[arg-type]
        resources=Resources(max_concurrent=3, gpus_per_trial=1),
    )
    return simulate(problem.space, config, problem, until=RESUMED)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("seed", [0, 1])
def test_pausing_places_and_confirmations_keep_within_the_wall(seed: int) -> None:
    done = bounded(seed, max_wall_s=3000.0, confirm=2, confirm_top=1)
    assert 0.6 * 3000.0 < done.seconds <= 3000.0
    assert done.end is not None
    assert "--max-wall" in str(done.end)
    again = [each for each in done.trials if each.record.confirms is not None]
    assert len(again) == 4
    assert all(each.record.state.is_finished for each in again)


@pytest.mark.timeout(60)
def test_gpu_hours_hold_with_several_trials_at_once() -> None:
    done = bounded(0, gpu_hours=2.0)
    assert 1.4 < done.gpu_seconds / 3600.0 <= 2.0
    assert "--gpu-hours" in str(done.end)
