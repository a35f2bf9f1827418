"""Other programs' searches over the same curves: places, a clock that jumps, the same accounting.

It does for them what ``automl.search.simulate`` does for the engine.
"""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from automl.search.curves import Curve
from automl.skill.tree import ParamValue
from tests.bench.search.problem import Point, Problem, Trace

__all__ = ["Job", "Searcher", "drive"]


@dataclass(frozen=True, slots=True)
class Job:
    """Epochs that are to be trained.

    Attributes:
        key: Whose; a job that goes on has the key of the one before.
        params: The settings.
        first: Epochs that are behind it.
        last: Epochs after which it has ended.
    """

    key: int
    params: Mapping[str, ParamValue]
    first: int
    last: int


class Searcher(Protocol):
    """A search of another program."""

    def ask(self) -> Job | None:
        """What to train next; None while there is nothing, or for good."""
        ...

    def measured(self, job: Job, epoch: int, value: float) -> bool:
        """Takes the objective after an epoch, from 1; whether the job is to stop."""
        ...

    def ended(self, job: Job, best: float | None, *, is_stopped: bool) -> None:
        """Takes the best value of a job; None where the training broke."""
        ...


@dataclass(slots=True)
class _Run:
    job: Job
    curve: Curve
    epoch: int
    best: float | None = None


class _Driver:
    """One run; of a job that went on the best value counts over all its parts."""

    def __init__(self, searcher: Searcher, problem: Problem, places: int, budget: float) -> None:
        self._searcher = searcher
        self._problem = problem
        self._places = places
        self._budget = budget
        self._queue: list[tuple[float, int, _Run]] = []
        self._n_scheduled = 0
        self._n_epochs = 0
        self._now_s = 0.0
        self._best: dict[int, float] = {}
        self._answer: tuple[int, float] = (0, math.inf)
        self._points: list[Point] = []

    def run(self) -> Trace:
        self._fill()
        while self._queue and self._trainings < self._budget:
            self._now_s, _, run = heapq.heappop(self._queue)
            self._advance(run)
            self._fill()
        return Trace(tuple(self._points), self._trainings, len(self._best))

    @property
    def _trainings(self) -> float:
        return self._n_epochs / self._problem.n_epochs

    def _fill(self) -> None:
        while len(self._queue) < self._places:
            job = self._searcher.ask()
            if job is None:
                return
            curve = self._problem.train(job.params, None)
            run = _Run(job, curve, job.first, self._best.get(job.key))
            self._best.setdefault(job.key, math.nan)
            self._schedule(run)

    def _schedule(self, run: _Run) -> None:
        is_over = run.epoch >= len(run.curve.epochs)
        seconds = 0.0 if is_over else run.curve.epochs[run.epoch].seconds
        self._n_scheduled += 1
        heapq.heappush(self._queue, (self._now_s + seconds, self._n_scheduled, run))

    def _advance(self, run: _Run) -> None:
        if run.epoch >= len(run.curve.epochs):
            self._searcher.ended(run.job, None, is_stopped=False)
            return
        value = run.curve.epochs[run.epoch].metrics.get(self._problem.objective.metric)
        run.epoch += 1
        self._n_epochs += 1
        is_stopped = False
        if value is not None:
            run.best = self._better(value, run.best)
            self._best[run.job.key] = run.best
            is_stopped = self._searcher.measured(run.job, run.epoch, value)
        has_failed = run.epoch >= len(run.curve.epochs) and run.curve.failure is not None
        if not is_stopped and not has_failed and run.epoch < run.job.last:
            self._schedule(run)
            return
        if not is_stopped and not has_failed:
            self._answer_with(run)
        self._searcher.ended(run.job, None if has_failed else run.best, is_stopped=is_stopped)

    def _better(self, value: float, best: float | None) -> float:
        if best is None or math.isnan(best):
            return value
        return value if self._problem.objective.is_better(value, best) else best

    def _answer_with(self, run: _Run) -> None:
        """A method answers with the best of those that it trained the longest."""
        if run.best is None:
            return
        loss = self._problem.objective.loss(run.best)
        length, least = self._answer
        if run.epoch > length or (run.epoch == length and loss < least):
            self._answer = (run.epoch, loss)
            truth = self._problem.truth(run.job.params)
            self._points.append(Point(self._trainings, truth, run.best, self._now_s))


def drive(searcher: Searcher, problem: Problem, places: int, budget: float) -> Trace:
    """Runs a search of another program until a budget in full trainings is spent."""
    return _Driver(searcher, problem, places, budget).run()
