"""The demonstration with several samplers and seeds: whole times and results.

    python -m tests.bench.demo_samplers OUT.json [--samplers tpe auto] [--seeds 7 8 9]
        [--cpus 0-15] [--seconds 500]

Each is ``automl run --demo`` on two CPUs of its own, with an empty cache, so that it renders its
images too, as a user's first one does. All samplers of a seed run at once, and as many seeds as
``--cpus`` have places for. A demonstration that has not ended after ``--seconds`` since the start
of all is ended and has no row.
"""

import argparse
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from queue import Queue
from typing import Any

from automl.files import write_json
from automl.jsontext import read_json
from tests.bench.search.revision import revision

CPUS_EACH = 2


def command_of(seed: int, sampler: str, trials: int | None) -> list[str]:
    """The words after ``python -m``."""
    few = ["--trials", str(trials)] if trials else []
    flags = ["--seed", str(seed), "--sampler", sampler, "--name", f"demo-{sampler}-{seed}", *few]
    return ["automl", "run", "--demo", "--plain", "--yes", *flags]


def run(seed: int, sampler: str, cpus: str, asked: argparse.Namespace) -> dict[str, Any] | None:
    """One demonstration; None where the time ended before it did."""
    words = command_of(seed, sampler, asked.trials)
    folder = Path(tempfile.mkdtemp(prefix="demo-"))
    variables = {"AUTOML_CACHE_DIR": str(folder / "cache"), "AUTOML_STUDIES_DIR": str(folder)}
    checkout = str(Path(__file__).parents[2])
    variables["PYTHONPATH"] = os.pathsep.join([checkout, os.environ.get("PYTHONPATH", "")])
    began = time.monotonic()
    try:
        with (asked.logs / f"{sampler}-{seed}.txt").open("w") as log:
            done = subprocess.run(
                ["taskset", "-c", cpus, sys.executable, "-m", *words],
                env=os.environ | variables,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=max(1.0, asked.until - began),
            )
        seconds = time.monotonic() - began
        report = folder / words[words.index("--name") + 1] / "report" / "report.json"
        return _row(seed, sampler, words, done.returncode, seconds, report)
    except subprocess.TimeoutExpired:
        return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _row(
    seed: int, sampler: str, words: list[str], code: int, seconds: float, path: Path
) -> dict[str, Any]:
    row = {
        "seed": seed,
        "sampler": sampler,
        "command": shlex.join(words),
        "exit_code": code,
        "whole_s": round(seconds, 1),
    }
    if not path.is_file():
        return row
    report = read_json(path)
    winner, held_out = report["winner"] or {}, report["held_out"] or {}
    return row | {
        "trials_s": round(report["cost"]["wall_s"], 1),
        "counts": report["counts"],
        "best": {key: winner.get(key) for key in ("number", "epoch", "value", "baseline")},
        "expected": winner.get("weighed"),
        "held_out": {key: held_out.get(key) for key in ("winner", "default")},
    }


def places_of(text: str) -> list[str]:
    """``0-5`` as places of two CPUs: ``0,1``, ``2,3``, ``4,5``."""
    first, _, last = text.partition("-")
    numbers = list(range(int(first), int(last or first) + 1))
    pairs = zip(numbers[::CPUS_EACH], numbers[1::CPUS_EACH], strict=False)
    return [",".join(map(str, pair)) for pair in pairs]


def write(asked: argparse.Namespace, rows: list[dict[str, Any]]) -> None:
    """Writes the file whole."""
    value = {
        "schema": "automl.demo-samplers-bench/1",
        "command": shlex.join(["python", "-m", "tests.bench.demo_samplers", *_flags(asked)]),
        "date": datetime.now().astimezone().date().isoformat(),
        "python": platform.python_version(),
        "revision": revision(),
        "rows": sorted(rows, key=lambda row: (row["seed"], row["sampler"])),
    }
    write_json(asked.out, value)


def _flags(asked: argparse.Namespace) -> list[str]:
    """The command without paths of this machine."""
    known = {str(asked.out): "OUT.json", str(asked.logs): "FOLDER"}
    return [known.get(word, word) for word in sys.argv[1:]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--samplers", nargs="+", default=["tpe", "auto"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[7, 8, 9])
    parser.add_argument("--cpus", default=f"0-{len(os.sched_getaffinity(0)) - 1}")
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--trials", type=int, help="fewer, to try this bench out")
    parser.add_argument("--logs", type=Path, help="folder for what the commands say")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    asked.until = time.monotonic() + asked.seconds
    asked.logs = asked.logs or Path(tempfile.mkdtemp(prefix="demo-logs-"))
    asked.logs.mkdir(parents=True, exist_ok=True)
    free: Queue[str] = Queue()
    for place in places_of(asked.cpus):
        free.put(place)
    rows: list[dict[str, Any]] = []

    def one(task: tuple[int, str]) -> None:
        cpus = free.get()
        row = run(*task, cpus, asked)
        free.put(cpus)
        if row is not None:
            rows.append(row)
            write(asked, rows)
            print(json.dumps(row), flush=True)

    tasks = [(seed, sampler) for seed in asked.seeds for sampler in asked.samplers]
    with ThreadPoolExecutor(free.qsize()) as pool:
        list(pool.map(one, tasks))


if __name__ == "__main__":
    main()
