"""This package's searches: the real engine, simulated."""

from collections.abc import Mapping
from dataclasses import dataclass

from automl.search.simulate import simulate
from automl.study.config import Limits, Resources, SearchSettings, StudyConfig
from tests.bench.search.problem import Point, Problem, Trace

__all__ = ["METHODS", "Own", "run"]

# More configurations than any budget here pays for.
_TRIALS = 500


@dataclass(frozen=True, slots=True)
class Own:
    """Settings of a search.

    Attributes:
        sampler: As of ``--sampler``.
        fidelity: As of ``--fidelity``.
        pruner: As of ``--pruner``.
    """

    sampler: str = "tpe"
    fidelity: str = "full"
    pruner: str = "none"


#: Name of a method to its settings; ``today`` is what the program did before it had any of these.
METHODS: Mapping[str, Own] = {
    "today": Own(),
    "today_median": Own(pruner="median"),
}


def run(problem: Problem, own: Own, seed: int, places: int, budget: float) -> Trace:
    """Simulates a search until its budget in full trainings is spent."""
    config = StudyConfig(
        "bench",
        "",
        "on",
        "bench",
        problem.objective,
        search=SearchSettings(
            sampler=own.sampler,
            fidelity=own.fidelity,
            pruner=own.pruner,
            seed=seed,
            n_epochs=problem.n_epochs,
        ),
        limits=Limits(_TRIALS, same_failures=0),
        resources=Resources(max_concurrent=places),
    )
    done = simulate(problem.space, config, problem, budget=budget)
    points = tuple(
        Point(each.trainings, problem.truth(done.params_of(each.number)), each.value, each.at_s)
        for each in done.incumbents
    )
    return Trace(points, done.trainings, len(done.trials))
