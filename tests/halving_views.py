"""Views of made-up studies, and a driver that takes a method through one."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from automl.search.decision import Continue, Decision, Pause, SearchEnd
from automl.search.method import GoOn, Method, Propose, SearchView, TrialView
from automl.skill.keys import NetworkKeys
from automl.skill.signals import Signal
from automl.skill.tree import ParamValue
from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.limits import Limits
from automl.study.ranking import best_epoch
from automl.study.records import Measurement, TrialRecord, TrialState

N_EPOCHS = 12
RUNGS = (2, 6)
LOSS = Signal("train_loss")
#: Metric to value, epoch by epoch.
Curve = Sequence[Mapping[str, float]]


def asked(trials: int = 20, **changes: object) -> StudyConfig:
    """A study of twelve epochs with two rungs."""
    direction = changes.pop("direction", Direction.MAXIMIZE)
    settings = {"rungs": RUNGS, "n_epochs": N_EPOCHS, "fidelity": "asha", "signals": (LOSS,)}
    return StudyConfig(
        "made-up",
        "/skill",
        "on",
        "test",
        Objective("score", Direction(str(direction))),
        search=SearchSettings(**{**settings, **changes}),  # type: ignore[arg-type]
        limits=Limits(trials),
        keys=NetworkKeys(optimizer="optim."),
    )


def trial(
    number: int,
    curve: Curve,
    config: StudyConfig,
    state: TrialState = TrialState.RUNNING,
    params: Mapping[str, ParamValue] | None = None,
    audited: str = "",
) -> TrialView:
    """A trial that has measured so much of a curve, ten seconds an epoch."""
    measured = tuple(
        Measurement(epoch, metrics, 10.0 * (epoch + 1)) for epoch, metrics in enumerate(curve)
    )
    metric = config.objective.metric
    values = {each.epoch: each.metrics[metric] for each in measured if metric in each.metrics}
    best = best_epoch(values, config.objective)
    record = TrialRecord(
        number,
        state,
        params or {"optim.lr": 0.1 + number},
        values=values,
        best_epoch=best,
        best_value=None if best is None else values[best],
    )
    return TrialView(record, measured, audited)


@dataclass(slots=True)
class Run:
    """One trial of a driven search."""

    curve: Curve
    state: TrialState = TrialState.RUNNING
    n_done: int = 0
    audited: str = ""


@dataclass(slots=True)
class Driven:
    """A search over known curves: trial ``n`` has ``curves[n]``.

    Attributes:
        config: What is asked for.
        method: Who decides.
        curves: One for each trial that may start.
        places: Trials that train at the same time.
        seed: Of the order in which running trials are measured.
        decided: Every decision, with the view that it was taken on.
        promoted: Every promotion, with the same.
    """

    config: StudyConfig
    method: Method
    curves: Sequence[Curve]
    places: int = 1
    seed: int = 0
    params: Callable[[int], Mapping[str, ParamValue] | None] = lambda _: None
    runs: list[Run] = field(default_factory=list)
    decided: list[tuple[SearchView, int, Decision]] = field(default_factory=list)
    promoted: list[tuple[SearchView, GoOn]] = field(default_factory=list)
    end: SearchEnd | None = None

    def view(self) -> SearchView:
        """The study as it stands."""
        trials = [
            trial(
                number,
                run.curve[: run.n_done],
                self.config,
                run.state,
                self.params(number),
                run.audited,
            )
            for number, run in enumerate(self.runs)
        ]
        return SearchView(trials, self.config)

    def run(self) -> "Driven":
        """To the end of the search."""
        order = random.Random(self.seed)  # noqa: S311
        while True:
            while len(self.running) < self.places and self._start():
                pass
            if not self.running:
                return self
            self._epoch(order.choice(self.running))

    @property
    def running(self) -> list[int]:
        """The trials that train."""
        return [n for n, run in enumerate(self.runs) if run.state is TrialState.RUNNING]

    @property
    def ended(self) -> list[int]:
        """The trials that were trained to their end."""
        return [n for n, run in enumerate(self.runs) if run.state is TrialState.COMPLETE]

    @property
    def n_epochs(self) -> int:
        """Epochs of all trials."""
        return sum(run.n_done for run in self.runs)

    def _start(self) -> bool:
        view = self.view()
        match self.method.next_start(view):
            case Propose():
                self.runs.append(Run(self.curves[len(self.runs)]))
            case GoOn(number) as start:
                assert self.runs[number].state is TrialState.PAUSED
                self.promoted.append((view, start))
                self.runs[number].state = TrialState.RUNNING
            case SearchEnd() as end:
                self.end = end
                return False
            case _:
                return False
        return True

    def _epoch(self, number: int) -> None:
        run = self.runs[number]
        run.n_done += 1
        if run.n_done == len(run.curve):
            run.state = TrialState.COMPLETE
            return
        view = self.view()
        decision = self.method.judge(view, number)
        self.decided.append((view, number, decision))
        if isinstance(decision, Continue):
            run.audited = decision.audited or run.audited
        else:
            is_pause = isinstance(decision, Pause)
            run.state = TrialState.PAUSED if is_pause else TrialState.PRUNED
