"""scripted: a fake for testing the orchestration; no model is trained.

Plays a training from a script: writes the status file, the log and the checkpoint files of the
trainer contract, with made-up metrics, and fails where the script says so. It needs the standard
library only. ``automl.trainers.scripted`` starts it as ``python scripted_program.py SCRIPT.json``.
"""

import math
import os
import signal
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

# Started by path, without site-packages: the package is found beside this file.
sys.path.insert(0, str(Path(__file__).parents[2]))

from automl.jsontext import read_json
from automl.trainers.contract import (
    EVAL_METRICS,
    LATEST_NAME,
    PROGRESS,
    STATUS_NAME,
    TRAIN_FINISHED,
    TRAIN_METRICS,
    TRAINING_LOOP,
    CheckpointName,
    Phase,
    Status,
    StatusLine,
    StepProgress,
)

STEPS_PER_EPOCH = 10
IMAGES_PER_STEP = 4
LABEL = "scripted: a fake for testing the orchestration; no model is trained"


class Play:
    """One scripted training in the current folder."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.script = plan["script"]
        self.fault = plan["fault"] or {}
        self.params = plan["params"]
        self.epochs = int(plan["epochs"])
        self.validation_interval = int(plan["validation_interval"])
        self.checkpoint_interval = int(plan["checkpoint_interval"])
        self.resume_from = str(plan["resume_from"] or "")
        self.kpi: dict[str, Any] = {}

    def run(self) -> int:
        """Plays every epoch; the exit code."""
        print(LABEL, flush=True)  # noqa: T201 -- a program of its own: its output is the log
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "not set")
        print(f"CUDA_VISIBLE_DEVICES={visible}", flush=True)  # noqa: T201
        if self.fault.get("kind") == "spec":
            return self.fail("Configuration error: Key 'typo' is not in struct")
        self.say("Starting Centerpose train.", Status.STARTED)
        if self.resume_from:
            self.say(f"Resuming training from checkpoint: {self.resume_from}", Status.STARTED)
        self.say("Starting Training Loop.", Status.STARTED)
        for epoch in range(self.first_epoch(), self.epochs):
            code = self.play_epoch(epoch)
            if code is not None:
                return code
        self.say("Training loop complete.")
        self.say(TRAIN_FINISHED)
        return 0

    def first_epoch(self) -> int:
        """0, or the one after the checkpoint that is continued."""
        name = CheckpointName.parse(Path(self.resume_from).name) if self.resume_from else None
        return name.epoch + 1 if name else 0

    def play_epoch(self, epoch: int) -> int | None:
        """One epoch in the contract's order of lines; an exit code if the script ends it."""
        self.learn(epoch)
        kind = self.fault_at(epoch)
        code = self.play_fault(kind)
        if code is not None:
            return code
        if (epoch + 1) % self.validation_interval == 0:
            self.validate(epoch, kind)
        steps = (epoch + 1) * STEPS_PER_EPOCH
        self.say(
            TRAINING_LOOP,
            fields={
                "epoch": epoch,
                "step": steps,
                "max_epoch": self.epochs - 1,
                "max_step": self.epochs * STEPS_PER_EPOCH,
            },
        )
        self.kpi = {"train_loss": 1.0 / (epoch + 1)}
        self.say(TRAIN_METRICS)
        if (epoch + 1) % self.checkpoint_interval == 0:
            leave_checkpoint(CheckpointName(epoch, steps))
        return None

    def learn(self, epoch: int) -> None:
        """Takes the time of an epoch, and says now and then how far it is."""
        whole = float(self.script["epoch_s"])
        began = said = time.monotonic()
        for step in range(1, STEPS_PER_EPOCH + 1):
            time.sleep(max(0.0, began + whole * step / STEPS_PER_EPOCH - time.monotonic()))
            if time.monotonic() - said >= float(self.script["steps_every_s"]):
                said = time.monotonic()
                rate = step * IMAGES_PER_STEP / (said - began)
                done = (epoch, self.epochs, step, STEPS_PER_EPOCH)
                self.say(PROGRESS, fields=StepProgress(Phase.TRAIN, *done, rate).fields)

    def fault_at(self, epoch: int) -> str:
        """The kind of fault that strikes in this epoch; empty for none."""
        begins = int(self.fault.get("epoch", 0))
        return str(self.fault.get("kind", "")) if epoch >= begins else ""

    def validate(self, epoch: int, kind: str) -> None:
        """Writes the metric, as text like the container, or what the fault puts in its place."""
        name = str(self.script["metric"])
        value = str(value_at(epoch, self.params, self.script))
        if kind == "nan":
            value = "nan"
        if kind == "no-metric":
            name = "val_other"
        self.kpi = {name: value}
        self.say(EVAL_METRICS)

    def play_fault(self, kind: str) -> int | None:
        """Fails the way the script says; None for faults that show in the metric alone."""
        match kind:
            case "crash":
                print("RuntimeError: the script crashes here", flush=True)  # noqa: T201
                return int(self.fault.get("exit_code", 1))
            case "oom":
                text = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB"
                print(text, flush=True)  # noqa: T201
                return 1
            case "hang":
                time.sleep(float(self.fault.get("seconds", 3600)))
            case "stubborn":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(float(self.fault.get("seconds", 3600)))
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case _:
                return None
        return None

    def fail(self, message: str) -> int:
        """A FAILURE line and the exit code that goes with it."""
        print(message, flush=True)  # noqa: T201
        self.say(message, Status.FAILURE)
        return 1

    def say(
        self,
        message: str,
        status: Status = Status.RUNNING,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        """Appends one status line; the last metrics are repeated on it, as the container does."""
        line = StatusLine(status, message, fields or {}, self.kpi)
        with Path(STATUS_NAME).open("a", encoding="utf-8") as file:
            file.write(line.to_json(datetime.now().astimezone()) + "\n")


def value_at(epoch: int, params: Mapping[str, float], script: Mapping[str, Any]) -> float:
    """The made-up metric after an epoch.

    It saturates with the epochs at ``top`` times one minus the squared distances of the listed
    parameters from their best values, in units of ``width``; never below 0.
    """
    quality = 1.0
    for key, bowl in script["bowls"].items():
        value, best = float(params[key]), float(bowl["best"])
        if bowl["log10"]:
            value, best = math.log10(max(value, 1e-300)), math.log10(best)
        quality -= ((value - best) / float(bowl["width"])) ** 2
    grown = 1.0 - math.exp(-(epoch + 1) / float(script["rise_epochs"]))
    return max(0.0, float(script["top"]) * quality * grown)


def leave_checkpoint(name: CheckpointName) -> None:
    """An empty zip archive under the checkpoint's name, and the link to the newest."""
    comment = LABEL.encode()
    end_of_archive = b"PK\x05\x06" + bytes(16) + len(comment).to_bytes(2, "little") + comment
    Path(str(name)).write_bytes(end_of_archive)
    aside = Path(f"{LATEST_NAME}.part")
    aside.unlink(missing_ok=True)
    aside.symlink_to(str(name))
    aside.replace(LATEST_NAME)


if __name__ == "__main__":
    sys.exit(Play(read_json(Path(sys.argv[1]))).run())
