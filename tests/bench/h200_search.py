"""Runs real searches side by side, a GPU each, on the same data for the same time: writes reports.

    python -m tests.bench.h200_search OUT --search ours=auto:auto --search before=tpe:full \\
        [--trials 20] [--seconds 480] [--flags "further flags of automl run"]

Each search is ``automl run`` with the sampler and the fidelity that its text names, as
``NAME=SAMPLER:FIDELITY[:TRIALS[:SEED]]``; those that name no seed have the same. Once
``--seconds`` have passed since the first was started, those that still run are told to stop, and
end in order. OUT gets, for each, its report (``NAME-summary.md``) and the study without
checkpoints (``NAME.tar.gz``), and ``searches.json``: exit codes, seconds, the best value, the
trials of each state.

A machine without a network gets what is missing there with ``--site``: an archive of installed
packages, which is unpacked and put on the path. ``--model nano --precision fp32 --train 16
--val 8 --batch 4 --epochs 3`` tries it out on a CPU.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.data.synth.make import synthesise
from automl.data.synth.request import PRESETS, SynthRequest
from automl.gpus import read_gpus
from automl.jsontext import read_json

ORDERLY_S = 60.0  # that a search which is told to stop may take
PROGRAMS = ("ray/core/src/ray/gcs/gcs_server", "ray/core/src/ray/raylet/raylet")


@dataclass(frozen=True, slots=True)
class Search:
    """One search.

    Attributes:
        name: Of its study.
        sampler: Who proposes.
        fidelity: Whether trials pause at rungs.
        trials: How many it starts.
        seed: Of its sampler.
    """

    name: str
    sampler: str
    fidelity: str
    trials: int
    seed: int

    @classmethod
    def parse(cls, text: str, trials: int, seed: int) -> "Search":
        name, _, method = text.partition("=")
        sampler, fidelity, *more = method.split(":")
        numbers = [*map(int, more), *(trials, seed)[len(more) :]]
        return cls(name, sampler, fidelity, *numbers)


class Running:
    """A search that was started.

    Args:
        search: What was asked for.
        command: ``automl run`` and its flags.
        variables: Its environment.
        log: Where its output goes.
    """

    def __init__(
        self, search: Search, command: list[str], variables: dict[str, str], log: Path
    ) -> None:
        self.search, self.command, self.log = search, command, log
        self.began, self.seconds = time.monotonic(), 0.0
        with log.open("w") as file:
            self.process = subprocess.Popen(
                command,
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=os.environ | variables,
            )

    def has_ended(self) -> bool:
        """Whether it has; the first time it says so, the clock stops."""
        if self.process.poll() is None:
            return False
        self.seconds = self.seconds or time.monotonic() - self.began
        return True


def wait_for(searches: list[Running], seconds: float) -> None:
    """Waits for the ends; tells those that still run after so many seconds to stop."""
    late = _running_after(searches, seconds)
    for each in late:
        each.process.terminate()
    for each in _running_after(late, ORDERLY_S):
        each.process.kill()
        each.process.wait()
        each.has_ended()


def _running_after(searches: list[Running], seconds: float) -> list[Running]:
    until, left = time.monotonic() + seconds, searches
    while left and time.monotonic() < until:
        time.sleep(0.2)
        left = [each for each in left if not each.has_ended()]
    return left


def run_command(
    search: Search, gpu: int | None, data: Path, asked: argparse.Namespace
) -> list[str]:
    settings = {
        "dataset.category": "cereal_box",
        "dataset.batch_size": asked.batch,
        "dataset.workers": 6,
        "model.backbone.model_type": asked.model,
        "train.precision": asked.precision,
        "train.num_epochs": asked.epochs,
        "train.validation_interval": 1,
        "train.checkpoint_interval": asked.epochs,
        "train.optim.lr_steps": f"[{3 * asked.epochs // 4}]",
    }
    flags = {
        "--name": search.name,
        "--studies-dir": asked.work / "studies",
        "--train-data": data / "train",
        "--val-data": data / "val",
        "--sampler": search.sampler,
        "--fidelity": search.fidelity,
        "--trials": search.trials,
        "--seed": search.seed,
    } | ({"--max-concurrent": 1} if gpu is None else {"--gpus": gpu})
    command = [sys.executable, "-m", "automl", "run", "--plain", "--yes"]
    for flag, value in flags.items():
        command += [flag, str(value)]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    return [*command, *shlex.split(asked.flags)]


def bring_back(running: Running, asked: argparse.Namespace) -> dict[str, Any]:
    """Copies what a search leaves; what is known of it, for ``searches.json``."""
    study, name = asked.work / "studies" / running.search.name, running.search.name
    row: dict[str, Any] = {
        "name": name,
        "sampler": running.search.sampler,
        "fidelity": running.search.fidelity,
        "command": shlex.join(["automl", *running.command[3:]]),
        "exit_code": running.process.returncode,
        "seconds": round(running.seconds, 1),
    }
    log = running.log.read_text(errors="replace")
    if not study.is_dir():
        return row | {"log": log[-3000:]}
    shutil.copy(running.log, study / "bench.log")
    with tarfile.open(asked.out / f"{name}.tar.gz", "w:gz") as archive:
        archive.add(study, arcname=name, filter=_without_weights)
    summary = study / "report" / "summary.md"
    if summary.is_file():
        shutil.copy(summary, asked.out / f"{name}-summary.md")
    if (study / "state.json").is_file():
        state = read_json(study / "state.json")
        row |= {key: state.get(key) for key in ("status", "reason", "counts", "best", "limits")}
        row |= {key: state.get(key) for key in ("trials", "gpu_seconds")}
    return row if row["exit_code"] == 0 else row | {"log": log[-3000:]}


def _without_weights(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if info.name.endswith((".pth", ".pt", ".onnx")) or info.issym() else info


def unpacked(site: Path, work: Path) -> Path:
    """The folder of an archive of packages, unpacked once."""
    folder = work / "site"
    if not folder.is_dir():
        with tarfile.open(site) as archive:
            archive.extractall(folder.with_name("site.part"), filter="data")
        for program in PROGRAMS:
            (folder.with_name("site.part") / program).chmod(0o755)
        folder.with_name("site.part").rename(folder)
    return folder


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--search", action="append", required=True, metavar="NAME=SAMPLER:FIDELITY"
    )
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=480.0, help="then they are told to stop")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--site", type=Path, help="archive of packages that are missing here")
    parser.add_argument("--model", default="DLA34")
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--train", type=int, default=900, help="training images")
    parser.add_argument("--val", type=int, default=300, help="validation images")
    parser.add_argument("--data-seed", type=int, default=31)
    work = Path(tempfile.gettempdir()) / "automl-search-bench"
    parser.add_argument("--work", type=Path, default=work, help="folder of data and studies")
    parser.add_argument("--flags", default="", help="further flags of automl run, in one text")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    asked.work.mkdir(parents=True, exist_ok=True)
    variables = {"RAY_AUTH_MODE": "disabled", "AUTOML_CACHE_DIR": str(asked.work / "cache")}
    if asked.site:
        paths = [str(unpacked(asked.site, asked.work)), os.environ.get("PYTHONPATH", "")]
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    request = SynthRequest(
        train=asked.train,
        val=asked.val,
        test=0,
        seed=asked.data_seed,
        difficulty=PRESETS["moderate"],
    )
    data = (asked.work / f"data-{asked.train}-{asked.val}-{asked.data_seed}").resolve()
    synthesise(request, data, workers=len(os.sched_getaffinity(0)))
    gpus = read_gpus() or ()
    searches = [Search.parse(text, asked.trials, asked.seed) for text in asked.search]
    started = []
    for place, search in enumerate(searches):
        gpu = place % len(gpus) if gpus else None
        command = run_command(search, gpu, data, asked)
        log = asked.work / f"{search.name}.log"
        started.append(Running(search, command, variables, log))
    wait_for(started, asked.seconds)
    rows = [bring_back(running, asked) for running in started]
    machine = [f"{gpu.name}, driver {gpu.driver}" for gpu in gpus] or ["CPU"]
    whole = {"machine": machine, "seconds": asked.seconds, "searches": rows}
    (asked.out / "searches.json").write_text(json.dumps(whole, indent=1) + "\n")
    for row in rows:
        print({key: value for key, value in row.items() if key != "log"}, row.get("log", ""))


if __name__ == "__main__":
    main()
