"""Who proposes better: our sampler against Optuna's and random draws, in whole trainings.

Each study begins with the default, runs one trial after the other, and is scored by the value
without noise of the trial with the best observed value: what a user would take home. Prints, and
with ``--out`` writes as JSON, the mean over the seeds at some numbers of trials with a bootstrap
interval of 95 %, the trials to 0.79, and the paired difference from Optuna's TPE. Results are in
``sampler_results``; BLAS had one thread (``OMP_NUM_THREADS=1``).

    python -m tests.bench.search.sampler --family waves --settings 6 --noise 0.01 [--out FILE]
"""

import argparse
import importlib.metadata
import json
import math
import shlex
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from automl.search.gp_sampler import GaussianProcessSampler, Knowledge
from automl.search.prior import Prior
from tests.bench.search.terrain import BEST, FAMILIES, Problem, make

TARGET = 0.79
SHOWN = (10, 25, 50)
RESAMPLES = 2000
PACKAGES = ("numpy", "optuna", "scipy")

MakeSampler = Callable[[Problem, int], BaseSampler]


def _ours(problem: Problem, seed: int) -> BaseSampler:
    priors = {name: Prior(value) for name, value in problem.default.items()}
    return GaussianProcessSampler(seed, Knowledge(priors=priors))


def _tpe(problem: Problem, seed: int) -> BaseSampler:
    del problem
    return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


def _optuna_gp(problem: Problem, seed: int) -> BaseSampler:
    del problem
    return optuna.samplers.GPSampler(seed=seed, deterministic_objective=False)


def _random(problem: Problem, seed: int) -> BaseSampler:
    del problem
    return RandomSampler(seed)


SAMPLERS: Mapping[str, MakeSampler] = {
    "ours": _ours,
    "tpe": _tpe,
    "optuna-gp": _optuna_gp,
    "random": _random,
}


def run(
    problem: Problem, sampler: BaseSampler, noise: float, trials: int, seed: int
) -> list[float]:
    """The value without noise of the best trial so far, after each trial."""
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.enqueue_trial(dict(problem.default))
    draws = np.random.default_rng([seed, 7])
    best, taken, curve = -math.inf, 0.0, []
    for _ in range(trials):
        trial = study.ask()
        value = problem.value(problem.suggest(trial))
        shake = noise * float(draws.standard_normal())
        if math.isnan(value):
            # As the engine records what its own settings broke: the worst value, and why.
            trial.set_user_attr("failure", "diverged")
            study.tell(trial, 0.0)
        else:
            study.tell(trial, value + shake, state=TrialState.COMPLETE)
            if value + shake > best:
                best, taken = value + shake, value
        curve.append(taken)
    return curve


def interval(values: NDArray[np.float64]) -> list[float]:
    """Mean, and the ends of its bootstrap interval of 95 %."""
    draws = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), (0.025, 0.975))
    return [round(float(one), 4) for one in (values.mean(), low, high)]


def summary(curves: NDArray[np.float64], base: NDArray[np.float64] | None) -> dict[str, Any]:
    """What is said of one sampler: curves (seeds, trials) of its values."""
    shown = [at for at in SHOWN if at <= curves.shape[1]]
    reached = [
        int(np.argmax(one >= TARGET)) + 1 if one.max() >= TARGET else None for one in curves
    ]
    known = sorted(math.inf if one is None else one for one in reached)
    middle = known[len(known) // 2]
    return {
        "value": {str(at): interval(curves[:, at - 1]) for at in shown},
        "over_tpe": None
        if base is None
        else {str(at): interval(curves[:, at - 1] - base[:, at - 1]) for at in shown},
        "trials_to_target_median": None if math.isinf(middle) else middle,
        "reached_target": sum(one is not None for one in reached),
    }


def bench(options: argparse.Namespace) -> dict[str, Any]:
    """The table of one family."""
    curves: dict[str, NDArray[np.float64]] = {}
    seconds: dict[str, float] = {}
    for name in options.samplers:
        start = time.process_time()
        rows = []
        for seed in range(options.seeds):
            problem = make(options.family, options.settings, seed + options.first_seed)
            sampler = SAMPLERS[name](problem, seed)
            rows.append(run(problem, sampler, options.noise, options.trials, seed))
        curves[name] = np.array(rows)
        seconds[name] = (time.process_time() - start) / (options.seeds * options.trials)
    base = curves.get("tpe")
    return {
        "command": f"python -m tests.bench.search.sampler {shlex.join(_asked(options))}",
        "date": datetime.now().astimezone().date().isoformat(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "family": options.family,
        "settings": options.settings,
        "noise": options.noise,
        "seeds": options.seeds,
        "trials": options.trials,
        "best": BEST,
        "target": TARGET,
        "samplers": {
            name: summary(each, None if name == "tpe" else base)
            | {"cpu_s_a_trial": round(seconds[name], 4)}
            for name, each in curves.items()
        },
    }


def _asked(options: argparse.Namespace) -> list[str]:
    """The arguments that decide a table."""
    words = ["--family", options.family, "--samplers", *options.samplers]
    for name in ("settings", "noise", "seeds", "first_seed", "trials"):
        words += [f"--{name.replace('_', '-')}", f"{getattr(options, name):g}"]
    return words


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table, and writes it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--family", required=True, choices=tuple(FAMILIES))
    parser.add_argument("--settings", type=int, default=6)
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--samplers", nargs="+", default=["tpe", "ours", "random"])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    table = bench(options)
    for name, each in table["samplers"].items():
        values = "  ".join(f"@{at} {mean:.3f}" for at, (mean, *_) in each["value"].items())
        print(
            f"{options.family} {options.settings} {options.noise:g} {name:10} {values}  "
            f"to {TARGET}: {each['trials_to_target_median']} ({each['reached_target']})  "
            f"{each['cpu_s_a_trial']:.3f} s",
            flush=True,
        )
    if options.out:
        options.out.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
