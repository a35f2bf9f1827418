"""What a search keeps current by events is what it would read in the study, after any of them."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.search.budget import Budget
from automl.search.decision import Continue, Decision, Pause, SearchEnd, Stop
from automl.search.engine import Engine
from automl.search.method import GoOn, Propose, SearchView, Start, TrainAgain
from automl.search.methods.limits import why_no_more
from automl.search.trial_store import TrialStore
from automl.search.view import ViewSource
from automl.skill.keys import NetworkKeys
from automl.space.distributions import Choice, IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.clock import utc_now
from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.layout import AttemptPaths, StudyPaths
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
from automl.study.trials import read_records

BATCH = "batch"
OBJECTIVE = Objective("score", Direction.MAXIMIZE)
#: Few enough configurations that proposals repeat, are refused and run out.
SPACE = SearchSpace(
    (
        Parameter(BATCH, "int", IntRange(1, 4), default=2),
        Parameter("net", "categorical", Choice(("a", "b", "c")), default="a"),
    )
)
CONFIG = StudyConfig(
    "kept",
    "/skill",
    "on",
    "default",
    OBJECTIVE,
    search=SearchSettings(sampler="random", seed=3, rungs=(1, 2, 3), n_epochs=4),
    limits=Limits(9, same_failures=0),
    keys=NetworkKeys(batch_sizes=(BATCH,)),
)
FOLDER = StudyPaths(Path(tempfile.gettempdir()) / "automl-kept-without-files")
DECISIONS = (Continue(), Pause("paused"), Stop("stopped"), Continue(audited="would stop"))
FAILURES = (FailureClass.OOM, FailureClass.GPU)
ENDS = (*OutcomeState,)


@dataclass(slots=True)
class Compares:
    """A method that decides by lot, and compares what it is shown with what the study holds."""

    study: optuna.Study
    lots: list[int]

    def lot(self, n: int) -> int:
        return self.lots.pop() % n if self.lots else 0

    def next_start(self, view: SearchView) -> Start | SearchEnd | None:
        self.compare(view, self.read().view())
        ended = why_no_more(view)
        paused = view.searched(TrialState.PAUSED)
        if paused and (ended is not None or self.lot(2)):
            return GoOn(paused[self.lot(len(paused))].number, "drawn")
        if ended is None:
            return Propose()
        usable = [each.number for each in view.searched() if each.record.is_usable]
        if usable and len(view.trials) < 12:
            return TrainAgain(usable[self.lot(len(usable))], len(view.trials))
        return ended

    def judge(self, view: SearchView, number: int) -> Decision:
        newest = view.by_number[number].measured[-1]
        self.compare(view, self.read().view(number, newest))
        return DECISIONS[self.lot(len(DECISIONS))]

    def read(self) -> ViewSource:
        store = TrialStore(self.study, OBJECTIVE)
        return ViewSource(store, SPACE, CONFIG, Budget(store, CONFIG, utc_now))

    def compare(self, kept: SearchView, read: SearchView) -> None:
        assert tuple(kept.trials) == tuple(read.trials)
        assert dict(kept.by_number) == dict(read.by_number)
        assert (kept.n_refused, kept.n_tried) == (read.n_refused, read.n_tried)
        for states in ((), *((state,) for state in TrialState)):
            assert kept.searched(*states) == read.searched(*states)


@dataclass(slots=True)
class Drive:
    """A search whose every step is drawn."""

    study: optuna.Study
    method: Compares
    engine: Engine = field(init=False)
    live: dict[int, Attempt] = field(default_factory=dict)
    measured: dict[int, list[Measurement]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Another driver takes over."""
        self.engine = Engine(self.study, SPACE, CONFIG, method=self.method)
        self.engine.recover(FOLDER, _no_history, _no_checkpoint)
        self.live.clear()

    def step(self, act: int, pick: int) -> None:
        live = sorted(self.live)
        number = live[pick % len(live)] if live else None
        if act == 0:
            self.study.enqueue_trial({})
        elif act == 1:
            self.restart()
        elif act < 5 or number is None:
            self.start()
        elif act < 9:
            self.report(number, pick)
        else:
            self.end(number, ENDS[pick % len(ENDS)], FAILURES[pick % len(FAILURES)])
        assert self.engine.records() == read_records(self.study, OBJECTIVE)
        self.method.compare(self.engine._views.view(), self.method.read().view())

    def start(self) -> None:
        attempt = self.engine.ask()
        if attempt is not None:
            self.live[attempt.number] = attempt
            self.measured[attempt.number] = list(attempt.history)

    def report(self, number: int, pick: int) -> None:
        measured = self.measured[number]
        epoch = measured[-1].epoch + 1 if measured else 0
        measured.append(Measurement(epoch, {"score": pick / 10, "loss": 1.0}, float(epoch)))
        decision = self.engine.report(number, measured[-1])
        if isinstance(decision, Pause):
            self.end(number, OutcomeState.PAUSED)
        elif isinstance(decision, Stop):
            self.end(number, OutcomeState.PRUNED)

    def end(self, number: int, state: OutcomeState, failure: FailureClass | None = None) -> None:
        attempt, measured = self.live.pop(number), tuple(self.measured[number])
        failed = failure if state is OutcomeState.FAILED else None
        # A pause whose checkpoint has gone is known to the driver that looked for it alone.
        checkpoint = None if state is OutcomeState.PAUSED else "c.pth"
        self.engine.finish(
            Outcome(
                number, attempt.attempt, state, measured, failed, "ended", checkpoint=checkpoint
            )
        )


def _no_history(paths: AttemptPaths) -> tuple[Measurement, ...]:
    return ()


def _no_checkpoint(paths: AttemptPaths, epoch: int | None) -> None:
    return None


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(0, 10), st.integers(0, 9)), min_size=1, max_size=40),
    lots=st.lists(st.integers(0, 11), max_size=40),
)
def test_what_is_kept_is_what_would_be_read(
    steps: Sequence[tuple[int, int]], lots: list[int]
) -> None:
    study = memory_study(OBJECTIVE)
    drive = Drive(study, Compares(study, lots))
    for act, pick in steps:
        drive.step(act, pick)
