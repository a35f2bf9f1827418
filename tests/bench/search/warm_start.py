"""What earlier trials are worth, and what misleading ones cost.

    python -m tests.bench.search.warm_start [FAMILY...] [--seeds 6] [--trials 20]
        [--samplers auto tpe] [--out FILE.json]

A search of 30 trials on one instance of a family is what is known. Then the same search goes on
a variant: the same landscape, shifted in place and level (``alike``), or that of another seed
(``misleading``); once with what is known and once without. What is compared is the true score of
the settings that each names after 3, 5, 10 and 20 full trainings.
"""

import argparse
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from automl.search.curves import Curve, Epoch
from automl.search.simulate import Until, simulate
from automl.search.simulation import Simulation
from automl.skill.tree import ParamValue
from automl.study.config import Resources, SearchSettings, StudyConfig
from automl.study.earlier import Earlier, EarlierTrial
from automl.study.limits import Limits
from tests.bench.search.families import FAMILIES, METRIC, Problem
from tests.bench.search.stamped import write_rows

#: A search that stops itself because too many trials fail is resumed, as somebody would.
RESUMED = Until(resumes=1000)
_KNOWN = 30
_AT = (3, 5, 10, 20)
_KNOWN_OF = ("nothing", "alike", "misleading")


@dataclass(frozen=True)
class Shifted(Problem):
    """A problem whose places and level are moved.

    Attributes:
        by: Share of each range that the landscape is moved by.
        level: What is added to every score.
    """

    by: float = 0.06
    level: float = -0.15

    def _place(self, params: Mapping[str, ParamValue]) -> Any:
        return np.clip(super()._place(params) + self.by, 0.0, 1.0)

    def train(self, params: Mapping[str, ParamValue], seed: int | None) -> Curve:
        curve = super().train(params, seed)
        epochs = (
            Epoch(e.seconds, {**e.metrics, METRIC: max(0.0, e.metrics[METRIC] + self.level)})
            for e in curve.epochs
        )
        return replace(curve, epochs=tuple(epochs))


def config_of(
    problem: Problem, seed: int, trials: int, earlier: Earlier, sampler: str
) -> StudyConfig:
    """A search at full length."""
    return StudyConfig(
        "bench",
        "",
        "on",
        "bench",
        problem.objective,
        search=SearchSettings(sampler=sampler, seed=seed, n_epochs=problem.n_epochs),
        limits=Limits(trials, same_failures=0),
        resources=Resources(max_concurrent=1),
        earlier=earlier,
    )


def known_of(problem: Problem, seed: int) -> Earlier:
    """What a search of it leaves to others."""
    config = config_of(problem, seed, _KNOWN, Earlier(), "auto")
    done = simulate(problem.space, config, problem, until=RESUMED)
    records = [each.record for each in done.trials]
    level = records[0].best_value or 0.0
    ended = [each for each in records if each.is_usable and each.number]
    return Earlier(
        trials=tuple(
            EarlierTrial("known", e.number, e.params, (e.best_value or 0.0) - level) for e in ended
        )
    )


def truth_at(done: Simulation, problem: Problem) -> list[float]:
    """The true score of the answer at each cost."""
    found = []
    for cost in _AT:
        points = [each for each in done.incumbents if each.trainings <= cost + 1e-9]
        found.append(problem.truth(done.params_of(points[-1].number)) if points else 0.0)
    return found


def one(trials: int, seed: int, family: str, sampler: str, known: str) -> dict[str, Any]:
    """The true scores of one search."""
    problem = Shifted(FAMILIES[family], seed)
    earlier = Earlier()
    if known != "nothing":
        landscape = seed if known == "alike" else 1000 + seed
        earlier = known_of(Problem(FAMILIES[family], landscape), 100 + seed)
    config = config_of(problem, seed, trials, earlier, sampler)
    done = simulate(problem.space, config, problem, until=RESUMED)
    truth = [round(value, 6) for value in truth_at(done, problem)]
    named = {"family": family, "sampler": sampler, "known": known, "seed": seed}
    return {**named, "at": _AT, "truth": truth}


def main() -> None:
    """Runs the searches; a line a search, and all of them in a file where one is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", default=["default2", "six"])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--samplers", nargs="*", default=["auto", "tpe"])
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    tasks = product(range(asked.seeds), asked.families, asked.samplers, _KNOWN_OF)
    with ProcessPoolExecutor(asked.processes) as pool:
        found = pool.map(partial(one, asked.trials), *zip(*tasks, strict=True))
        write_rows(asked.out, "warm_start", found)


if __name__ == "__main__":
    main()
