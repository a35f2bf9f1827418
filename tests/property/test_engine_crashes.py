"""The engine under crashes: whatever is interrupted, wherever, the study stays whole.

Over a journal and over PostgreSQL. Status files, checkpoints and outcome files are a small model
of what trainers leave in their folders.
"""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test
from optuna.trial import FrozenTrial

from automl.search.decision import Stop
from automl.search.engine import Engine
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study import attributes
from automl.study.config import SearchSettings, StudyConfig
from automl.study.confirmation import searched
from automl.study.layout import AttemptPaths
from automl.study.limits import Limits
from automl.study.outcomes import write_outcome
from automl.study.records import (
    Attempt,
    FailureClass,
    Measurement,
    Outcome,
    OutcomeState,
)
from tests.power import PowerCutError
from tests.property.crash_rules import OBJECTIVE, CrashRules, DatabaseMedium, Found

TRIALS = 6
CONFIRM = 1
EPOCHS = 4
SPACE = SearchSpace(
    (
        Parameter("optim.lr", "float", FloatRange(1e-5, 1e-2, log=True), default=1e-4),
        Parameter("batch", "int", IntRange(1, 8), default=4),
        Parameter("net", "categorical", Choice(("a", "b"), (1, 3)), default="a"),
    )
)
CONFIG = StudyConfig(
    "crashes",
    "/skill",
    "on",
    "default",
    OBJECTIVE,
    search=SearchSettings(seed=7),
    limits=Limits(TRIALS, same_failures=TRIALS + 1, confirm=CONFIRM),
)


@dataclass(slots=True)
class Folder:
    """What one attempt has left behind so far."""

    first_epoch: int
    measurements: list[Measurement] = field(default_factory=list)
    checkpoint: int | None = None

    @property
    def next_epoch(self) -> int:
        return self.first_epoch + len(self.measurements)


class StudyUnderCrashes(CrashRules):
    trials = TRIALS

    def __init__(self) -> None:
        self.folders: dict[tuple[int, int], Folder] = {}
        self.handed_out: set[tuple[int, int]] = set()
        self.params: dict[int, Any] = {}
        super().__init__()

    def _engine(self, study: optuna.Study) -> Engine:
        return Engine(study, SPACE, CONFIG)

    def _check_running(self, running: list[FrozenTrial]) -> None:
        assert not running

    def _history(self, paths: AttemptPaths) -> tuple[Measurement, ...]:
        folder = self.folders.get(self._key(paths))
        return tuple(folder.measurements) if folder else ()

    def _checkpoint(self, paths: AttemptPaths, epoch: int | None) -> Found | None:
        folder = self.folders.get(self._key(paths))
        if folder is None or folder.checkpoint is None:
            return None
        return Found(folder.checkpoint, paths.folder / f"{folder.checkpoint}.pth")

    # What happens

    @precondition(lambda self: len(self.live) < 3)
    @rule()
    def ask(self) -> None:
        try:
            attempt = self.engine.ask()
        except PowerCutError:
            self._restart()
            return
        if attempt is None:
            assert self.engine.stopped is not None or self.live
            return
        key = (attempt.number, attempt.attempt)
        assert key not in self.handed_out
        self.handed_out.add(key)
        assert self.params.setdefault(attempt.number, attempt.params) == attempt.params
        epochs = [entry.epoch for entry in attempt.history]
        assert epochs == list(range(len(epochs)))
        if attempt.resume_from is None:
            assert not epochs
        else:
            assert epochs[-1] == int(Path(attempt.resume_from).stem)
        self.folders[key] = Folder(len(epochs))
        self.live[attempt.number] = attempt

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def measure(self, data: st.DataObject) -> None:
        attempt, folder = self._pick(data)
        if folder.next_epoch >= EPOCHS:
            return
        value = data.draw(st.sampled_from([0.0, 0.25, 0.5, 0.75]))
        elapsed = float(len(folder.measurements) + 1)
        measurement = Measurement(folder.next_epoch, {"score": value}, elapsed)
        folder.measurements.append(measurement)
        try:
            decision = self.engine.report(attempt.number, measurement)
            assert not isinstance(decision, Stop)
            again = self.engine.report(attempt.number, measurement)
            assert again == decision
        except PowerCutError:
            self._restart()

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def checkpoint(self, data: st.DataObject) -> None:
        attempt, folder = self._pick(data)
        if folder.measurements:
            folder.checkpoint = folder.next_epoch - 1
            path = self.paths.attempt(attempt.number, attempt.attempt).folder
            path.mkdir(parents=True, exist_ok=True)
            (path / f"{folder.checkpoint}.pth").touch()

    @precondition(lambda self: self.live)
    @rule(
        data=st.data(),
        state=st.sampled_from([each for each in OutcomeState if each is not OutcomeState.PAUSED]),
        failure=st.sampled_from([FailureClass.OOM, FailureClass.DATA]),
        is_written=st.booleans(),
    )
    def finish(
        self, data: st.DataObject, state: OutcomeState, failure: FailureClass, is_written: bool
    ) -> None:
        attempt, folder = self._pick(data)
        outcome = self._outcome(attempt, folder, state, failure)
        if is_written:
            write_outcome(self.paths.attempt(attempt.number, attempt.attempt), outcome)
        try:
            record = self.engine.finish(outcome)
        except PowerCutError:
            self._restart()
            return
        del self.live[attempt.number]
        self.outcomes.append(outcome)
        assert record.state.is_finished == (state is not OutcomeState.INTERRUPTED)

    def _outcome(
        self, attempt: Attempt, folder: Folder, state: OutcomeState, failure: FailureClass
    ) -> Outcome:
        checkpoint = None
        if folder.checkpoint is not None:
            path = self.paths.attempt(attempt.number, attempt.attempt).folder
            checkpoint = self.paths.relative(path / f"{folder.checkpoint}.pth")
        measurements = (*attempt.history, *folder.measurements)
        if state is OutcomeState.INTERRUPTED and folder.checkpoint is not None:
            measurements = tuple(m for m in measurements if m.epoch <= folder.checkpoint)
        return Outcome(
            attempt.number,
            attempt.attempt,
            state,
            measurements,
            failure if state is OutcomeState.FAILED else None,
            evidence="as drawn",
            checkpoint=checkpoint,
            seconds=1.0,
        )

    def _pick(self, data: st.DataObject) -> tuple[Attempt, Folder]:
        attempt = self.live[data.draw(st.sampled_from(sorted(self.live)))]
        return attempt, self.folders[attempt.number, attempt.attempt]

    # What always holds

    @invariant()
    def winner_and_default_are_trained_again_once_each(self) -> None:
        records = self.engine.records()
        again = [record.confirms for record in records if record.confirms is not None]
        assert len(again) == len(set(again)) <= 2 * CONFIRM

    @invariant()
    def no_trial_ends_twice(self) -> None:
        ends: list[int] = [
            trial.user_attrs[attributes.NUMBER]
            for trial in self._study().trials
            if trial.state.is_finished() and attributes.SUPERSEDED not in trial.user_attrs
        ]
        assert len(ends) == len(set(ends))

    @invariant()
    def no_crash_makes_a_failure(self) -> None:
        caused = {None, FailureClass.OOM, FailureClass.DATA, FailureClass.NO_METRIC}
        assert {record.failure for record in self.engine.records()} <= caused

    @invariant()
    def failures_are_never_the_incumbent(self) -> None:
        best = self.engine.incumbent()
        usable = [record for record in searched(self.engine.records()) if record.is_usable]
        assert (best is None) == (not usable)
        if best is not None:
            assert best.failure is None
            assert best.best_value == max(record.best_value or 0.0 for record in usable)

    def teardown(self) -> None:
        records = self._ended(self._train)
        best = self.engine.incumbent()
        winner = None if best is None or best.number == 0 else best.number
        assert winner is None or winner in {record.confirms for record in records.values()}

    def _train(self, attempt: Attempt) -> None:
        measured = Measurement(EPOCHS - 1, {"score": 0.1}, 1.0)
        ended = (*attempt.history[: EPOCHS - 1], measured)
        self.engine.finish(Outcome(attempt.number, attempt.attempt, OutcomeState.OK, ended))


StudyUnderCrashes.TestCase.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None
)
TestStudyUnderCrashes = StudyUnderCrashes.TestCase


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_study_in_a_database_under_crashes(database: str) -> None:
    class DatabaseUnderCrashes(StudyUnderCrashes):
        make_medium = staticmethod(partial(DatabaseMedium, database))

    few = settings(max_examples=2, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(DatabaseUnderCrashes, settings=few)
