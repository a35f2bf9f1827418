"""What a training needs before its first step: data and network, made or found ready.

A process that trains once makes everything. One that trains again finds what it made in ``Cache``:
decoded images, whatever the training makes of them, and networks laid out and compiled for the
same settings. A network found there is given the very weights that a fresh process would begin
with, so that what happened before cannot change a result.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from automl.centerpose.batches.loader import Loader, make_loader, read_split
from automl.centerpose.config.dataset import Dataset
from automl.centerpose.config.experiment import Experiment
from automl.centerpose.hardware.device import loader_threads
from automl.centerpose.hardware.footprint import save_memory
from automl.centerpose.hardware.speed import tune_network
from automl.centerpose.models.build import build_network
from automl.centerpose.session.cache import Cache
from automl.centerpose.training.optimiser import freeze, idle_parameters
from automl.centerpose.training.process_group import ProcessGroup
from automl.centerpose.training.supported import loss_weights

__all__ = ["ready_loaders", "ready_network"]

_LAYOUT = torch.channels_last  # the one in which to_input hands images over


def ready_loaders(data: Dataset, processes: ProcessGroup, cache: Cache) -> tuple[Loader, Loader]:
    """Batches of the training and the validation split for one of the processes.

    Args:
        data: The spec's ``dataset`` block.
        processes: The processes that train together.
        cache: What earlier trainings of this process left.

    Raises:
        ValueError: A split is not named, or smaller than a batch of all devices.
        FixInput: The data cannot be used as they are.
    """
    train, validation = (
        make_loader(
            read_split(root, key, data, processes.shard.world, cache, scored=scored),
            data.batch_size,
            loader_threads(data.workers),
            device=processes.device,
            shard=processes.shard,
        )
        for key, root, scored in (
            ("dataset.train_data", data.train_data, False),
            ("dataset.val_data", data.val_data, True),
        )
    )
    return train, validation


@dataclass(slots=True)
class _PreparedNetwork:
    """A network ready to train.

    Attributes:
        network: On its device.
        frugal: Whether it keeps less for the backward pass, because memory is short.
        tuned: What the log says of its tuning; empty where none was worth its time.
        n_steps: The steps for which that was decided.
    """

    network: nn.Module
    frugal: bool
    tuned: str
    n_steps: int

    def tune_for(self, spec: Experiment, device: torch.device, n_steps: int) -> None:
        """Decides again, where more steps lie ahead than before and nothing was tuned."""
        if not self.tuned and n_steps > self.n_steps:
            tuned = tune_network(self.network, spec, device, n_steps)
            self.network, self.tuned, self.n_steps = tuned.network, tuned.said, n_steps

    def lines(self) -> list[str]:
        """What the log says about how it was made ready."""
        frugal = "gradient checkpointing: the batch needs more memory than is free without it"
        return [frugal] * self.frugal + [self.tuned] * bool(self.tuned)


def ready_network(
    spec: Experiment,
    processes: ProcessGroup,
    cache: Cache,
    n_steps: int,
    say: Callable[[str], None],
) -> nn.Module:
    """The spec's network with fresh weights, on its device, in the layout that trains fastest.

    It takes from torch's random numbers what building the network takes, and no more.

    Args:
        spec: The whole spec.
        processes: The processes that train together.
        cache: What earlier trainings of this process left.
        n_steps: Optimiser steps that lie ahead.
        say: Writes a line to the log.

    Raises:
        NotImplementedError: This program has no such backbone.
    """
    fresh = build_network(spec.model)
    idle = idle_parameters(fresh, loss_weights(spec))
    device = processes.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        made = cache.get(_key(spec, device, idle), lambda: _made(fresh, spec, device, idle))
        made.tune_for(spec, device, n_steps)
    if made.network is not fresh:
        made.network.load_state_dict(fresh.state_dict())
        made.network.train()
        made.network.zero_grad(set_to_none=True)
    for line in made.lines():
        say(line)
    return made.network


def _key(spec: Experiment, device: torch.device, idle: tuple[str, ...]) -> tuple[object, ...]:
    data = spec.dataset
    images = (data.batch_size, data.input_res)
    return ("network", spec.model, spec.train.precision, images, str(device), idle)


def _made(
    network: nn.Module, spec: Experiment, device: torch.device, idle: tuple[str, ...]
) -> _PreparedNetwork:
    """The network on its device; its tuning is yet to be decided."""
    freeze(network, idle)
    network.to(device=device, memory_format=_LAYOUT)  # type: ignore[call-overload]
    frugal = save_memory(network, spec.dataset, device, spec.train.precision)
    return _PreparedNetwork(network, frugal, tuned="", n_steps=-1)
