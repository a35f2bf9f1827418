"""What ``--stop auto`` saves, and what it loses.

    python -m tests.bench.search.stop_auto [FAMILY...] [--seeds 6] [--trials 40] [--out FILE.json]

Each search runs once to its last trial and once until it ends itself; compared are the trainings
and the true score of the settings that each names.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from automl.search.decision import EndCause
from automl.search.simulate import simulate
from automl.study.earlier import Earlier
from tests.bench.search.families import FAMILIES
from tests.bench.search.stamped import write_rows
from tests.bench.search.warm_start import RESUMED, config_of

_FAMILIES = ("default2", "default2_noisy", "six", "six_noisy")


def one(trials: int, family: str, seed: int) -> dict[str, Any]:
    """What one search saves and loses."""
    problem = FAMILIES[family].problem(seed)
    config = config_of(problem, seed, trials, Earlier(), "auto")
    auto = replace(config, limits=replace(config.limits, stop="auto"))
    whole, short = (
        simulate(problem.space, each, problem, until=RESUMED) for each in (config, auto)
    )
    scores = [problem.truth(each.params_of(each.incumbents[-1].number)) for each in (whole, short)]
    return {
        "family": family,
        "noise": FAMILIES[family].noise,
        "seed": seed,
        "trials": trials,
        "ended_itself": short.end is not None and short.end.cause is EndCause.NO_GAIN,
        "trainings": round(short.trainings, 3),
        "lost": round(scores[0] - scores[1], 6),
    }


def main() -> None:
    """Runs the searches; a line a search, and all of them in a file where one is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", default=_FAMILIES)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    seeds, families = zip(*product(range(asked.seeds), asked.families), strict=True)
    with ProcessPoolExecutor(asked.processes) as pool:
        found = pool.map(partial(one, asked.trials), families, seeds)
        write_rows(asked.out, "stop_auto", found)


if __name__ == "__main__":
    main()
