"""A check-up of a machine with containers, word for word: GPUs that are given, and refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from automl.app.doctor_checks import DiskFacts, FolderFacts, check_disk, check_folder, check_gpus
from automl.cli.doctor_commands import checks_text
from automl.gpus import Gpu, GpuProcess
from automl.study.records import FailureClass
from automl.trainers.base import Problem
from automl.trainers.docker.checkup import EngineFacts, check_engine
from automl.trainers.docker.probe import Probed

Golden = Callable[[str, str], None]

IMAGE = "nvcr.io/nvidia/tao/tao-toolkit:7.1.0-pyt"
UUIDS = ("GPU-8f1c2c6e-5d0b-4f7a-9f59-0c1d6c5b1a01", "GPU-17aa9d43-08e6-4c55-8a53-5f0e2d7c9b02")
GPUS = [Gpu(index, uuid, "NVIDIA L40S", 46_068, 4, "580.95") for index, uuid in enumerate(UUIDS)]
ENGINE = EngineFacts(
    address="unix:///var/run/docker.sock",
    version="27.3.1",
    runtimes=("io.containerd.runc.v2", "runc"),
    image=IMAGE,
    image_id="sha256:3c3319098fc8bd0c4a1e",
    uuids=UUIDS,
)
REFUSAL = (
    "the engine refused the container: the engine has no NVIDIA runtime: "
    'could not select device driver "" with capabilities: [[gpu]]'
)
LACKING = Problem(
    "the image must be there before trials start",
    f"no {IMAGE} in unix:///var/run/docker.sock",
    f"docker pull {IMAGE}",
)


@pytest.mark.parametrize(
    ("name", "engine", "gpus"),
    [
        ("given", replace(ENGINE, probe=Probed(("0", "1"), seconds=0.83, uuids=UUIDS)), GPUS),
        ("refused", replace(ENGINE, probe=Probed(("0", "1"), REFUSAL, FailureClass.GPU)), GPUS),
        (
            "others",
            replace(ENGINE, probe=Probed(("0",), seconds=0.83, uuids=UUIDS[1:]), uuids=UUIDS[:1]),
            GPUS[:1],
        ),
        ("no-image", replace(ENGINE, image_id="", missing=LACKING), []),
        ("no-engine", EngineFacts(error="no socket /var/run/docker.sock"), GPUS),
    ],
)
def test_check_up_of_a_machine_with_containers(
    golden: Golden, name: str, engine: EngineFacts, gpus: list[Gpu]
) -> None:
    if name == "given":
        users = (GpuProcess(8123, "python"),)
        gpus = [gpus[0], replace(gpus[1], memory_used_mib=9_318, processes=users)]
    checks = [
        *check_gpus(gpus, are_needed=True),
        *check_engine(engine),
        check_disk(DiskFacts(212 * 10**9, 500 * 10**9, 10**9, 36, 10, 4)),
        *check_folder(FolderFacts(Path("/data/studies"), file_system="ext4"), is_root=False),
    ]
    golden(f"cli/doctor-{name}.txt", checks_text(checks) + "\n")
