"""How fast whole trainings run, as a user starts them: prints a table, writes JSON.

Run it by hand: ``python tests/bench/h200_training.py OUT [--cases DLA34:bf16 ...]``. Each case is
``python -m automl.centerpose train`` on a synthetic data set of moderate difficulty, in a process
of its own, and every figure is read from what that program says: nothing is timed from outside.
Validation comes with every second epoch. The first epoch, which waits for decoding and compiling,
and the first validation count for nothing but the time to the first step.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from automl.data.synth.make import synthesise
from automl.data.synth.request import MODERATE, SynthRequest
from automl.yamltext import dump_yaml

COMPILE_VARIABLE = "AUTOML_TRAINER_COMPILE"
EPOCH = re.compile(r"^epoch (\d+): .*?([\d.]+) images/s(?:, validation ([\d.]+) s)?", re.MULTILINE)
FIRST = re.compile(r"^first step after ([\d.]+) s \(done after ([\d.]+) s\)", re.MULTILINE)
PEAK = re.compile(r"^peak GPU memory ([\d.]+) GiB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """What one case needed; a figure is None where the program did not say it.

    Attributes:
        case: Network and precision.
        devices: Processes, each with a device of its own.
        images_s: Images a second over all devices, median of the steady epochs.
        images_s_least: The same of the slowest of them.
        first_s: Seconds from the start of the process to its first step.
        first_done_s: To the end of that step, compiling included.
        validation_s: Seconds of a validation, median of all but the first.
        peak_gib: The most memory of the first GPU that was held.
        exit_code: Of the program.
    """

    case: str
    devices: int
    images_s: float | None
    images_s_least: float | None
    first_s: float | None
    first_done_s: float | None
    validation_s: float | None
    peak_gib: float | None
    exit_code: int


def main() -> None:
    """Measures every case on every number of devices."""
    asked = _arguments()
    out: Path = asked.out
    out.mkdir(parents=True, exist_ok=True)
    asked.work.mkdir(parents=True, exist_ok=True)
    data = asked.data or _data(asked)
    rows: list[Row] = []
    for case in asked.cases:
        for devices in asked.devices:
            rows.append(_measure(case, devices, data, asked))
            (out / "training.json").write_text(json.dumps([asdict(row) for row in rows], indent=1))
            (out / "training.md").write_text(_table(rows))
            print(rows[-1], flush=True)
    print(_table(rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder of the table, the JSON, the logs")
    parser.add_argument(
        "--cases", nargs="+", default=["DLA34:bf16", "DLA34:tf32", "fan_small:bf16"]
    )
    parser.add_argument("--devices", type=_numbers, default=[1], help="such as 1,2")
    parser.add_argument("--images", type=int, default=4000, help="training images")
    parser.add_argument("--validate", type=int, default=400, help="validation images")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32, help="images a device and step")
    parser.add_argument("--size", type=int, default=512, help="input side, pixels")
    parser.add_argument("--data", type=Path, help="a data set with train/ and val/")
    work = Path(tempfile.gettempdir()) / "automl-training-bench"
    parser.add_argument("--work", type=Path, default=work, help="folder of data and checkpoints")
    parser.add_argument("--benchmark", action="store_true", help="cuDNN may time its algorithms")
    parser.add_argument("--compile", choices=("auto", "on", "off"), default="auto")
    parser.add_argument("--limit", type=float, default=540.0, help="seconds a case")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _data(asked: argparse.Namespace) -> Path:
    """The data set: made once, found again by a later run."""
    folder: Path = asked.work / f"data-{asked.images}-{asked.validate}"
    request = SynthRequest(
        train=asked.images, val=asked.validate, test=0, seed=1, difficulty=MODERATE
    )
    synthesise(request, folder, workers=len(os.sched_getaffinity(0)))
    return folder


def _measure(case: str, devices: int, data: Path, asked: argparse.Namespace) -> Row:
    name = f"{case.replace(':', '-')}-{devices}"
    folder, log_file = asked.work / name, asked.out / f"{name}.txt"
    shutil.rmtree(folder, ignore_errors=True)  # a training in an old folder would go on
    folder.mkdir()
    spec = folder / "spec.yaml"
    spec.write_text(dump_yaml(_spec(case, devices, data, folder, asked)))
    command = [sys.executable, "-m", "automl.centerpose", "train", "-e", str(spec)]
    with log_file.open("w") as log:
        try:
            code = subprocess.run(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=asked.limit,
                env=os.environ | {COMPILE_VARIABLE: asked.compile},
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
    return _row(case, devices, code, log_file.read_text())


def _spec(
    case: str, devices: int, data: Path, folder: Path, asked: argparse.Namespace
) -> dict[str, Any]:
    model, precision = case.split(":")
    return {
        "results_dir": str(folder.resolve() / "results"),
        "dataset": {
            "train_data": str(data.resolve() / "train"),
            "val_data": str(data.resolve() / "val"),
            "batch_size": asked.batch,
            "workers": max(1, len(os.sched_getaffinity(0)) // devices),
            "input_res": asked.size,
            "output_res": asked.size // 4,
        },
        "model": {"backbone": {"model_type": model}},
        "evaluate": {"opencv": False},
        "train": {
            "num_gpus": devices,
            "gpu_ids": list(range(devices)),
            "num_epochs": asked.epochs,
            "validation_interval": 2,
            "checkpoint_interval": asked.epochs,
            "precision": precision,
            "optim": {"lr": 1.25e-4},
            "cudnn": {"benchmark": asked.benchmark, "deterministic": not asked.benchmark},
        },
    }


def _row(case: str, devices: int, code: int, log: str) -> Row:
    epochs = EPOCH.findall(log)
    speeds = [float(speed) for epoch, speed, _ in epochs if int(epoch) > 0]
    validations = [float(seconds) for _, _, seconds in epochs if seconds][1:]
    first, peak = FIRST.search(log), PEAK.search(log)
    return Row(
        case=case,
        devices=devices,
        images_s=_middle(speeds),
        images_s_least=min(speeds, default=None),
        first_s=float(first[1]) if first else None,
        first_done_s=float(first[2]) if first else None,
        validation_s=_middle(validations),
        peak_gib=float(peak[1]) if peak else None,
        exit_code=code,
    )


def _middle(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _table(rows: Sequence[Row]) -> str:
    heads = ["case", "devices", "images/s", "slowest epoch", "first step, s", "done, s"]
    heads += ["validation, s", "peak, GiB", "exit code"]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for row in rows:
        cells = ["-" if value is None else str(value) for value in asdict(row).values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
