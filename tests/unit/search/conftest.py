"""A small study for the tests of the search."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import optuna
import pytest

from automl.search.engine import Engine
from automl.space.distributions import FloatRange, IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.limits import Limits
from automl.study.records import Attempt, FailureClass, Measurement, Outcome, OutcomeState

OBJECTIVE = Objective("val_3DIoU", Direction.MAXIMIZE, worst=0.0)


class End(Protocol):
    """Makes the outcome of an attempt."""

    def __call__(
        self,
        attempt: Attempt,
        values: list[float] | None = None,
        state: OutcomeState = OutcomeState.OK,
        failure: FailureClass | None = None,
        checkpoint: str | None = None,
    ) -> Outcome: ...


@pytest.fixture
def objective() -> Objective:
    return OBJECTIVE


@pytest.fixture
def space() -> SearchSpace:
    return SearchSpace(
        (
            Parameter("optim.lr", "float", FloatRange(1e-5, 1e-2, log=True), default=1e-4),
            Parameter("batch", "int", IntRange(1, 16), default=4),
        )
    )


@pytest.fixture
def config() -> StudyConfig:
    return StudyConfig(
        "unit", "/skill", "on", "default", OBJECTIVE, limits=Limits(8), search=SearchSettings()
    )


@pytest.fixture
def study() -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction="maximize")


@pytest.fixture
def make(study: optuna.Study, space: SearchSpace, config: StudyConfig) -> Callable[..., Engine]:
    """Makes an engine over the test's study; keywords replace settings of the configuration."""

    def _make(on: SearchSpace | None = None, **changes: Any) -> Engine:
        return Engine(study, space if on is None else on, replace(config, **changes))

    return _make


@pytest.fixture
def end() -> End:
    def _end(
        attempt: Attempt,
        values: list[float] | None = None,
        state: OutcomeState = OutcomeState.OK,
        failure: FailureClass | None = None,
        checkpoint: str | None = None,
    ) -> Outcome:
        measured = [
            Measurement(epoch, {"val_3DIoU": value}, float(epoch))
            for epoch, value in enumerate(values or [])
        ]
        if failure is not None:
            state = OutcomeState.FAILED
        return Outcome(
            attempt.number,
            attempt.attempt,
            state,
            tuple(measured),
            failure,
            evidence="CUDA out of memory" if failure else "",
            checkpoint=checkpoint,
            seconds=2.0,
            gpu_seconds=4.0,
        )

    return _end
