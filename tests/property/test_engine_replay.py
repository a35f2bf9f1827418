"""A study that was killed again and again proposes what one that ran through proposes."""

import json
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.storages import BaseStorage
from optuna.storages.journal import BaseJournalBackend

from automl.search.engine import Engine
from automl.search.samplers import SAMPLERS
from automl.skill.keys import NetworkKeys
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.grouped_journal import GroupedJournal
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.limits import Limits
from automl.study.records import (
    Attempt,
    FailureClass,
    Measurement,
    Outcome,
    OutcomeState,
    TrialRecord,
)
from automl.study.storage import open_study

TRIALS = 9
#: Settings of the second space, in which larger batches run out of memory.
BATCH = "dataset.batch_size"
OBJECTIVE = Objective("error", Direction.MINIMIZE)
SPACE = SearchSpace(
    (
        Parameter("lr", "float", FloatRange(1e-5, 1e-2, log=True), default=1e-4),
        Parameter("steps", "int", IntRange(1, 3), default=2),
        Parameter("net", "categorical", Choice(("a", "b")), default="a"),
    )
)


NARROW = SearchSpace(
    (
        Parameter("lr", "float", FloatRange(1e-5, 1e-2, log=True), default=1e-4),
        Parameter(BATCH, "int", IntRange(1, 32), default=2),
    )
)


class PowerCutError(BaseException):
    pass


class Lines(BaseJournalBackend):
    """A journal in memory that cuts the power at some of its writes."""

    def __init__(self, lines: list[str], cuts: set[int]) -> None:
        self._lines = lines
        self._cuts = cuts

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        for line in self._lines[log_number_from:]:
            yield json.loads(line)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        for log in logs:
            if len(self._lines) in self._cuts:
                self._cuts.discard(len(self._lines))
                raise PowerCutError
            self._lines.append(json.dumps(log))


def _config(sampler: str) -> StudyConfig:
    return StudyConfig(
        "replay",
        "/skill",
        "on",
        "default",
        OBJECTIVE,
        search=SearchSettings(sampler=sampler, seed=3, startup_trials=3),
        limits=Limits(TRIALS, same_failures=0),
        keys=NetworkKeys(batch_sizes=(BATCH,)),
    )


def _train(attempt: Attempt) -> Outcome:
    """A training whose error follows from its parameters alone."""
    batch = attempt.params.get(BATCH)
    if isinstance(batch, int):
        return _train_batch(attempt, batch)
    lr, steps = attempt.params["lr"], attempt.params["steps"]
    assert isinstance(lr, float)
    assert isinstance(steps, int)
    error = abs(lr - 1e-3) * 100 + steps + (attempt.params["net"] == "b") * 0.5
    measured = (Measurement(0, {"error": error}, 1.0),)
    return Outcome(attempt.number, attempt.attempt, OutcomeState.OK, measured, seconds=1.0)


def _train_batch(attempt: Attempt, batch: int) -> Outcome:
    if batch > 24:
        state, oom = OutcomeState.FAILED, FailureClass.OOM
        return Outcome(attempt.number, attempt.attempt, state, (), oom, "CUDA out of memory")
    measured = (Measurement(0, {"error": 40.0 - batch}, 1.0),)
    return Outcome(attempt.number, attempt.attempt, OutcomeState.OK, measured, seconds=1.0)


def _no_history(paths: AttemptPaths) -> tuple[Measurement, ...]:
    return ()


def _no_checkpoint(paths: AttemptPaths, epoch: int | None) -> None:
    return None


def _drive(
    lines: list[str], cuts: set[int], sampler: str, space: SearchSpace = SPACE
) -> tuple[TrialRecord, ...]:
    return drive(GroupedJournal(Lines(lines, cuts)), sampler, space)


def drive(
    storage: BaseStorage, sampler: str, space: SearchSpace = SPACE
) -> tuple[TrialRecord, ...]:
    """One driver's life: everything up to the end of the study, or to the power cut."""
    study = open_study(storage, "replay", OBJECTIVE)
    engine = Engine(study, space, _config(sampler))
    folder = StudyPaths(Path(tempfile.gettempdir()) / "automl-replay-without-files")
    engine.recover(folder, _no_history, _no_checkpoint)
    while (attempt := engine.ask()) is not None:
        engine.finish(_train(attempt))
    return engine.records()


def outcome_by_number(records: tuple[TrialRecord, ...]) -> list[Any]:
    return [(record.number, record.state, record.params, record.best_value) for record in records]


@pytest.fixture(scope="module")
def uninterrupted() -> dict[str, list[Any]]:
    return {name: outcome_by_number(_drive([], set(), name)) for name in SAMPLERS}


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.sets(st.integers(0, 160), max_size=8),
    sampler=st.sampled_from(list(SAMPLERS)),
)
def test_a_resumed_study_proposes_the_same(
    uninterrupted: dict[str, list[Any]], cuts: set[int], sampler: str
) -> None:
    lines: list[str] = []
    records: tuple[TrialRecord, ...] = ()
    while not records:
        try:
            records = _drive(lines, cuts, sampler)
        except PowerCutError:
            continue
    assert outcome_by_number(records) == uninterrupted[sampler]


@pytest.fixture(scope="module")
def bounded() -> dict[str, list[Any]]:
    return {name: outcome_by_number(_drive([], set(), name, NARROW)) for name in ("tpe", "random")}


@settings(max_examples=15, deadline=None)
@given(
    cuts=st.sets(st.integers(0, 200), max_size=8),
    sampler=st.sampled_from(["tpe", "random"]),
)
def test_a_resumed_study_refuses_the_same(
    bounded: dict[str, list[Any]], cuts: set[int], sampler: str
) -> None:
    lines: list[str] = []
    records: tuple[TrialRecord, ...] = ()
    while not records:
        try:
            records = _drive(lines, cuts, sampler, NARROW)
        except PowerCutError:
            continue
    assert any('"refused"' in line for line in lines)
    assert outcome_by_number(records) == bounded[sampler]


def test_the_seed_decides_the_proposals(uninterrupted: dict[str, list[Any]]) -> None:
    assert outcome_by_number(_drive([], set(), "tpe")) == uninterrupted["tpe"]
    assert uninterrupted["tpe"] != uninterrupted["random"]
