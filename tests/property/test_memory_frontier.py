"""Whatever happens to the trials: the memory frontier refuses nothing that was seen to fit."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from automl.search.engine import Engine
from automl.search.frontier import MOST_REFUSALS, REFUSALS_A_TRIAL
from automl.search.proposals import n_modelled
from automl.skill.keys import NetworkKeys
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study import attributes
from automl.study.config import Direction, Objective, Resources, SearchSettings, StudyConfig
from automl.study.limits import Limits
from automl.study.records import (
    Attempt,
    FailureClass,
    Measurement,
    Outcome,
    OutcomeState,
    TrialState,
)
from automl.study.storage import memory_study
from automl.study.trials import by_number, is_refused

_LR, _BATCH, _NET = "train.optim.lr", "dataset.batch_size", "model.net"
_SPACE = SearchSpace(
    (
        Parameter(_LR, "float", FloatRange(1e-5, 1e-2, log=True), default=1e-4),
        Parameter(_BATCH, "int", IntRange(1, 64), default=4),
        Parameter(_NET, "categorical", Choice(("small", "large")), default="small"),
    )
)
_TRIALS = 25
_FAILURES = st.sampled_from([FailureClass.OOM, FailureClass.OOM, FailureClass.UNKNOWN])


class Search(RuleBasedStateMachine):
    """A search whose trials end in any order and in any way, some of them unluckily."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        objective = Objective("score", Direction.MAXIMIZE, worst=0.0)
        self.study = memory_study(objective)
        self.config = StudyConfig(
            "frontier", "/skill", "on", "default", objective,
            search=SearchSettings(sampler="random", seed=3),
            limits=Limits(_TRIALS, same_failures=0),
            resources=Resources(gpus_per_trial=1),
            keys=NetworkKeys(batch_sizes=(_BATCH,), optimizer="train.optim."),
        )  # fmt: skip
        self.engine = Engine(self.study, _SPACE, self.config, lambda: self.now)
        self.running: list[Attempt] = []
        self.fitted: dict[Any, Any] = {}
        self.judged = 0

    @precondition(lambda self: len(self.running) < 3)
    @rule()
    def start(self) -> None:
        """Asks for a trial; what is refused on the way must be beyond all that has fitted."""
        attempt = self.engine.ask()
        for trial in self.study.trials[self.judged :]:
            if is_refused(trial):
                params = trial.user_attrs[attributes.PARAMS]
                assert params[_BATCH] > self.fitted.get(params[_NET], 0)
        self.judged = len(self.study.trials)
        if attempt is not None:
            self.running.append(attempt)

    @precondition(lambda self: self.running)
    @rule(place=st.integers(0, 2), epochs=st.integers(1, 3))
    def succeed(self, place: int, epochs: int) -> None:
        """Ends a trial well."""
        attempt = self.running.pop(place % len(self.running))
        values = tuple(Measurement(e, {"score": 0.1 * e}, 1.0) for e in range(epochs))
        self.engine.finish(Outcome(attempt.number, attempt.attempt, OutcomeState.OK, values))
        self._note(attempt)

    @precondition(lambda self: self.running)
    @rule(place=st.integers(0, 2), failure=_FAILURES, epochs=st.integers(0, 1))
    def fail(self, place: int, failure: FailureClass, epochs: int) -> None:
        """Ends a trial badly, with or without a measurement before."""
        attempt = self.running.pop(place % len(self.running))
        values = tuple(Measurement(e, {"score": 0.1}, 1.0) for e in range(epochs))
        outcome = Outcome(
            attempt.number, attempt.attempt, OutcomeState.FAILED, values, failure, "out of memory"
        )
        self.engine.finish(outcome)
        if epochs:
            self._note(attempt)

    @rule(seconds=st.integers(1, 50))
    def wait(self, seconds: int) -> None:
        """Lets time pass."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def resume(self) -> None:
        """Goes on with a new engine over the same trials, which must judge as the old one."""
        if not self.running:
            self.engine = Engine(self.study, _SPACE, self.config, lambda: self.now)

    def _note(self, attempt: Attempt) -> None:
        batch, net = attempt.params[_BATCH], attempt.params[_NET]
        self.fitted[net] = max(batch, self.fitted.get(net, 0))

    @invariant()
    def refusals_are_bounded(self) -> None:
        """Neither one trial nor the study pays for more refusals than the bounds allow."""
        counts = [sum(map(is_refused, trials)) for trials in by_number(self.study.trials).values()]
        assert all(count <= MOST_REFUSALS for count in counts)
        assert sum(counts) <= REFUSALS_A_TRIAL * _TRIALS

    @invariant()
    def only_measurements_are_start_up(self) -> None:
        """The sampler counts the trials that ended well, and no others."""
        usable = [r for r in self.engine.records() if r.state is TrialState.COMPLETE]
        assert n_modelled(self.study.trials) == len(usable)


Search.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestMemoryFrontier = Search.TestCase
