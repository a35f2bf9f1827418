"""Real trainings by two processes on the CPU: the same files, metric and end as by one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from automl.centerpose.batches.sharding import Shard
from automl.centerpose.config.load import load_spec
from automl.centerpose.config.train import Train
from automl.centerpose.hardware.selection import ACCELERATOR
from automl.centerpose.program.train import train
from automl.centerpose.session.cache import Cache
from automl.centerpose.session.checkpoints import latest_in, read_checkpoint
from automl.centerpose.session.interrupt import Interrupt, Interrupted
from automl.centerpose.session.run import Run
from automl.centerpose.session.status import StatusLog
from automl.centerpose.training.fabric import make_fabric
from automl.centerpose.training.prepared import ready_loaders
from automl.centerpose.training.process_group import MultiProcess, SingleProcess
from automl.errors import FixInput, InstallExtra
from automl.trainers.contract import LATEST_NAME

SpecWriter = Callable[..., Path]
StatusReader = Callable[[Path], list[dict[str, Any]]]


class InValidation(Interrupt):
    """Ends a training of five epochs of three batches in the validation after the last."""

    left = 15

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Interrupted(signal.SIGTERM)


def environment() -> dict[str, str]:
    return os.environ | {ACCELERATOR: "cpu", "OMP_NUM_THREADS": "1"}


def command(path: Path, **settings: Any) -> list[str]:
    overrides = [f"{key.replace('__', '.')}={value}" for key, value in settings.items()]
    return [sys.executable, "-m", "automl.centerpose", "train", "-e", str(path), *overrides]


def run_of(folder: Path, interrupt: Interrupt | None = None) -> Run:
    return Run(folder, StatusLog(folder), interrupt or Interrupt(), lambda _: None)


def metrics(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [line["kpi"] for line in lines if "kpi" in line]


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.timeout(240)
def test_two_processes_score_what_one_scores(
    spec_tree: dict[str, Any],
    write_spec: SpecWriter,
    status_lines: StatusReader,
    tmp_path: Path,
) -> None:
    """Both resume from a checkpoint in a validation, so that they score the same weights."""
    # Many cells are detections, so that the scores are numbers that could differ.
    spec_tree["inference"] = {"visualization_threshold": 0.05}
    spec_tree["dataset"] |= {"no_color_aug": True}
    spec_tree["train"] |= {"num_epochs": 5, "validation_interval": 5, "optim": {"lr": 0.01}}
    begun = tmp_path / "begun"
    with pytest.raises(Interrupted):
        train(load_spec(spec_tree, "train"), run_of(begun, InValidation()))
    checkpoint = latest_in(begun)
    spec_tree["train"] |= {"resume_training_checkpoint_path": str(checkpoint)}
    alone = tmp_path / "alone"
    train(load_spec(spec_tree, "train"), run_of(alone))

    together = tmp_path / "together"
    settings = {"train__num_gpus": 2, "dataset__batch_size": 2, "train__results_dir": together}
    path = write_spec(spec_tree)
    done = subprocess.run(command(path, **settings), env=environment(), check=False)
    assert done.returncode == 0
    one, two = status_lines(alone), status_lines(together)
    assert float(metrics(one)[0]["val_2DMPE"]) > 0
    assert metrics(two) == metrics(one)
    reported = [line["message"] for line in one if not line["message"].startswith("Resuming")]
    again = [line["message"] for line in two if not line["message"].startswith("Resuming")]
    assert again == ["Starting Centerpose train.", *reported, "Train finished successfully."]
    name = (alone / LATEST_NAME).readlink()
    parts = [read_checkpoint(folder / name) for folder in (alone, together)]
    torch.testing.assert_close(parts[0]["state_dict"], parts[1]["state_dict"], rtol=0, atol=0)


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.timeout(240)
def test_two_processes_end_together_and_one_goes_on(
    spec_tree: dict[str, Any], write_spec: SpecWriter, status_lines: StatusReader
) -> None:
    """Killed, interrupted with a checkpoint, then finished on one device."""
    spec_tree["train"] |= {"num_epochs": 100_000, "checkpoint_interval": 100_000}
    path, folder = write_spec(spec_tree), Path(spec_tree["results_dir"]) / "train"
    settings = {"train__num_gpus": 2, "dataset__batch_size": 2}

    def ended_by(act: Callable[[subprocess.Popen[str]], None]) -> tuple[int, str]:
        with subprocess.Popen(
            command(path, **settings), stdout=subprocess.PIPE, text=True, env=environment()
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("epoch 0:"):
                    act(process)
                    break
            rest = process.stdout.read()
        return process.returncode, rest

    began = time.monotonic()
    code, rest = ended_by(lambda process: os.kill(rank_of(process.pid, 1), signal.SIGKILL))
    assert code == 1
    assert "Execution status: FAIL" in rest
    last = status_lines(folder)[-1]
    assert last["status"] == "FAILURE"
    assert "the process of device 1 of the training was ended by SIGKILL" in last["message"]
    assert time.monotonic() - began < 100

    code, rest = ended_by(lambda process: process.send_signal(signal.SIGTERM))
    assert code == 143
    last = status_lines(folder)[-1]
    assert last["message"].startswith("User/System interruption: Train was interrupted (SIGTERM)")
    checkpoint = latest_in(folder)
    assert checkpoint is not None
    content = read_checkpoint(checkpoint)
    assert content["images_per_step"] == 4
    assert len(content["rng"]["ranks"]) == 2

    # Four images a step, as before; the epoch in progress is finished, and one more learnt.
    n_epochs = content["position"]["epoch"] + 2
    spec_tree["train"] |= {"num_epochs": n_epochs, "checkpoint_interval": 1}
    result = train(load_spec(spec_tree, "train"), run_of(folder))
    assert result is not None
    epochs = [line["epoch"] for line in status_lines(folder) if "epoch" in line]
    assert epochs[-1] == n_epochs - 1


def rank_of(program: int, rank: int) -> int:
    """The process of a rank among the children of the program."""
    children = Path(f"/proc/{program}/task/{program}/children").read_text().split()
    wanted = f"LOCAL_RANK={rank}".encode()
    (found,) = (
        int(pid)
        for pid in children
        if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    )
    return found


def test_a_split_must_fill_a_batch_of_every_device(spec_tree: dict[str, Any]) -> None:
    processes = SingleProcess((), Interrupt())
    processes.shard = Shard(1, 4)
    data = load_spec(spec_tree, "train").dataset
    with pytest.raises(ValueError, match=r"batch_size x devices = 16 images, but .* holds 12"):
        ready_loaders(data, processes, Cache())


@pytest.mark.parametrize("name", ["lightning_fabric", "lightning.fabric"])
def test_fabric_is_found_under_either_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for the two packages, of which one is installed."""
    for package in ("lightning_fabric", "lightning", "lightning.fabric"):
        monkeypatch.setitem(sys.modules, package, None)  # cannot be imported
    if name.startswith("lightning."):
        monkeypatch.setitem(sys.modules, "lightning", ModuleType("lightning"))
    made = ModuleType(name)
    made.Fabric = lambda **settings: settings  # type: ignore[attr-defined]
    plugins, strategies = ModuleType(f"{name}.plugins"), ModuleType(f"{name}.strategies")
    environments = ModuleType(f"{name}.plugins.environments")
    environments.LightningEnvironment = object  # type: ignore[attr-defined]
    strategies.DDPStrategy = lambda **settings: settings  # type: ignore[attr-defined]
    for module in (made, plugins, environments, strategies):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    settings = make_fabric([torch.device("cuda", 1), torch.device("cuda", 3)])
    assert settings["accelerator"] == "cuda"
    assert settings["devices"] == [1, 3]
    assert make_fabric([torch.device("cpu")] * 3)["devices"] == 3


def test_a_machine_without_fabric_is_reported_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for package in ("lightning_fabric", "lightning", "lightning.fabric"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InstallExtra, match="needs Lightning Fabric"):
        make_fabric([torch.device("cpu")])


def test_more_devices_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv(ACCELERATOR, raising=False)
    with pytest.raises(FixInput, match=r"num_gpus must be 1 on a machine without GPUs"):
        MultiProcess(Train(num_gpus=2), 0, Interrupt())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(FixInput, match="index 2 of 2 visible GPUs"):
        MultiProcess(Train(num_gpus=3), 0, Interrupt())
