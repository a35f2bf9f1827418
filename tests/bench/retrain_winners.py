"""Trains what searches on GPUs have chosen again, with seeds that chose nothing: one JSON object.

    python -m tests.bench.retrain_winners OUT.json [--searches studies/reference/h200-searches]
        [--seeds 3] [--processes 4] [--seconds 200]

Each folder of ``--searches`` with a ``summary.md`` and a ``trials.csv`` is a search by
``h200_search``; its chosen trial is the one that the summary names. The default, trial 0, is
trained as well. Trainings are on the data and with the settings of those searches, in processes
that are kept; several share a GPU. Seeds go round by round, so that a run that is cut short by
``--seconds`` has trained every choice as often, but for one.
"""

import argparse
import csv
import json
import os
import re
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from automl.data.synth.make import synthesise
from automl.data.synth.request import MODERATE, SynthRequest
from automl.gpus import read_gpus
from automl.skill.tree import with_value
from automl.trainers.status import StatusReader
from tests.bench.serving import Server

REPOSITORY = Path(__file__).resolve().parents[2]
OPTIM = ("train.optim.lr", "train.optim.lr_decay")
FIRST_SEED = 7001
DATA_SEED = 31  # of those searches


@dataclass(frozen=True, slots=True)
class Choice:
    """A trial to train again.

    Attributes:
        search: The folder of its search; ``default`` for trial 0.
        trial: Its number.
        observed: ``val_3DIoU`` in the search.
        settings: What was searched.
    """

    search: str
    trial: int
    observed: float
    settings: dict[str, float]


def choices_of(searches: Path) -> list[Choice]:
    """What every search chose, and the default once."""
    found: list[Choice] = []
    rows: dict[int, dict[str, str]] = {}
    for folder in sorted(path.parent for path in searches.glob("*/trials.csv")):
        named = re.search(r"Trial (\d+) is the best", (folder / "summary.md").read_text())
        with (folder / "trials.csv").open() as file:
            rows = {int(row["number"]): row for row in csv.DictReader(file)}
        if folder.name != "big" and named:  # which is of other data
            found.append(choice(folder.name, int(named[1]), rows[int(named[1])]))
    return [*found, choice("default", 0, rows[0])]


def choice(search: str, trial: int, row: dict[str, str]) -> Choice:
    settings = {key: float(row[f"param.{key}"]) for key in OPTIM}
    return Choice(search, trial, float(row["metric.val_3DIoU"]), settings)


def spec_of(chosen: Choice, seed: int, data: Path) -> dict[str, Any]:
    """The whole spec of a training."""
    template = REPOSITORY / "references" / "spec_template_train.yaml"
    spec: dict[str, Any] = yaml.safe_load(template.read_text())
    settings = {
        "dataset.train_data": str(data / "train"),
        "dataset.val_data": str(data / "val"),
        "dataset.category": "cereal_box",
        "dataset.batch_size": 16,
        "dataset.workers": 6,
        "model.backbone.model_type": "DLA34",
        "train.precision": "bf16",
        "train.num_epochs": 12,
        "train.validation_interval": 1,
        "train.checkpoint_interval": 12,
        "train.optim.lr_steps": [9],
        "train.seed": seed,
    } | chosen.settings
    for key, value in settings.items():
        spec = with_value(spec, key, value)
    return spec


def drive(place: int, n_places: int, jobs: list[tuple[Choice, int]], run: "Run") -> None:
    """One process's share of the trainings."""
    gpus = read_gpus() or ()
    variables = {"OMP_NUM_THREADS": "2"}
    if gpus:
        variables["CUDA_VISIBLE_DEVICES"] = str(place % len(gpus))
    server = Server(variables, run.folder / str(place))
    try:
        for number, (chosen, seed) in list(enumerate(jobs))[place::n_places]:
            if time.monotonic() > run.until:
                return
            exit_code, folder = server.train(number, spec_of(chosen, seed, run.data))
            reader = StatusReader(folder / "train" / "status.json")
            values = [each.finite.get("val_3DIoU") for each in reader.read(final=True)]
            best = max((value for value in values if value is not None), default=None)
            run.add(chosen, seed, exit_code, best)
    finally:
        server.close()


@dataclass(slots=True)
class Run:
    """What the processes share, and what they have found."""

    folder: Path
    data: Path
    until: float
    out: Path
    rows: list[dict[str, Any]]
    lock: threading.Lock

    def add(self, chosen: Choice, seed: int, exit_code: int, best: float | None) -> None:
        """Keeps a training that ended, and writes all."""
        with self.lock:
            self.rows.append(
                {
                    "search": chosen.search,
                    "trial": chosen.trial,
                    "seed": seed,
                    "val_3DIoU": best,
                    "exit_code": exit_code,
                }
            )
            self.out.write_text(json.dumps(self.rows, indent=1))


def table(choices: list[Choice], rows: list[dict[str, Any]]) -> str:
    lines = [
        "| search | trial | in the search | with fresh seeds | n | sd |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for each in choices:
        values = [
            row["val_3DIoU"]
            for row in rows
            if row["search"] == each.search and row["val_3DIoU"] is not None
        ]
        mean = f"{statistics.mean(values):.3f}" if values else ""
        spread = f"{statistics.stdev(values):.3f}" if len(values) > 1 else ""
        lines.append(
            f"| {each.search} | {each.trial} | {each.observed:.3f} | {mean} | {len(values)} "
            f"| {spread} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    where = REPOSITORY / "studies" / "reference" / "h200-searches"
    parser.add_argument("--searches", type=Path, default=where)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin none after so long")
    asked = parser.parse_args()
    until = time.monotonic() + asked.seconds
    choices = choices_of(asked.searches)
    jobs = [(each, FIRST_SEED + k) for k in range(asked.seeds) for each in choices]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        request = SynthRequest(train=900, val=300, test=0, seed=DATA_SEED, difficulty=MODERATE)
        synthesise(request, folder / "data", workers=len(os.sched_getaffinity(0)))
        run = Run(folder, folder / "data", until, asked.out, [], threading.Lock())
        places = [
            threading.Thread(target=drive, args=(place, asked.processes, jobs, run))
            for place in range(asked.processes)
        ]
        for thread in places:
            thread.start()
        for thread in places:
            thread.join()
    print(table(choices, run.rows))


if __name__ == "__main__":
    main()
