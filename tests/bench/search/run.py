"""Runs searches over known curves, one JSON file a family and method; a second run goes on.

    python -m tests.bench.search.run FAMILY... --methods METHOD... [--seeds 20] [--budget 50]
        [--places 1] [--processes 1] [--curves FOLDER] [--tao-python PATH]

A family is one of ``families.FAMILIES``, or the name of a table in the folder of ``--curves``
(``*.jsonl`` of recorded trainings, ``*.npz`` of TaskSet). Seeds that are in a file already are not
run again. Costs are in full trainings; what a method would answer with at each cost is scored
without noise.
"""

import argparse
import contextlib
import importlib.metadata
import json
import platform
import shlex
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna

from automl.jsontext import read_json
from tests.bench.search import by_ax, by_engine, by_optuna, by_tao
from tests.bench.search.drive import drive
from tests.bench.search.families import FAMILIES
from tests.bench.search.families import Problem as MadeUp
from tests.bench.search.known_kernel import known_kernel
from tests.bench.search.problem import Problem, Trace
from tests.bench.search.revision import revision
from tests.bench.search.tables import table_of

RESULTS = Path(__file__).with_name("results")
_PACKAGES = ("optuna", "ray", "numpy", "scipy", "torch")
_AX = ("ax-platform", "botorch", "gpytorch", "numpy", "scipy", "torch")
_KNOWN = {"auto_known_kernel": "auto", "auto_full_known_kernel": "auto_full"}
_RAY = {"ray_asha": 1, "ray_asha_grace3": 3}
ALL = (*by_engine.METHODS, *by_optuna.METHODS, *_KNOWN, *_RAY, *by_ax.METHODS, *by_tao.METHODS)


def trace_of(name: str, problem: Problem, seed: int, asked: argparse.Namespace) -> Trace:
    """One search of one method."""
    places, budget = asked.places, asked.budget
    if name in by_engine.METHODS:
        return by_engine.run(problem, by_engine.METHODS[name], seed, places, budget)
    if name in _KNOWN and isinstance(problem, MadeUp):
        with known_kernel(problem):
            return by_engine.run(problem, by_engine.METHODS[_KNOWN[name]], seed, places, budget)
    if name in by_optuna.METHODS:
        sampler, pruner = by_optuna.METHODS[name]
        worst = problem.objective.worst if name in by_optuna.TELLS_WORST else None
        search = by_optuna.OptunaSearch(problem, sampler(seed), pruner(problem), worst)
        return drive(search, problem, places, budget)
    if name in _RAY:
        from tests.bench.search.by_ray import RayAsha

        return drive(RayAsha(problem, seed, _RAY[name]), problem, places, budget)
    if name in by_ax.METHODS:
        return drive(by_ax.AxSearch(problem, by_ax.METHODS[name], seed), problem, places, budget)
    with by_tao.TaoSearch(problem, by_tao.METHODS[name], seed, places, asked.tao_python) as tao:
        return drive(tao, problem, places, budget)


def versions(name: str, asked: argparse.Namespace) -> dict[str, str]:
    """What a result depends on."""
    known = {"python": platform.python_version(), "machine": platform.machine()}
    used = _AX if name in by_ax.METHODS else _PACKAGES
    for package in used:
        # A machine that runs one method need not have what another one is made of.
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            known[package] = importlib.metadata.version(package)
    if name in by_engine.METHODS or name in _KNOWN:
        known["revision"] = revision()
    return known | ({"nvidia-tao-automl": "7.2.0"} if name in by_tao.METHODS else {})


def path_of(family: str, method: str, places: int) -> Path:
    """Where the results of a method are."""
    return RESULTS / family / f"{method}@{places}.json"


Task = tuple[str, str, int]


def seed_of(task: Task, asked: argparse.Namespace) -> dict[str, Any] | None:
    """One seed of a family and method, as it is kept; None where it is too late to begin it."""
    family, method, seed = task
    if time.time() - asked.began > asked.minutes * 60:
        return None
    problem = problem_of(family, seed, asked)
    began = time.process_time()
    trace = trace_of(method, problem, seed, asked)
    return trace.to_json() | {
        "optimum": problem.optimum,
        "budget": asked.budget,
        "cpu_s": round(time.process_time() - began, 2),
    }


def missing(asked: argparse.Namespace) -> list[Task]:
    """The seeds that are in no file yet, those of all families and methods by turns."""
    return [
        (family, method, seed)
        for seed in range(asked.seeds)
        for family in asked.families
        for method in asked.methods
        if str(seed) not in kept_of(path_of(family, method, asked.places))["seeds"]
    ]


def kept_of(path: Path) -> dict[str, Any]:
    """What a file of results holds."""
    return dict(read_json(path)) if path.exists() else {"seeds": {}}


def keep(task: Task, found: dict[str, Any], asked: argparse.Namespace) -> None:
    """Adds a seed to its file."""
    family, method, seed = task
    path = path_of(family, method, asked.places)
    kept = kept_of(path)
    kept["seeds"][str(seed)] = found
    direction = problem_of(family, seed, asked).objective.direction
    kept |= {
        "schema": "automl.search-bench/1",
        "family": family,
        "method": method,
        "places": asked.places,
        "direction": str(direction),
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
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no seed later")
    parser.add_argument("--curves", type=Path, help="folder of tables")
    parser.add_argument("--tao-python", type=Path, help="a Python that has tao_automl")
    return parser.parse_args()


def main() -> None:
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    asked = arguments()
    asked.began = time.time()
    tasks = missing(asked)
    if asked.processes == 1:
        for task in tasks:
            found = seed_of(task, asked)
            if found is not None:
                keep(task, found, asked)
        return
    with ProcessPoolExecutor(asked.processes) as pool:
        running = {pool.submit(seed_of, task, asked): task for task in tasks}
        for done in as_completed(running):
            result = done.result()
            if result is not None:
                keep(running[done], result, asked)


if __name__ == "__main__":
    main()
