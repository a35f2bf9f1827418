"""The bench of searches: what its families promise, and that its accounting adds up."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from automl.search.sample import sample
from automl.space.proposal import default_params
from automl.study.config import Direction, Objective
from tests.bench.search import by_engine
from tests.bench.search.drive import Job, drive
from tests.bench.search.families import FAMILIES, METRIC
from tests.bench.search.named import gain, table
from tests.bench.search.problem import Point, Trace
from tests.bench.search.summary import Difference, Runs, Spread

UP = Objective("score", Direction.MAXIMIZE)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_nothing_is_above_the_optimum(name: str) -> None:
    problem = FAMILIES[name].problem(3)
    scores = [problem.truth(params) for params in sample(problem.space, 200, seed=3)]
    assert problem.landscape.value(problem.landscape.best.copy()) == pytest.approx(problem.optimum)
    assert min(scores) >= 0.0
    assert max(scores) < problem.optimum
    assert len(set(scores)) > 100


@pytest.mark.parametrize("name", ["default2", "held_out6"])
def test_a_training_is_a_pure_function_of_its_settings(name: str) -> None:
    problem = FAMILIES[name].problem(1)
    params = default_params(problem.space)
    assert problem.train(params, None) == FAMILIES[name].problem(1).train(params, None)
    assert problem.train(params, 1) != problem.train(params, 2)
    assert problem.train(params, None) != FAMILIES[name].problem(2).train(params, None)


def test_noise_is_that_of_the_family() -> None:
    problem = FAMILIES["default2_noisy"].problem(0)
    params = default_params(problem.space)
    finals = [problem.train(params, seed).epochs[-1].metrics[METRIC] for seed in range(400)]
    assert np.std(finals) == pytest.approx(0.03, rel=0.2)
    assert np.mean(finals) == pytest.approx(problem.truth(params), abs=0.006)


@dataclass
class Stopping:
    """Asks for jobs that are stopped at an epoch, or go to their end.

    Attributes:
        stops: For each job the epoch that ends it; 0 for none.
        told: What was told of each.
    """

    stops: list[int]
    told: list[tuple[int, float | None, bool]] = field(default_factory=list)
    n_asked: int = 0

    def ask(self) -> Job | None:
        if self.n_asked == len(self.stops):
            return None
        job = Job(self.n_asked, default_params(FAMILIES["default2"].problem(0).space), 0, 27)
        self.n_asked += 1
        return job

    def measured(self, job: Job, epoch: int, value: float) -> bool:
        return epoch == self.stops[job.key]

    def ended(self, job: Job, best: float | None, *, is_stopped: bool) -> None:
        self.told.append((job.key, best, is_stopped))


def test_a_stopped_job_costs_what_it_trained_and_answers_nothing() -> None:
    problem = FAMILIES["default2"].problem(0)
    searcher = Stopping([9, 0, 3])
    trace = drive(searcher, problem, places=1, budget=100.0)
    assert trace.trainings == pytest.approx((9 + 27 + 3) / 27)
    assert [(key, stopped) for key, _, stopped in searcher.told] == [
        (0, True),
        (1, False),
        (2, True),
    ]
    assert [point.trainings for point in trace.points] == [pytest.approx(36 / 27)]
    assert trace.points[0].truth == problem.truth(default_params(problem.space))


def test_a_budget_cuts_the_search_off() -> None:
    trace = drive(Stopping([0] * 9), FAMILIES["default2"].problem(0), places=4, budget=2.0)
    assert trace.trainings == 2.0


def test_a_trace_answers_by_cost() -> None:
    trace = Trace((Point(1.0, 0.2, 0.3), Point(4.0, 0.5, 0.4)), 6.0, 6)
    assert [trace.at(cost) for cost in (0.5, 1.0, 3.9, 4.0)] == [None, 0.2, 0.2, 0.5]
    assert trace.cost_to(UP, 0.4) == 4.0
    assert trace.cost_to(UP, 0.6) is None
    assert Trace.from_json(trace.to_json()) == trace


def test_the_trial_that_the_program_would_name_is_scored_too() -> None:
    problem = FAMILIES["default2_noisy"].problem(0)
    trace = by_engine.run(problem, by_engine.METHODS["today"], seed=0, places=1, budget=12.0)
    assert set(trace.named) == {"10"}
    assert 0.0 < trace.named["10"] <= problem.optimum
    assert Trace.from_json(trace.to_json()).named == trace.named


def test_names_are_held_against_answers_seed_by_seed() -> None:
    traces = {n: Trace((Point(1.0, 0.2, 0.3),), 10.0, 9, {"10": 0.25}) for n in range(6)}
    runs = Runs(
        "one", "today@1", UP, traces, dict.fromkeys(traces, 1.0), dict.fromkeys(traces, 10)
    )
    found = gain(runs, 10.0)
    assert found is not None
    assert found.n == 6
    assert found.mean == pytest.approx(0.05)
    assert gain(runs, 25.0) is None
    assert table({("one", "today@1"): runs}, ["today"])[2].startswith(
        "| one | today@1 | 6 | +0.05"
    )


def test_differences_are_paired_by_seed() -> None:
    one = {0: 0.5, 1: 0.6, 2: 0.7, 3: 0.3, 4: 0.2, 9: 0.0}
    other = {0: 0.4, 1: 0.5, 2: 0.6, 3: 0.2, 4: 0.1, 8: 1.0}
    found = Difference.of(one, other, UP)
    assert found is not None
    assert found.n == 5
    assert (found.low, found.mean, found.high) == pytest.approx((0.1, 0.1, 0.1))
    down = Difference.of(one, other, Objective("loss", Direction.MINIMIZE))
    assert down is not None
    assert down.mean == pytest.approx(-0.1)
    assert Difference.of(dict.fromkeys(range(4), 1.0), dict.fromkeys(range(4), 1.0), UP) is None


def test_what_never_came_is_above_the_budget() -> None:
    spread = Spread.of([3.0, 7.0, float("inf"), float("inf"), float("inf")])
    assert spread is not None
    assert spread.text(0, 50.0) == "> 50 (7 .. > 50)"
