"""Runs searches over known curves, one JSON file a family and method; a second run goes on.

    python -m tests.bench.search.run FAMILY... --methods METHOD... [--seeds 20] [--budget 50]
        [--places 1] [--curves FOLDER] [--tao-python PATH]

A family is one of ``families.FAMILIES``, or the name of a table in the folder of ``--curves``
(``*.jsonl`` of recorded trainings, ``*.npz`` of TaskSet). Seeds that are in a file already are not
run again. Costs are in full trainings; what a method would answer with at each cost is scored
without noise.
"""

import argparse
import importlib.metadata
import json
import platform
import shlex
import sys
import time
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna

from automl.jsontext import read_json
from tests.bench.search import by_engine, by_optuna, by_tao
from tests.bench.search.by_ray import RayAsha
from tests.bench.search.drive import drive
from tests.bench.search.families import FAMILIES
from tests.bench.search.problem import Problem, Trace
from tests.bench.search.tables import table_of

RESULTS = Path(__file__).with_name("results")
_PACKAGES = ("optuna", "ray", "numpy", "scipy", "torch")
_RAY = {"ray_asha": 1, "ray_asha_grace3": 3}
ALL = (*by_engine.METHODS, *by_optuna.METHODS, *_RAY, *by_tao.METHODS)


def trace_of(name: str, problem: Problem, seed: int, asked: argparse.Namespace) -> Trace:
    """One search of one method."""
    places, budget = asked.places, asked.budget
    if name in by_engine.METHODS:
        return by_engine.run(problem, by_engine.METHODS[name], seed, places, budget)
    if name in by_optuna.METHODS:
        sampler, pruner = by_optuna.METHODS[name]
        search = by_optuna.OptunaSearch(problem, sampler(seed), pruner(problem))
        return drive(search, problem, places, budget)
    if name in _RAY:
        return drive(RayAsha(problem, seed, _RAY[name]), problem, places, budget)
    with by_tao.TaoSearch(problem, by_tao.METHODS[name], seed, places, asked.tao_python) as tao:
        return drive(tao, problem, places, budget)


def versions(name: str, asked: argparse.Namespace) -> dict[str, str]:
    """What a result depends on."""
    known = {"python": platform.python_version(), "machine": platform.machine()}
    known |= {package: importlib.metadata.version(package) for package in _PACKAGES}
    return known | ({"nvidia-tao-automl": "7.2.0"} if name in by_tao.METHODS else {})


def path_of(family: str, method: str, places: int) -> Path:
    """Where the results of a method are."""
    return RESULTS / family / f"{method}@{places}.json"


def run(family: str, method: str, asked: argparse.Namespace) -> None:
    """Runs the seeds that are not there yet; each is kept as soon as it has ended."""
    path = path_of(family, method, asked.places)
    kept: dict[str, Any] = read_json(path) if path.exists() else {"seeds": {}}
    for seed in range(asked.seeds):
        if str(seed) in kept["seeds"] or time.monotonic() - asked.began > asked.minutes * 60:
            continue
        problem = problem_of(family, seed, asked)
        began = time.process_time()
        trace = trace_of(method, problem, seed, asked)
        kept["seeds"][str(seed)] = trace.to_json() | {
            "optimum": problem.optimum,
            "budget": asked.budget,
            "cpu_s": round(time.process_time() - began, 2),
        }
        kept |= {
            "schema": "automl.search-bench/1",
            "family": family,
            "method": method,
            "places": asked.places,
            "direction": str(problem.objective.direction),
            "command": shlex.join(["python", "-m", "tests.bench.search.run", *_command(asked)]),
            "date": datetime.now().astimezone().date().isoformat(),
            "versions": versions(method, asked),
        }
        write(path, kept)
    print(f"{family} {method}@{asked.places}: {len(kept['seeds'])} seeds", flush=True)


def _command(asked: argparse.Namespace) -> list[str]:
    """The command without paths of this machine."""
    shown: list[str] = []
    skip = False
    for word in sys.argv[1:]:
        if skip:
            shown.append("FOLDER" if shown[-1] == "--curves" else "PYTHON")
        else:
            shown.append(word)
        skip = word in ("--curves", "--tao-python")
    return shown


def write(path: Path, value: dict[str, Any]) -> None:
    """Writes a file whole; one line a seed, so that a change reads as what it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = {name: value[name] for name in sorted(value) if name != "seeds"}
    seeds = sorted(value["seeds"].items(), key=lambda item: int(item[0]))
    lines = ",\n".join(f"  {json.dumps(seed)}: {json.dumps(trace)}" for seed, trace in seeds)
    text = json.dumps(head, indent=1)[:-2] + f',\n "seeds": {{\n{lines}\n }}\n}}\n'
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def problem_of(family: str, seed: int, asked: argparse.Namespace) -> Problem:
    """The instance of a family, or a table."""
    if family in FAMILIES:
        return FAMILIES[family].problem(seed)
    if asked.curves is None:
        sys.exit(f"no family {family}: {', '.join(FAMILIES)}; a table needs --curves")
    return table_of(asked.curves, family, seed)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], epilog=f"methods: {', '.join(ALL)}"
    )
    parser.add_argument("families", nargs="+", metavar="FAMILY")
    parser.add_argument("--methods", nargs="+", choices=ALL, required=True, metavar="METHOD")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=float, default=50.0, help="full trainings")
    parser.add_argument("--places", type=int, default=1, help="trainings at a time")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no seed later")
    parser.add_argument("--curves", type=Path, help="folder of tables")
    parser.add_argument("--tao-python", type=Path, help="a Python that has tao_automl")
    return parser.parse_args()


def main() -> None:
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    asked = arguments()
    asked.began = time.monotonic()
    for family in asked.families:
        for method in asked.methods:
            run(family, method, asked)


if __name__ == "__main__":
    main()
