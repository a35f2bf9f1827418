"""Trials that pause, under any interleaving and any crash: the study stays whole.

Trainers are ahead of the search, leave checkpoints or do not, break, end, and are interrupted; the
power is cut at any write. No more trials go on than a rule allows: of ``ThirdGoesOn`` that is
counted, of the shipped methods, whose ranks change with what they learn, seen at each decision.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar

import optuna
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.search.decision import Decision, EndCause, Pause, Stop
from automl.search.engine import Engine
from automl.search.method import Method
from automl.search.methods.asha import Asha
from automl.search.methods.hyperband import hyperband
from automl.search.methods.table import METHODS
from automl.space.distributions import FloatRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
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
    TrialState,
)
from automl.trainers.end_request import unjudged_rung
from tests.power import PowerCutError
from tests.property.crash_rules import OBJECTIVE, CrashRules, DatabaseMedium, Found
from tests.property.halving import ETA, Ruled, ThirdGoesOn

TRIALS, EPOCHS, RUNGS, PLACES = 7, 6, (1, 3), 3
SPACE = SearchSpace(
    (Parameter("lr", "float", FloatRange(1e-5, 1e-2, log=True), default=1e-4),),
)


@dataclass(slots=True)
class Training:
    """A live attempt, and what it has left.

    Attributes:
        attempt: What runs.
        measured: By its status file.
        told: How many of these the search has heard of.
        pause: Where it is to pause.
    """

    attempt: Attempt
    measured: list[Measurement] = field(default_factory=list)
    told: int = 0
    pause: Pause | None = None

    @property
    def first(self) -> int:
        return len(self.attempt.history)

    @property
    def next(self) -> int:
        return self.first + len(self.measured)

    @property
    def rung(self) -> int:
        """The epoch at which it is to pause; -1 without one."""
        return self.first + self.told - 1 if self.pause else -1


class PausingUnderCrashes(CrashRules):
    trials = TRIALS
    fidelity: ClassVar[str] = "full"
    method: ClassVar[Callable[[], Method] | None] = ThirdGoesOn

    def __init__(self) -> None:
        self.left: dict[tuple[int, int], Training] = {}
        self.exempt: set[int] = set()
        super().__init__()

    def _engine(self, study: optuna.Study) -> Engine:
        search = SearchSettings(seed=7, fidelity=self.fidelity, rungs=RUNGS, n_epochs=EPOCHS)
        limits = Limits(TRIALS, same_failures=0, confirm=1)
        config = StudyConfig("p", "/s", "on", "default", OBJECTIVE, search=search, limits=limits)
        make = type(self).method
        return Engine(study, SPACE, config, method=make() if make else None)

    def _check_running(self, running: list[FrozenTrial]) -> None:
        assert all("paused" in trial.user_attrs for trial in running)

    # What attempts leave

    def _history(self, paths: AttemptPaths) -> tuple[Measurement, ...]:
        training = self.left.get(self._key(paths))
        return tuple(training.measured) if training else ()

    def _checkpoint(self, paths: AttemptPaths, epoch: int | None) -> Found | None:
        found = [Found(int(path.stem), path) for path in paths.folder.glob("*.pth")]
        wanted = [each for each in found if epoch is None or each.epoch <= epoch]
        return max(wanted, key=lambda each: each.epoch, default=None)

    def _paths(self, training: Training) -> AttemptPaths:
        return self.paths.attempt(training.attempt.number, training.attempt.attempt)

    def _at(self, training: Training, epoch: int) -> Found | None:
        found = self._checkpoint(self._paths(training), epoch)
        return found if found is not None and found.epoch == epoch else None

    def _pick(self, data: st.DataObject) -> Training:
        number = data.draw(st.sampled_from(sorted(self.live)))
        training: Training = self.live[number]
        return training

    # What happens

    @precondition(lambda self: len(self.live) < PLACES)
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
        assert key not in self.left
        epochs = [entry.epoch for entry in attempt.history]
        assert epochs == list(range(len(epochs)))
        if attempt.resume_from is None:
            assert not epochs
        else:
            assert (self.paths.folder / attempt.resume_from).is_file()
            assert epochs[-1] == int(Path(attempt.resume_from).stem)
        self.left[key] = self.live[attempt.number] = Training(attempt)
        self._paths(self.live[attempt.number]).folder.mkdir(parents=True)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), is_saved=st.integers(0, 3))
    def train(self, data: st.DataObject, is_saved: int) -> None:
        training = self._pick(data)
        if training.next >= EPOCHS:
            return
        value = data.draw(st.sampled_from([0.0, 0.25, 0.5, 0.75]))
        epoch = training.next
        metrics = {"score": value, "train_loss": 1.0 - value}
        training.measured.append(Measurement(epoch, metrics, float(epoch)))
        if is_saved:
            # They are written in order: no later one is whole before that of a rung is.
            own = range(training.first, epoch)
            for each in (*(rung for rung in own if rung + 1 in RUNGS), epoch):
                (self._paths(training).folder / f"{each}.pth").touch()

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def report(self, data: st.DataObject) -> None:
        training = self._pick(data)
        if training.pause or training.told == len(training.measured):
            return
        measurement = training.measured[training.told]
        try:
            decision = self.engine.report(training.attempt.number, measurement)
            assert self.engine.report(training.attempt.number, measurement) == decision
        except PowerCutError:
            self._restart()
            return
        training.told += 1
        self._follow(training, decision)

    def _follow(self, training: Training, decision: Decision) -> None:
        if isinstance(decision, Pause):
            assert training.attempt.seed is None
            assert training.next - (len(training.measured) - training.told) in RUNGS
            training.pause = decision
        if isinstance(decision, Stop):
            self._finish(training, OutcomeState.PRUNED, training.first + training.told - 1)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def rest(self, data: st.DataObject) -> None:
        """A training that is to pause does, once the checkpoint of its rung is there."""
        training = self._pick(data)
        if training.pause is None:
            return
        if self._at(training, training.rung):
            self._finish(training, OutcomeState.PAUSED, training.rung, training.pause.reason)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        training = self._pick(data)
        if training.next == EPOCHS:
            if training.pause or training.told < len(training.measured):
                self.exempt.add(training.attempt.number)
            self._finish(training, OutcomeState.OK, EPOCHS - 1)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), failure=st.sampled_from([FailureClass.OOM, FailureClass.DATA]))
    def fail(self, data: st.DataObject, failure: FailureClass) -> None:
        training = self._pick(data)
        if training.told < len(training.measured):
            self.exempt.add(training.attempt.number)
        self._finish(training, OutcomeState.FAILED, training.next - 1, "as drawn", failure)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def interrupt(self, data: st.DataObject) -> None:
        training = self._pick(data)
        heard = [entry.epoch for entry in training.measured[: training.told]]
        epochs = [entry.epoch for entry in training.measured]
        asked = unjudged_rung(epochs, heard, RUNGS)
        rung = training.rung if training.pause else asked.epoch if asked else -1
        if rung >= 0 and self._at(training, rung):
            self._finish(training, OutcomeState.PAUSED, rung, "interrupted at a rung")
            return
        newest = self._checkpoint(self._paths(training), None)
        last = training.first - 1 if newest is None else newest.epoch
        self._finish(training, OutcomeState.INTERRUPTED, last)

    def _finish(
        self,
        training: Training,
        state: OutcomeState,
        last: int,
        evidence: str = "",
        failure: FailureClass | None = None,
    ) -> None:
        attempt = training.attempt
        everything = (*attempt.history, *training.measured)
        place = self._checkpoint(self._paths(training), last)
        checkpoint = attempt.resume_from if place is None else self.paths.relative(place.path)
        outcome = Outcome(
            attempt.number,
            attempt.attempt,
            state,
            tuple(entry for entry in everything if entry.epoch <= last),
            failure,
            evidence,
            checkpoint=checkpoint,
            seconds=1.0,
        )
        write_outcome(self._paths(training), outcome)
        try:
            record = self.engine.finish(outcome)
        except PowerCutError:
            self._restart()
            return
        del self.live[attempt.number]
        self.outcomes.append(outcome)
        if state is OutcomeState.PAUSED:
            assert record.state is TrialState.PAUSED

    # What always holds

    @invariant()
    def a_search_ends_for_whoever_opens_it_as_for_who_drives_it(self) -> None:
        ended = self.engine.stopped
        if ended is None or ended.cause is not EndCause.CIRCUIT_BREAKER:
            assert self._open(self.medium.seen()).stopped == ended

    @invariant()
    def no_trial_is_above_its_budget(self) -> None:
        for record in self.engine.records():
            assert list(record.values) == list(range(len(record.values)))
            assert len(record.values) <= EPOCHS

    @invariant()
    def a_paused_trial_has_what_it_goes_on_from(self) -> None:
        for record in self.engine.records():
            if record.state is TrialState.PAUSED:
                assert record.evidence
                assert (self.paths.folder / str(record.checkpoint)).is_file()

    @invariant()
    def no_more_go_on_than_the_rule_allows(self) -> None:
        if type(self).method is not ThirdGoesOn:
            return
        records = searched(self.engine.records())
        for rung in RUNGS:
            n_reached = sum(rung - 1 in record.values for record in records)
            beyond = {record.number for record in records if len(record.values) > rung}
            assert len(beyond - self.exempt) <= n_reached // ETA

    def teardown(self) -> None:
        self._ended(self._train)
        assert OptunaState.RUNNING not in [trial.state for trial in self._study().trials]

    def _train(self, attempt: Attempt) -> None:
        training = Training(attempt)
        self.left[attempt.number, attempt.attempt] = training
        self.live[attempt.number] = training
        self._paths(training).folder.mkdir(parents=True)
        self._run(training)

    def _run(self, training: Training) -> None:
        while training.attempt.number in self.live:
            if training.next < EPOCHS:
                measured = Measurement(training.next, {"score": 0.1, "train_loss": 0.9}, 1.0)
                training.measured.append(measured)
                (self._paths(training).folder / f"{measured.epoch}.pth").touch()
                decision = self.engine.report(training.attempt.number, measured)
                training.told += 1
                self._follow(training, decision)
                if training.pause:
                    reason = training.pause.reason
                    self._finish(training, OutcomeState.PAUSED, measured.epoch, reason)
            else:
                self._finish(training, OutcomeState.OK, EPOCHS - 1)


class AshaUnderCrashes(PausingUnderCrashes):
    fidelity = "asha"
    method = partial(Ruled, Asha())


class HyperbandUnderCrashes(PausingUnderCrashes):
    fidelity = "hyperband"
    method = partial(Ruled, hyperband(len(RUNGS)))


def _often(n: int) -> settings:
    return settings(max_examples=n, stateful_step_count=50, deadline=None)


PausingUnderCrashes.TestCase.settings = _often(25)
AshaUnderCrashes.TestCase.settings = HyperbandUnderCrashes.TestCase.settings = _often(12)
TestPausingUnderCrashes = PausingUnderCrashes.TestCase
TestAshaUnderCrashes = AshaUnderCrashes.TestCase
TestHyperbandUnderCrashes = HyperbandUnderCrashes.TestCase


def test_every_method_is_among_them() -> None:
    machines = (PausingUnderCrashes, AshaUnderCrashes, HyperbandUnderCrashes)
    assert {machine.fidelity for machine in machines} == set(METHODS)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_pausing_in_a_database_under_crashes(database: str) -> None:
    class PausingInDatabase(AshaUnderCrashes):
        make_medium = staticmethod(partial(DatabaseMedium, database))

    few = settings(max_examples=2, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(PausingInDatabase, settings=few)
