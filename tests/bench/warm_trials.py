"""What a trial costs beside its training, in a process of its own and in one that is kept.

    python tests/bench/warm_trials.py [--model nano DLA34] [--places 1 2 3] [--trials 4]

Real trainings of this package's trainer on a small synthetic set, driven as a search drives them
(``AttemptRun`` over the process trainer, a worker thread in place of each Ray worker), but without
Ray and without a study. With an NVIDIA GPU all places share the first one; without, each place has
its part of the CPU's threads.

``first step`` is the time from the start of a trial to the first optimiser step, as the trainer's
log tells it: of a place's first trial, and the median of its later ones. Every place trains one
trial to warm up; ``trials/hour`` counts the others by the wall clock. ``GPU MiB`` is the most
memory that was in use on the whole GPU, ``trial MiB`` the forecast of ``automl plan`` for one.
"""

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl.centerpose.hardware.memory_forecast import forecast_mib
from automl.data.synth.make import synthesise
from automl.data.synth.request import SynthRequest
from automl.gpus import read_gpus
from automl.skill.model import ActionInfo, Skill
from automl.study.config import Direction, Objective
from automl.study.layout import StudyPaths
from automl.study.records import Attempt, Outcome, OutcomeState
from automl.trainers.attempt_run import AttemptRun
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.base import Trainer, TrialTask, release
from automl.trainers.process import ProcessTrainer
from automl.trainers.warm import warm_trainer
from automl.yamltext import dump_yaml

FIRST_STEP = re.compile(r"first step after ([\d.]+) s")
COLUMNS = (
    ("model", "{model}"),
    ("precision", "{precision}"),
    ("start", "{start}"),
    ("places", "{places}"),
    ("trials", "{trials}"),
    ("first step s, first", "{first_s:.1f}"),
    ("later", "{later_s:.1f}"),
    ("trial s", "{trial_s:.1f}"),
    ("trials/hour", "{per_hour:.0f}"),
    ("of cold", "{of_cold:.2f}"),
    ("GPU MiB", "{gpu_mib}"),
    ("trial MiB", "{forecast_mib}"),
    ("failed", "{failed}"),
)


@dataclass(frozen=True)
class Load:
    """What every trial of a row trains."""

    model: str
    precision: str
    batch: int
    side: int
    epochs: int
    trials: int
    data: Path

    def spec(self, folder: Path, seed: int) -> dict[str, Any]:
        """A complete spec; the learning rate differs from trial to trial, as in a search."""
        return {
            "dataset": {
                "train_data": str(self.data / "train"),
                "val_data": str(self.data / "val"),
                "batch_size": self.batch,
                "workers": 4,
                "input_res": self.side,
                "output_res": self.side // 4,
            },
            "model": {"backbone": {"model_type": self.model}},
            "evaluate": {"opencv": False},
            "train": {
                "results_dir": str(folder),
                "num_epochs": self.epochs,
                "validation_interval": self.epochs,
                "checkpoint_interval": self.epochs,
                "precision": self.precision,
                "seed": seed,
                "optim": {"lr": 1e-4 * (1 + seed)},
            },
        }


@dataclass
class Place:
    """One worker: a trainer, and the trials it has run."""

    paths: StudyPaths
    trainer: Trainer
    load: Load
    gpus: Sequence[str]
    threads: int
    outcomes: list[Outcome] = field(default_factory=list)
    first_steps: list[float] = field(default_factory=list)

    def run(self, number: int) -> None:
        """Trains one trial to its end."""
        place = self.paths.attempt(number, 1)
        place.folder.mkdir(parents=True)
        place.spec.write_text(dump_yaml(self.load.spec(place.folder, number)))
        task = TrialTask(
            *("bench", number, 1, place.folder, place.spec, place.log),
            threads=self.threads,
            driver_pid=os.getpid(),
        )
        settings = AttemptSettings(self.paths, Objective("val_3DIoU", Direction.MAXIMIZE, 0.0))
        run = AttemptRun(Attempt(number, 1, {}), task, self.trainer, settings)
        run.begin(self.gpus)
        while not isinstance(step := run.advance(), Outcome):
            pass
        self.outcomes.append(step)
        log = place.log.read_text(errors="replace")
        found = FIRST_STEP.search(log)
        self.first_steps.append(float(found[1]) if found else float("nan"))
        if step.state is not OutcomeState.OK:
            print(f"trial {number}: {step.evidence}\n{log[-2000:]}", file=sys.stderr)


@contextmanager
def peak_of_gpu() -> Iterator[list[int]]:
    """The most memory in use on the first GPU inside the block, in MiB; empty without one."""
    seen: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.5):
            gpus = read_gpus()
            if not gpus:
                return
            seen.append(gpus[0].memory_used_mib)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def measure(load: Load, start: str, n_places: int, gpus: Sequence[str]) -> dict[str, Any]:
    """One row of the table."""
    action = ActionInfo("train", "centerpose train -e {config_path}")
    skill = Skill(Path("/skill"), "bench", "centerpose", True, actions={"train": action})
    threads = max(1, len(os.sched_getaffinity(0)) // n_places)
    with tempfile.TemporaryDirectory(prefix="automl-bench-") as folder, peak_of_gpu() as peak:
        paths = StudyPaths(Path(folder))
        places = []
        for _ in range(n_places):
            cold = ProcessTrainer(skill)
            trainer = warm_trainer(cold) if start == "warm" else cold
            places.append(Place(paths, trainer, load, gpus, threads))
        try:
            wall_s = _drive(places, load.trials)
        finally:
            for place in places:
                release(place.trainer)
    return _row(load, start, places, wall_s) | {"gpu_mib": max(peak, default="-")}


def _drive(places: Sequence[Place], trials: int) -> float:
    """Warms every place up, then runs the trials that count; the seconds that those took."""
    with ThreadPoolExecutor(len(places)) as pool:
        for job in [pool.submit(place.run, k) for k, place in enumerate(places)]:
            job.result()

        def go_on(k: int, place: Place) -> None:
            for number in range(trials):
                place.run(len(places) * (number + 1) + k)

        began = time.monotonic()
        for job in [pool.submit(go_on, k, place) for k, place in enumerate(places)]:
            job.result()
        return time.monotonic() - began


def _row(load: Load, start: str, places: Sequence[Place], wall_s: float) -> dict[str, Any]:
    later = [outcome for place in places for outcome in place.outcomes[1:]]
    return {
        "model": load.model,
        "precision": load.precision,
        "start": start,
        "places": len(places),
        "trials": len(later),
        "first_s": max(place.first_steps[0] for place in places),
        "later_s": statistics.median(step for place in places for step in place.first_steps[1:]),
        "trial_s": statistics.median(outcome.seconds for outcome in later),
        "per_hour": 3600 * len(later) / wall_s,
        "forecast_mib": forecast_mib(load.model, load.batch, load.side, load.precision) or "-",
        "failed": sum(
            outcome.state is not OutcomeState.OK for place in places for outcome in place.outcomes
        ),
    }


def _data(folder: str, images: int) -> Path:
    """A synthetic set of so many training images; made where it is not there yet."""
    base = Path(folder) if folder else Path(tempfile.gettempdir())
    target = base / f"automl-warm-trials-{images}"
    if not target.is_dir():
        print(f"rendering {images} images to {target}", file=sys.stderr)
        request = SynthRequest(train=images, val=max(8, images // 8), test=0, seed=1)
        synthesise(request, target)
    return target


def _rows(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    gpus = [str(gpu.index) for gpu in read_gpus()[:1]]
    data = _data(asked.data, asked.images)
    for model in asked.model:
        load = Load(
            model,
            asked.precision or ("bf16" if gpus else "fp32"),
            batch=asked.batch,
            side=asked.side,
            epochs=asked.epochs,
            trials=asked.trials,
            data=data,
        )
        cold = 0.0
        for start, n_places in [("cold", 1), *(("warm", n) for n in asked.places)]:
            row = measure(load, start, n_places, gpus)
            cold = cold or row["per_hour"]
            yield row | {"of_cold": row["per_hour"] / cold}


def main() -> None:
    """Prints the table, a line as soon as it is measured, and the same as JSON lines at will."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", nargs="+", default=["nano", "DLA34"])
    parser.add_argument("--places", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--trials", type=int, default=4, help="of each place, beside the first")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--side", type=int, default=512, help="pixels of the network's input")
    parser.add_argument("--precision", default="", help="default: bf16 on a GPU, else fp32")
    parser.add_argument("--data", default="", help="where the images are kept")
    parser.add_argument("--json", type=Path, help="file that takes every row as a line")
    asked = parser.parse_args()
    print("  ".join(title for title, _ in COLUMNS), flush=True)
    for row in _rows(asked):
        cells = [cell.format(**row).rjust(len(title)) for title, cell in COLUMNS]
        print("  ".join(cells), flush=True)
        if asked.json:
            with asked.json.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
