"""The container of a CenterPose training as ``docker run``, word for word, by its GPUs."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from automl.skill.read import own_skill_dir, read_skill, read_template
from automl.skill.tree import get, with_value
from automl.trainers.base import TrialTask
from automl.trainers.docker.options import DockerOptions
from automl.trainers.docker.trainer import DockerTrainer

Golden = Callable[[str, str], None]

HOST = Path("/home/ana")
STUDY = HOST / "studies" / "bikes"
FOLDER = STUDY / "trials" / "0003" / "1"
#: What differs inside the container, of the block of the action.
OWN = (
    *("results_dir", "pretrained_model_path", "resume_training_checkpoint_path"),
    *("num_gpus", "gpu_ids"),
)


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> DockerTrainer:
    """The shipped skill's trainer, as a user of number 1001 in two groups would have it."""
    monkeypatch.setattr(os, "getuid", lambda: 1001)
    monkeypatch.setattr(os, "getgid", lambda: 1002)
    monkeypatch.setattr(os, "getgroups", lambda: [1002, 44])
    monkeypatch.setenv("NGC_API_KEY", "not for a command line")
    # These folders are nobody's here: the spec's paths count as the host's all the same.
    monkeypatch.setattr(Path, "exists", lambda self: self.is_relative_to(HOST))
    options = DockerOptions(
        memory="64g", pids_limit=4096, env=("NGC_API_KEY", "AUTOML_NOT_SET_ANYWHERE")
    )
    return DockerTrainer(read_skill(own_skill_dir()), options)


@pytest.mark.parametrize("gpus", [(), ("0",), ("GPU-8f1c2a", "GPU-17aa3b")], ids=["0", "1", "2"])
def test_docker_run_of_a_training(
    trainer: DockerTrainer, golden: Golden, gpus: tuple[str, ...]
) -> None:
    spec = read_template(trainer.skill, "train")
    for key, value in {
        "dataset.train_data": str(HOST / "data" / "bike" / "train"),
        "dataset.val_data": str(HOST / "data" / "bike" / "val"),
        "dataset.batch_size": 32,
        "train.pretrained_model_path": str(HOST / "weights" / "fan_small.pth"),
        "train.resume_training_checkpoint_path": str(STUDY / "trials" / "0003" / "0" / "a.pth"),
        "train.results_dir": str(FOLDER),
        "results_dir": str(FOLDER),
    }.items():
        spec = with_value(spec, key, value)
    task = TrialTask("bikes", 3, 1, FOLDER, FOLDER / "spec.yaml", FOLDER / "log.txt", threads=8)
    plan = trainer.planner.plan(spec, task, gpus)
    read = trainer.planner.container_spec(spec, plan.mounts, gpus)
    keys = ("results_dir", "dataset.train_data", "dataset.val_data", *(f"train.{n}" for n in OWN))
    changed = "".join(f"{key}: {get(read, key)}\n" for key in keys)
    golden(f"docker/train-{len(gpus)}-gpus.txt", f"{plan.command_line()}\n\n{changed}")


def test_docker_run_of_a_deploy_action(trainer: DockerTrainer, golden: Golden) -> None:
    deploy = replace(trainer, action="gen_trt_engine", options=DockerOptions(image="mine:1"))
    spec = {"gen_trt_engine": {"onnx_file": str(STUDY / "model.onnx"), "gpu_id": 0}}
    task = TrialTask("bikes", 3, 1, FOLDER, FOLDER / "spec.yaml", FOLDER / "log.txt")
    text = deploy.planner.plan(spec, task, ("0",)).command_line()
    golden("docker/gen-trt-engine.txt", f"{text}\n")
