"""A container's plan in the words of the docker package."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from automl.trainers.docker_plan import ContainerPlan

__all__ = ["create_options"]


def create_options(plan: ContainerPlan) -> dict[str, Any]:
    """The plan in the words of the docker package."""
    from docker.types import DeviceRequest, LogConfig, Mount

    limits = plan.limits
    gpus = [DeviceRequest(device_ids=list(limits.gpus), capabilities=[["gpu"]])]
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
        "device_requests": gpus if limits.gpus else None,
        "mounts": [
            Mount(str(each.inside), str(each.host), type="bind", read_only=each.read_only)
            for each in plan.mounts.mounts
        ],
        "working_dir": str(plan.workdir),
        "environment": plan.variables() | _secrets(plan.secrets, os.environ),
        "init": True,
        # The log is read back from the engine, whose default may be to keep little of it or none.
        "log_config": LogConfig(type="json-file", config={"max-size": "1t"}),
    }


def _secrets(names: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in names if name in environment}
