"""Records trainings for the tables that searches are simulated on: one JSON object a line.

    python -m tests.bench.record_curves B OUT.jsonl [--trainings 44] [--processes 8] [--again 1]

Every training is one of ``python -m automl.centerpose serve`` on a synthetic data set, with a
validation after each epoch; several processes share the GPUs. Settings are Sobol points of the
table's space, but every tenth training is the default with another ``train.seed``, which shows the
noise. ``--again 1`` trains the same settings with other seeds. The first line of the file says
how it was made; every other one is a training::

    {"table": "B", "number": 1, "seed": 2001, "settings": {"train.optim.lr": 0.0004, ...},
     "metrics": {"val_3DIoU": [0.0, ...], "train_loss": [...], ...}, "epoch_s": [1.9, ...],
     "exit_code": 0, "total_s": 25.2, "evidence": ""}

A list holds one entry an epoch, null where the metric was not reported or is no finite number; of
a training that failed, the epochs that it completed. Seconds are those of a training beside
others. ``--model nano --size 128 --train 12 --val 8 --epochs 2`` tries it out on a CPU.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import queue
import shlex
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from automl.data.synth.make import synthesise
from automl.data.synth.request import PRESETS, SynthRequest
from automl.gpus import read_gpus
from automl.skill.tree import with_value
from automl.trainers.contract import StatusLine
from automl.trainers.status import StatusReader
from tests.bench.curve_tables import DATA_SEEDS, DEFAULT, SPACES, Job, jobs_of, short
from tests.bench.serving import Server

PACKAGES = ("torch", "triton", "numpy", "opencv-python-headless")


@dataclass(slots=True)
class Recording:
    """The trainings that are still to begin, and the file of those that ended."""

    asked: argparse.Namespace
    data: Path
    file: IO[str]
    began: float = field(default_factory=time.monotonic)
    longest_s: float = 0.0
    jobs: "queue.SimpleQueue[Job]" = field(default_factory=queue.SimpleQueue)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> Job | None:
        """The next training, or None if there is none or it would not end in time."""
        left_s = self.asked.seconds - (time.monotonic() - self.began)
        if left_s < 1.1 * self.longest_s:
            return None
        try:
            return self.jobs.get_nowait()
        except queue.Empty:
            return None

    def add(self, row: Mapping[str, Any]) -> None:
        """Writes a training that ended."""
        with self.lock:
            self.longest_s = max(self.longest_s, row["total_s"])
            self.file.write(json.dumps(row) + "\n")
            self.file.flush()
        best = max((v for v in row["metrics"].get("val_3DIoU", ()) if v is not None), default=None)
        said = f"{row['total_s']:.1f} s, best {best}, exit code {row['exit_code']}"
        print(f"{time.monotonic() - self.began:6.1f} s: {row['number']}: {said}", flush=True)


def spec_of(job: Job, data: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """The whole spec of a training."""
    spec: dict[str, Any] = {
        "dataset": {
            "train_data": str(data / "train"),
            "val_data": str(data / "val"),
            "workers": 8,
            "input_res": asked.size,
            "output_res": asked.size // 4,
        },
        "model": {"backbone": {"model_type": asked.model}},
        "evaluate": {"opencv": False},
        "train": {
            "num_epochs": asked.epochs,
            "validation_interval": 1,
            "checkpoint_interval_unit": "step",
            "checkpoint_interval": 1_000_000,  # none is wanted
            "precision": asked.precision,
            "seed": job.seed,
        },
    }
    for key, value in (DEFAULT | job.settings).items():
        spec = with_value(spec, key, value)
    return spec


def row_of(job: Job, exit_code: int, folder: Path, total_s: float) -> dict[str, Any]:
    """What a training reported."""
    reader = StatusReader(folder / "train" / "status.json")
    epochs = [reading.finite for reading in reader.read(final=True)]
    names = sorted({name for epoch in epochs for name in epoch})
    evidence = "; ".join(reader.failure_messages)
    return {
        "table": job.table,
        "number": job.number,
        "seed": job.seed,
        "settings": dict(job.settings),
        "metrics": {name: [short(epoch.get(name)) for epoch in epochs] for name in names},
        "epoch_s": seconds_of(folder / "train" / "status.json"),
        "exit_code": exit_code,
        "total_s": round(total_s, 2),
        "evidence": evidence[:200],
    }


def seconds_of(status: Path) -> list[float]:
    """Seconds of each epoch, validation included."""
    seconds = []
    for text in status.read_text().splitlines() if status.exists() else ():
        line = StatusLine.parse(text)
        if line is not None and "time_per_epoch" in line.fields:
            hours, minutes, rest = str(line.fields["time_per_epoch"]).split(":")
            seconds.append(round(3600 * int(hours) + 60 * int(minutes) + float(rest), 3))
    return seconds


def header(asked: argparse.Namespace) -> dict[str, Any]:
    """How the file was made."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "none"
    gpus = read_gpus() or ()
    data = f"{asked.train} train and {asked.val} val images, {asked.difficulty}"
    return {
        "recording": asked.table,
        "command": shlex.join(["python", "-m", "tests.bench.record_curves", *sys.argv[1:]]),
        "date": datetime.now().astimezone().date().isoformat(),
        "versions": versions,
        "gpus": [f"{gpu.name}, driver {gpu.driver}" for gpu in gpus],
        "processes": asked.processes,
        "data": f"automl data synth: {data}, seed {DATA_SEEDS[asked.table]}",
        "fixed": {key: DEFAULT[key] for key in DEFAULT if key not in SPACES[asked.table]},
        "training": f"{asked.model}, {asked.precision}, {asked.size} px, {asked.epochs} epochs",
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("table", choices=sorted(SPACES))
    parser.add_argument("out", type=Path)
    parser.add_argument("--trainings", type=int, default=44)
    parser.add_argument("--again", type=int, default=0, help="which other seeds; 0 the first")
    parser.add_argument("--processes", type=int, default=1, help="trainings at a time")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin none that ends later")
    parser.add_argument("--model", default="DLA34")
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--size", type=int, default=512, help="input side, pixels")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--train", type=int, default=900, help="training images")
    parser.add_argument("--val", type=int, default=300, help="validation images")
    parser.add_argument("--difficulty", choices=sorted(PRESETS), default="moderate")
    work = Path(tempfile.gettempdir()) / "automl-curves"
    parser.add_argument("--work", type=Path, default=work, help="folder of data and trainings")
    return parser.parse_args()


def made(asked: argparse.Namespace) -> Path:
    """The data set: made once, found again by a later run."""
    name = f"{asked.difficulty}-{asked.train}-{asked.val}-{DATA_SEEDS[asked.table]}"
    request = SynthRequest(
        train=asked.train,
        val=asked.val,
        test=0,
        seed=DATA_SEEDS[asked.table],
        difficulty=PRESETS[asked.difficulty],
    )
    synthesise(request, asked.work / name, workers=len(os.sched_getaffinity(0)))
    return Path(asked.work / name).resolve()


def drive(recording: Recording, place: int, folder: Path) -> None:
    """One process's trainings, one after the other."""
    asked, gpus = recording.asked, read_gpus() or ()
    threads = max(1, len(os.sched_getaffinity(0)) // asked.processes)
    variables = {"OMP_NUM_THREADS": str(threads)}
    if gpus:
        variables["CUDA_VISIBLE_DEVICES"] = str(place % len(gpus))
    server = Server(variables, folder / str(place))
    if place:
        time.sleep(3.0)  # so that the first process alone compiles the kernels
    try:
        while (job := recording.next()) is not None:
            begun = time.monotonic()
            exit_code, results = server.train(job.number, spec_of(job, recording.data, asked))
            recording.add(row_of(job, exit_code, results, time.monotonic() - begun))
            if exit_code:
                text = (results / "log").read_text(errors="replace")
                print(text[-1500:], flush=True)
            shutil.rmtree(results)
    finally:
        server.close()


def main() -> None:
    asked = arguments()
    began = time.monotonic()
    data = made(asked)
    print(f"data after {time.monotonic() - began:.1f} s", flush=True)
    parts = asked.out.with_suffix(".part")
    asked.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=asked.work) as folder, parts.open("w") as file:
        recording = Recording(asked, data, file, began)
        for job in jobs_of(asked.table, asked.trainings, asked.again):
            recording.jobs.put(job)
        places = [
            threading.Thread(target=drive, args=(recording, place, Path(folder)))
            for place in range(asked.processes)
        ]
        for thread in places:
            thread.start()
        for thread in places:
            thread.join()
    rows = sorted(map(json.loads, parts.read_text().splitlines()), key=lambda row: row["number"])
    asked.out.write_text("".join(json.dumps(row) + "\n" for row in (header(asked), *rows)))
    parts.unlink()
    print(f"{len(rows)} trainings in {time.monotonic() - began:.1f} s: {asked.out}")


if __name__ == "__main__":
    main()
