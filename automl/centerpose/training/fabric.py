"""Lightning Fabric, under whichever of its two names is installed; imported where it is needed.

Importing it takes seconds, so a training on one device does without.
"""

import logging
from typing import Any

import torch

from automl.errors import InstallExtra
from automl.extras import how_to_get

__all__ = ["make_fabric"]


def make_fabric(devices: list[torch.device]) -> Any:
    """Fabric for one process a device, each of which the caller starts with ``LOCAL_RANK`` set.

    It starts the processes' talk and knows their devices. Gradients are averaged by the trainer
    itself, in one go: the hooks of DistributedDataParallel would launch every step from Python.

    Args:
        devices: The GPUs, or as many times the CPU as there are processes.

    Raises:
        InstallExtra: Fabric is not installed.
    """
    fabric_class, strategy_class, environment_class = _classes()
    # Its own words would stand between the training's.
    for package in ("lightning_fabric", "lightning.fabric"):
        logging.getLogger(package).setLevel(logging.WARNING)
    on_gpus = devices[0].type == "cuda"
    return fabric_class(
        accelerator="cuda" if on_gpus else "cpu",
        devices=[device.index for device in devices] if on_gpus else len(devices),
        strategy=strategy_class(),
        plugins=[environment_class()],
        precision="32-true",  # autocast and the scaling of losses are the trainer's own
    )


def _classes() -> tuple[Any, Any, Any]:
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.plugins.environments import LightningEnvironment
        from lightning_fabric.strategies import DDPStrategy
    except ModuleNotFoundError:
        return _classes_of_the_whole_package()
    return Fabric, DDPStrategy, LightningEnvironment


def _classes_of_the_whole_package() -> tuple[Any, Any, Any]:
    try:
        from lightning.fabric import Fabric
        from lightning.fabric.plugins.environments import LightningEnvironment
        from lightning.fabric.strategies import DDPStrategy
    except ModuleNotFoundError as error:
        raise InstallExtra(
            "a training on several devices needs Lightning Fabric",
            fix=f"{how_to_get('trainer')}, or install lightning-fabric alone",
        ) from error
    return Fabric, DDPStrategy, LightningEnvironment
