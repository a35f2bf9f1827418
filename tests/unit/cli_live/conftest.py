"""A search as a driver tells it: ended, better, failed and pruned trials, and two that run."""

import pytest

from automl.cli.progress import Progress
from automl.execution.driver import Measured, Note, TrialEnded, TrialStarted
from automl.study.config import Direction, Objective, Resources, StudyConfig
from automl.study.limits import Limits
from automl.study.records import (
    Attempt,
    FailureClass,
    Measurement,
    Outcome,
    OutcomeState,
    TrialRecord,
    TrialState,
)

METRIC = "val_3DIoU"
_LR, _BATCH = "train.optim.lr", "dataset.batch_size"


class FakeSeconds:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def ended(
    number: int,
    state: TrialState,
    value: float | None,
    *,
    lr: float = 6e-5,
    failure: FailureClass | None = None,
    evidence: str = "",
) -> TrialEnded:
    """The end of a trial of one minute."""
    values = {} if value is None else {0: value / 2, 1: value}
    record = TrialRecord(
        number=number,
        state=state,
        params={_LR: lr, _BATCH: 4},
        values=values,
        best_epoch=None if value is None else 1,
        best_value=value,
        failure=failure,
        evidence=evidence,
        seconds=60.0 + number,
    )
    how = {
        TrialState.COMPLETE: OutcomeState.OK,
        TrialState.PRUNED: OutcomeState.PRUNED,
        TrialState.FAILED: OutcomeState.FAILED,
    }[state]
    return TrialEnded(
        record, Outcome(number, 1, how, failure=failure, evidence=evidence, seconds=60.0 + number)
    )


def measured(number: int, epoch: int, value: float) -> Measured:
    attempt = Attempt(number, 1, {_LR: 1e-3, _BATCH: 8})
    return Measured(attempt, Measurement(epoch, {METRIC: value, "val_2DMPE": 0.1}, 12.0))


@pytest.fixture
def config() -> StudyConfig:
    return StudyConfig(
        name="bike-fan",
        skill_dir="/skills/centerpose",
        policy="on",
        policy_source="the default",
        objective=Objective(METRIC, Direction.MAXIMIZE),
        limits=Limits(trials=12),
        resources=Resources(max_concurrent=2),
    )


@pytest.fixture
def seconds() -> FakeSeconds:
    return FakeSeconds()


@pytest.fixture
def busy(config: StudyConfig, seconds: FakeSeconds) -> Progress:
    """Twenty minutes into a search."""
    progress = Progress(config, seconds, epochs=10)
    oom = "RuntimeError: CUDA out of memory. Tried to allocate [2.00 GiB] on a card of 8 GiB"
    progress.event(TrialStarted(Attempt(0, 1, {_LR: 6e-5, _BATCH: 4})))
    for event in (
        ended(0, TrialState.COMPLETE, 0.31),
        ended(1, TrialState.COMPLETE, 0.43, lr=1e-3),
        ended(2, TrialState.FAILED, None, failure=FailureClass.OOM, evidence=oom),
        ended(3, TrialState.PRUNED, 0.02, lr=2e-5, evidence="rung 2: 4th of 4"),
        ended(4, TrialState.COMPLETE, 0.47, lr=9e-4),
    ):
        progress.event(event)
    seconds.now_s += 1200.0
    progress.event(TrialStarted(Attempt(5, 1, {_LR: 1e-3, _BATCH: 8})))
    progress.event(TrialStarted(Attempt(6, 2, {_LR: 4e-4, _BATCH: 4})))
    progress.event(measured(5, 0, 0.22))
    progress.event(measured(5, 1, 0.21))
    seconds.now_s += 42.0
    progress.event(Note("outcome.json of trial 3 [attempt 1] was written twice"))
    return progress
