"""How a network is laid out and compiled for training on a device."""

from dataclasses import dataclass

import torch
from torch import nn

from automl.centerpose.config.experiment import Experiment

__all__ = ["Tuned", "tune_network"]


@dataclass(frozen=True, slots=True)
class Tuned:
    """A network that is ready to train.

    Attributes:
        network: The same network, on its device; the names of its state are unchanged.
        said: One line for the log on what was chosen; empty if there is nothing to say.
    """

    network: nn.Module
    said: str


def tune_network(
    network: nn.Module, spec: Experiment, device: torch.device, n_steps: int
) -> Tuned:
    """Moves a network to its device in the layout that trains fastest there.

    Args:
        network: As ``build_network`` made it; it is changed in place.
        spec: The whole spec.
        device: Where it is to train.
        n_steps: Optimiser steps that lie ahead.
    """
    layout = torch.channels_last
    network.to(device=device, memory_format=layout)  # type: ignore[call-overload]
    return Tuned(network, "")
