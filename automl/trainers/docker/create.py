"""A container's plan in the words of the docker package."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from automl.trainers.docker.options import NO_NETWORK
from automl.trainers.docker.plan import ContainerPlan

if TYPE_CHECKING:
    from docker.types import DeviceRequest

__all__ = ["create_options", "probe_options"]

_LIST_GPUS = ("nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader")


def create_options(plan: ContainerPlan) -> dict[str, Any]:
    """The plan in the words of the docker package."""
    from docker.types import LogConfig, Mount

    limits = plan.limits
    return {
        "command": list(plan.command),
        "name": plan.name,
        "labels": plan.labels.to_docker(),
        "user": plan.user,
        "group_add": list(plan.groups),
        "security_opt": ["no-new-privileges"],
        "network_mode": limits.network,
        "shm_size": limits.shm_bytes,
        "mem_limit": limits.memory_bytes,
        "memswap_limit": limits.memory_bytes,
        "pids_limit": limits.pids,
        "device_requests": _request(limits.gpus) if limits.gpus else None,
        "mounts": [
            Mount(str(mount.inside), str(mount.host), type="bind", read_only=mount.read_only)
            for mount in plan.mounts.mounts
        ],
        "working_dir": str(plan.workdir),
        "environment": plan.variables() | _secrets(plan.secrets, os.environ),
        "init": True,
        # The log is read back from the engine, whose default may be to keep little of it or none.
        "log_config": LogConfig(type="json-file", config={"max-size": "1t"}),
    }


def probe_options(gpus: Sequence[str], label: str) -> dict[str, Any]:
    """A container that asks for GPUs as a trial's does, says which it sees, and ends.

    It is started as trials are: with a first process of the engine's, which starts whether or not
    the image has the program.
    """
    from docker.types import LogConfig

    return {
        "entrypoint": list(_LIST_GPUS),
        "command": [],
        "labels": [label],
        "user": f"{os.getuid()}:{os.getgid()}",
        "security_opt": ["no-new-privileges"],
        "network_mode": NO_NETWORK,
        "device_requests": _request(gpus),
        "init": True,
        "log_config": LogConfig(type="json-file"),
    }


def _request(gpus: Sequence[str]) -> "list[DeviceRequest]":
    from docker.types import DeviceRequest

    return [DeviceRequest(device_ids=list(gpus), capabilities=[["gpu"]])]


def _secrets(names: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in names if name in environment}
