"""A trial that another process put into the queue: taken once, whatever is killed when."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState as OptunaState

from automl.search.added import adopted, enqueue_own, outside_of
from automl.search.engine import Engine
from automl.search.trial_store import TrialStore
from automl.space.model import SearchSpace
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.study.limits import Limits
from automl.study.storage import create_study, open_storage
from tests.unit.search.conftest import OBJECTIVE, End

OWN = {"optim.lr": 3e-4, "batch": 7}
Drive = Callable[..., Engine]


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return StudyPaths(tmp_path)


@pytest.fixture
def elsewhere(paths: StudyPaths, config: StudyConfig) -> optuna.Study:
    """The study as the process that adds a trial sees it."""
    return create_study(open_storage(paths), config.name, OBJECTIVE)


@pytest.fixture
def drive(
    elsewhere: optuna.Study, paths: StudyPaths, config: StudyConfig, space: SearchSpace
) -> Drive:
    """A driver's engine over the same journal, opened anew each time."""

    def make(**changes: Any) -> Engine:
        study = optuna.load_study(study_name=config.name, storage=open_storage(paths))
        return Engine(study, space, replace(config, **changes))

    return make


def recover(engine: Engine, paths: StudyPaths) -> None:
    engine.recover(paths, lambda _: (), lambda *_: None)


def test_a_running_driver_takes_it_next(
    drive: Drive, elsewhere: optuna.Study, space: SearchSpace, end: End
) -> None:
    engine = drive()
    first = engine.ask()
    assert first is not None
    enqueue_own(elsewhere, space, OWN)
    own = engine.ask()
    assert own is not None
    assert (own.number, own.params) == (1, OWN)
    engine.finish(end(first, [0.1]))
    engine.finish(end(own, [0.4]))
    assert engine.records()[1].source == "user"
    following = engine.ask()
    assert following is not None
    assert following.params != OWN


def test_the_default_is_first_all_the_same(
    drive: Drive, elsewhere: optuna.Study, space: SearchSpace
) -> None:
    enqueue_own(elsewhere, space, OWN)
    engine = drive()
    asked = [engine.ask(), engine.ask()]
    assert [each and each.params for each in asked] == [{"optim.lr": 1e-4, "batch": 4}, OWN]


def test_it_goes_beyond_the_total(
    drive: Drive, elsewhere: optuna.Study, space: SearchSpace, end: End
) -> None:
    engine = drive(limits=Limits(1))
    first = engine.ask()
    assert first is not None
    engine.finish(end(first, [0.1]))
    assert engine.ask() is None
    enqueue_own(elsewhere, space, OWN)
    own = drive(limits=Limits(1)).ask()
    assert own is not None
    assert own.params == OWN


def test_what_the_space_does_not_hold_is_trained_and_not_modelled(
    drive: Drive, elsewhere: optuna.Study, space: SearchSpace, end: End
) -> None:
    far = {"optim.lr": 0.5, "batch": 7}
    assert "optim.lr" in outside_of(space, far)
    engine = drive()
    first = engine.ask()
    enqueue_own(elsewhere, space, far)
    own = engine.ask()
    assert first is not None
    assert own is not None
    assert own.params == far
    assert elsewhere.get_trials()[-1].params == {}
    engine.finish(end(own, [0.4]))
    assert engine.records()[1].best_value == 0.4


def killed_when_asked(elsewhere: optuna.Study, _: Engine) -> None:
    """The driver dies after it was handed the trial, before it gave it a number."""
    elsewhere.ask()


def killed_when_numbered(elsewhere: optuna.Study, _: Engine) -> None:
    """The driver dies between the two writes that give it a number."""
    elsewhere.ask()
    trial = elsewhere.get_trials()[-1]
    TrialStore(elsewhere, OBJECTIVE).enqueue(adopted(trial, 1))


def killed_when_handed_out(_: optuna.Study, engine: Engine) -> None:
    """The driver dies right after it handed the trial out."""
    assert engine.ask() is not None


@pytest.mark.parametrize("kill", [killed_when_asked, killed_when_numbered, killed_when_handed_out])
def test_it_survives_a_kill_and_is_trained_once(
    drive: Drive,
    elsewhere: optuna.Study,
    paths: StudyPaths,
    space: SearchSpace,
    end: End,
    kill: Callable[[optuna.Study, Engine], None],
) -> None:
    engine = drive(limits=Limits(2))
    first = engine.ask()
    assert first is not None
    engine.finish(end(first, [0.1]))
    enqueue_own(elsewhere, space, OWN)
    kill(elsewhere, engine)
    after = drive(limits=Limits(2))
    recover(after, paths)
    own = after.ask()
    assert own is not None
    assert (own.number, own.params) == (1, OWN)
    after.finish(end(own, [0.4]))
    assert after.ask() is None
    waiting = (OptunaState.WAITING, OptunaState.RUNNING)
    assert elsewhere.get_trials(states=waiting) == []
    assert [record.params for record in after.records()].count(OWN) == 1
