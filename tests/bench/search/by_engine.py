"""This package's searches: the real engine, simulated."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from automl.search.rungs import rung_epochs
from automl.search.simulate import Until, simulate
from automl.search.simulation import Simulation
from automl.skill.signals import Signal
from automl.study.config import Resources, SearchSettings, StudyConfig
from automl.study.expected import expectations
from automl.study.limits import Limits
from tests.bench.search.problem import Point, Problem, Trace

__all__ = ["METHODS", "Own", "run"]

# More configurations than a budget in full trainings pays for: with rungs a trial costs about a
# quarter of one, and some break early.
_TRIALS_PER_TRAINING = 4


# A search stops itself where half of its trials fail; here somebody resumes it every time, as no
# other program stops.
_RESUMES = 1000


@dataclass(frozen=True, slots=True)
class Own:
    """Settings of a search.

    Attributes:
        sampler: As of ``--sampler``.
        fidelity: As of ``--fidelity``, once resolved.
        pruner: As of ``--pruner``.
        signals: What trials are judged by in place of what the profile says; None for that.
    """

    sampler: str = "tpe"
    fidelity: str = "full"
    pruner: str = "none"
    signals: tuple[Signal, ...] | None = None


#: Costs, in full trainings, at which it is noted which trial the program would name.
_NAMED_AT = (10.0, 25.0, 50.0)

#: A metric that nobody reports, so that the objective alone decides.
_NOTHING = (Signal("nothing"),)

#: Name of a method to its settings; ``today`` is what the program did before it had any of these.
METHODS: Mapping[str, Own] = {
    "today": Own(),
    "today_median": Own(pruner="median"),
    "auto": Own("auto", "asha"),
    "auto_full": Own("auto"),
    "auto_hyperband": Own("auto", "hyperband"),
    "auto_by_objective": Own("auto", "asha", signals=_NOTHING),
    "tpe_asha": Own("tpe", "asha"),
    "random_asha": Own("random", "asha"),
}


def run(problem: Problem, own: Own, seed: int, places: int, budget: float) -> Trace:
    """Simulates a search until its budget in full trainings is spent."""
    is_full = own.fidelity == "full"
    search = SearchSettings(
        sampler=own.sampler,
        fidelity=own.fidelity,
        pruner=own.pruner,
        seed=seed,
        n_epochs=problem.n_epochs,
        rungs=() if is_full else rung_epochs(problem.n_epochs, 1),
        signals=problem.signals if own.signals is None else own.signals,
    )
    config = StudyConfig(
        "bench",
        "",
        "on",
        "bench",
        problem.objective,
        search=search,
        limits=Limits(ceil(_TRIALS_PER_TRAINING * budget), same_failures=0),
        resources=Resources(max_concurrent=places),
    )
    done = simulate(problem.space, config, problem, until=Until(budget, _RESUMES))
    points = tuple(
        Point(each.trainings, problem.truth(done.params_of(each.number)), each.value, each.at_s)
        for each in done.incumbents
    )
    costs = [cost for cost in _NAMED_AT if cost <= budget]
    named = {f"{cost:g}": _named(done, problem, cost) for cost in costs}
    return Trace(points, done.trainings, len(done.trials), named)


def _named(done: Simulation, problem: Problem, cost: float) -> float:
    """The score of the trial of which most is expected, of those that had ended at a cost."""
    ended = {one.number for one in done.events if one.what == "ends" and one.trainings <= cost}
    records = [one.record for one in done.trials if one.record.number in ended]
    best = expectations(records, problem.objective).best
    worst = problem.objective.worst or 0.0
    return worst if best is None else round(problem.truth(done.params_of(best.number)), 6)
