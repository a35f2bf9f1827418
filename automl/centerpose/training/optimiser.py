"""One optimiser step: gradients, their limit, Adam, and the scaling that fp16 needs."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from automl.centerpose.config.train import Train
from automl.centerpose.training.adam import Adam
from automl.centerpose.training.loss_scale import LossScale
from automl.centerpose.training.losses import LossWeights
from automl.centerpose.training.process_group import ProcessGroup

__all__ = ["Optimiser", "freeze", "idle_parameters"]

_NO_ZERO = 1e-6  # as torch's own clipping has it
_PROBE = 64  # input side of the pass that looks for idle parameters, pixels
_HEAD_OF_TERM = {"offset": "reg"}  # a loss term's head, where their names differ


class Optimiser:
    """Adam with clipped gradients; nothing in a step waits for a GPU.

    Args:
        network: Whose weights are learnt.
        settings: The spec's ``train`` block.
        processes: The processes that train together.
    """

    def __init__(self, network: nn.Module, settings: Train, processes: ProcessGroup) -> None:
        self._parameters = list(network.parameters())
        self._limit = settings.clip_grad_val
        self._adam = Adam(self._parameters, settings.optim.lr)
        scaled = settings.precision == "fp16" and processes.device.type == "cuda"
        self._scale = LossScale(processes.device) if scaled else None

    def set_rate(self, rate: float) -> None:
        """Sets the learning rate of the steps to come, recorded ones included."""
        self._adam.set_rate(rate)

    def forget(self) -> None:
        """Drops all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def backward(self, loss: Tensor) -> None:
        """Computes the gradients of a loss."""
        scaled = loss if self._scale is None else loss * self._scale.factor
        scaled.backward()  # type: ignore[no-untyped-call]

    def gradients(self) -> Tensor:
        """(P,) a copy of all gradients, one after another."""
        return torch.cat([gradient.reshape(-1) for gradient in self._all_gradients()])

    def set_gradients(self, flat: Tensor) -> None:
        """Puts what ``gradients`` gave, changed or not, back in its places."""
        places = self._all_gradients()
        parts = torch.split(flat, [place.numel() for place in places])
        for place, part in zip(places, parts, strict=True):
            place.copy_(part.view(place.shape))

    def update(self) -> None:
        """Learns from the gradients."""
        # In the pass over the gradients that learns from them, instead of one of its own.
        norm = nn.utils.get_total_norm(self._all_gradients())
        if self._scale is None:
            self._adam.step(divisor=self._excess(norm))
            return
        overflowed = (~norm.isfinite()).float()
        factor = self._scale.factor
        self._adam.step(factor * self._excess(norm / factor), overflowed)
        self._scale.update(overflowed)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        scale = {} if self._scale is None else self._scale.state()
        return {"optimizer_states": [self._adam.state()], "scaler": scale}

    def restore(self, content: dict[str, Any]) -> None:
        """Takes up what a checkpoint kept, whatever kind of device wrote it."""
        self._adam.restore(content["optimizer_states"][0])
        if content["scaler"] and self._scale is not None:
            self._scale.restore(content["scaler"])

    def _excess(self, norm: Tensor) -> Tensor:
        """By how much the gradients are too long; 1 where they are not."""
        return ((norm + _NO_ZERO) / self._limit).clamp(min=1.0)

    def _all_gradients(self) -> list[Tensor]:
        return [parameter.grad for parameter in self._parameters if parameter.grad is not None]


def idle_parameters(network: nn.Module, weights: LossWeights) -> tuple[str, ...]:
    """The names of the parameters that no term of the loss reaches.

    With every term in use there are none. One small image is passed through a network on the CPU
    in evaluation mode, which changes neither its state nor any random state.

    Args:
        network: On the CPU; left in the mode it was in.
        weights: Which terms are in use.
    """
    off = {
        _HEAD_OF_TERM.get(term, term) for term in weights.__slots__ if not getattr(weights, term)
    }
    if not off:
        return ()
    was_training = network.training
    network.eval()
    outputs: dict[str, Tensor] = network(torch.zeros(1, 3, _PROBE, _PROBE))
    network.train(was_training)
    named = [
        (name, parameter)
        for name, parameter in network.named_parameters()
        if parameter.requires_grad
    ]
    used: Sequence[Tensor | None] = torch.autograd.grad(
        torch.stack([value.sum() for name, value in outputs.items() if name not in off]).sum(),
        [parameter for _, parameter in named],
        allow_unused=True,
    )
    return tuple(name for (name, _), found in zip(named, used, strict=True) if found is None)


def freeze(network: nn.Module, names: Sequence[str]) -> None:
    """Lets every parameter learn but the named ones; those then get no gradient at all."""
    frozen = set(names)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name not in frozen)
