"""Which kernels trainings launch: writes ``automl/centerpose/models/kernels.json`` anew.

Run it by hand on a machine with a GPU after a change of the kernels or of what launches them:
``python tests/bench/h200_kernels.py OUT``. Each case is a short training with a validation, in a
process of its own; OUT/kernels.json is what belongs beside ``ahead.py``.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automl.centerpose.hardware.speed import COMPILE_VARIABLE
from automl.centerpose.models.ahead import entry_of
from automl.data.synth.make import synthesise
from automl.data.synth.request import MODERATE, SynthRequest
from automl.jsontext import read_json
from automl.yamltext import dump_yaml

MODELS = ("DLA34", "nano", "fan_small", "fan_base", "fan_large")
CASES = tuple(
    f"{model} {precision}" for model in MODELS for precision in ("bf16", "fp16", "tf32", "fp32")
)


def main() -> None:
    """Records every case, or in a process of its own the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cases", nargs="+", default=list(CASES))
    parser.add_argument("--together", type=int, default=4, help="trainings at a time")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    if asked.inside:
        record(asked.inside, asked.out)
        return
    request = SynthRequest(train=64, val=32, test=0, seed=1, difficulty=MODERATE)
    synthesise(request, asked.out / "data")
    for start in range(0, len(asked.cases), asked.together):
        some = asked.cases[start : start + asked.together]
        running = [
            subprocess.Popen([sys.executable, __file__, str(asked.out), "--inside", case])
            for case in some
        ]
        for process in running:
            process.wait()
    (asked.out / "kernels.json").write_text(joined(asked.out, asked.cases))


def record(case: str, out: Path) -> None:
    """Trains as the case says and writes what was launched."""
    os.environ[COMPILE_VARIABLE] = "off"
    import triton

    from automl.centerpose.program.cli import main as train

    found: list[dict[str, Any]] = []

    def note(*, fn: Any, compile: dict[str, Any], **_: Any) -> None:
        if fn.module.startswith("automl."):
            name = f"{fn.module}:{fn.name}"
            found.append(entry_of(name, compile["signature"], compile["constants"], compile))

    triton.knobs.runtime.jit_post_compile_hook = note
    folder = out / case.replace(" ", "-")
    folder.mkdir()
    (folder / "spec.yaml").write_text(dump_yaml(spec(case, folder, out / "data")))
    train(["train", "-e", str(folder / "spec.yaml")])
    (folder / "launched.json").write_text(json.dumps(found))


def spec(case: str, folder: Path, data: Path) -> dict[str, Any]:
    model, precision = case.split()
    return {
        "results_dir": str(folder.resolve() / "results"),
        "dataset": {
            "train_data": str(data.resolve() / "train"),
            "val_data": str(data.resolve() / "val"),
            "batch_size": 8,
            "workers": 4,
        },
        "model": {"backbone": {"model_type": model}},
        "evaluate": {"opencv": False},
        "train": {
            "num_gpus": 1,
            "gpu_ids": [0],
            "num_epochs": 1,
            "validation_interval": 1,
            "checkpoint_interval": 1,
            "precision": precision,
        },
    }


def joined(out: Path, cases: Sequence[str]) -> str:
    """The list of all cases, a kernel a line."""
    kernels: dict[str, int] = {}
    trainings = {}
    for case in cases:
        path = out / case.replace(" ", "-") / "launched.json"
        if not path.is_file():
            print(f"{case}: no training", file=sys.stderr)
            continue
        lines = [json.dumps(entry) for entry in read_json(path)]
        trainings[case] = sorted({kernels.setdefault(line, len(kernels)) for line in lines})
    places = ",\n".join(f"{json.dumps(case)}: {places}" for case, places in trainings.items())
    return '{"kernels": [\n' + ",\n".join(kernels) + '\n], "trainings": {\n' + places + "\n}}\n"


if __name__ == "__main__":
    main()
