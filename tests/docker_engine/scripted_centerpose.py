#!/usr/local/bin/python3
"""``centerpose`` of the small test image: plays a training, by the trainer contract.

What it plays is in ``script.json`` beside the training data, which the container can only read:
``epoch_s``, ``faults`` (trial number to kind), ``print`` (variables to show), ``links`` (what it
puts in the place of its files), and ``hold_at``: the epoch at which it waits until there is a file
``.go`` beside the script, hidden because data must stay as it was.
"""

# ruff: noqa: T201 -- its output is the log
import json
import os
import sys
import time
from pathlib import Path

import yaml

from automl.trainers.scripted_program import Play


class HeldPlay(Play):
    """A training that may wait for the test."""

    hold_at: int | None = None
    go: Path

    def play_epoch(self, epoch: int) -> int | None:
        while epoch == self.hold_at and not self.go.exists():
            time.sleep(0.05)
        return super().play_epoch(epoch)


def trial_at(folder: str) -> int:
    """The number of the trial whose folder is bound there: the kernel tells where that lies."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        _, _, _, source, place, *_ = line.split()
        if place == folder:
            return int(Path(source).parent.name)
    raise LookupError(folder)


def misbehave(links: dict[str, str]) -> None:
    """Puts links to files of the host in the place of its records, and tries its spec."""
    for name, target in links.items():
        Path(name).unlink(missing_ok=True)
        Path(name).symlink_to(target)
    for path in ("spec.yaml", "/study/study.journal"):
        try:
            Path(path).write_text("mine now")
        except OSError as error:
            print(f"{path}: {error.strerror}", flush=True)
        else:
            print(f"{path}: written", flush=True)


def main() -> int:
    action, flag, place = sys.argv[1:4]
    spec = yaml.safe_load(Path(place).read_text())
    train = spec["train"]
    os.chdir(train["results_dir"])
    told = Path(spec["dataset"]["train_data"], "script.json")
    script = json.loads(told.read_text()) if told.exists() else {}
    number = trial_at(train["results_dir"])
    fault = script.get("faults", {}).get(str(number))
    print(f"{action} {flag} {place} as {os.getuid()}:{os.getgid()}", flush=True)
    for name in script.get("print", ()):
        print(f"{name}={os.environ.get(name, 'not set')}", flush=True)
    if "links" in script:
        misbehave(script["links"])
    if fault == "memory":
        hold = bytearray()
        while True:
            hold += b"x" * (8 << 20)
    bowls = {"train.optim.lr": {"best": 1e-4, "width": 2.0, "log10": True}}
    shared = {"metric": "val_3DIoU", "top": 0.8, "rise_epochs": 3.0, "bowls": bowls}
    times = {"epoch_s": script.get("epoch_s", 0.05), "steps_every_s": 5.0}
    play = HeldPlay(
        {
            "script": shared | times,
            "fault": fault if isinstance(fault, dict) else {"kind": fault} if fault else None,
            "params": {"train.optim.lr": train["optim"]["lr"]},
            "epochs": train["num_epochs"],
            "validation_interval": train["validation_interval"],
            "checkpoint_interval": train["checkpoint_interval"],
            "resume_from": train["resume_training_checkpoint_path"],
        }
    )
    play.hold_at, play.go = script.get("hold_at"), told.with_name(".go")
    return play.run()


if __name__ == "__main__":
    sys.exit(main())
