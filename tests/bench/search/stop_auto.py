"""What ``--stop auto`` saves, and what it loses.

    python -m tests.bench.search.stop_auto [FAMILY...] [--seeds 6] [--trials 40]

Each search runs once to its last trial and once until it ends itself; compared are the trainings
and the true score of the settings that each names.
"""

import argparse
import json
from dataclasses import replace
from statistics import fmean, median

from automl.search.decision import EndCause
from automl.search.simulate import simulate
from automl.study.earlier import Earlier
from tests.bench.search.families import FAMILIES
from tests.bench.search.warm_start import RESUMED, config_of

_FAMILIES = ("default2", "default2_noisy", "six", "six_noisy")


def main() -> None:
    """Prints a line of JSON for each family."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", default=_FAMILIES)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--trials", type=int, default=40)
    asked = parser.parse_args()
    for family in asked.families:
        used, lost, ended = [], [], 0
        for seed in range(asked.seeds):
            problem = FAMILIES[family].problem(seed)
            config = config_of(problem, seed, asked.trials, Earlier(), "auto")
            auto = replace(config, limits=replace(config.limits, stop="auto"))
            whole, short = (
                simulate(problem.space, each, problem, until=RESUMED) for each in (config, auto)
            )
            scores = [
                problem.truth(each.params_of(each.incumbents[-1].number))
                for each in (whole, short)
            ]
            used.append(short.trainings)
            lost.append(scores[0] - scores[1])
            ended += short.end is not None and short.end.cause is EndCause.NO_GAIN
        said = {
            "family": family,
            "seeds": asked.seeds,
            "trials": asked.trials,
            "ended_itself": ended,
            "trainings": [round(fmean(used), 1), min(used), max(used)],
            "lost": [round(fmean(lost), 4), round(median(lost), 4), round(max(lost), 4)],
            "noise": FAMILIES[family].noise,
        }
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
