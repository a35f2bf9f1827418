"""One optimiser step: gradients, their limit, Adam, and the scaling that fp16 needs."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from automl.centerpose.config.train import Train
from automl.centerpose.losses import LossWeights
from automl.centerpose.peers import Peers

__all__ = ["Optimiser", "freeze", "idle_parameters"]

_PROBE = 64  # input side of the pass that looks for idle parameters, pixels
_HEAD_OF_TERM = {"offset": "reg"}  # a loss term's head, where their names differ


class Optimiser:
    """Adam with clipped gradients; nothing in a step waits for a GPU.

    Args:
        network: Whose weights are learnt.
        settings: The spec's ``train`` block.
        peers: The processes that train together.
    """

    def __init__(self, network: nn.Module, settings: Train, peers: Peers) -> None:
        self._parameters = list(network.parameters())
        self._peers = peers
        self._limit = settings.clip_grad_val
        kind = peers.device.type
        self._fused = True if kind == "cuda" else None
        self._adam = torch.optim.Adam(self._parameters, lr=settings.optim.lr, fused=self._fused)
        scaled = settings.precision == "fp16" and kind == "cuda"
        self._scaler = torch.amp.GradScaler(kind, enabled=scaled)

    def set_rate(self, rate: float) -> None:
        """Sets the learning rate of the steps to come."""
        for group in self._adam.param_groups:
            group["lr"] = rate

    def step(self, loss: Tensor) -> None:
        """Learns from a loss."""
        self._adam.zero_grad(set_to_none=True)
        self._peers.backward(self._scaler.scale(loss))
        self._scaler.unscale_(self._adam)
        nn.utils.clip_grad_norm_(self._parameters, self._limit)
        self._scaler.step(self._adam)
        self._scaler.update()

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {
            "optimizer_states": [self._adam.state_dict()],
            "scaler": self._scaler.state_dict(),
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Takes up what a checkpoint kept, whatever kind of device wrote it."""
        state = dict(content["optimizer_states"][0])
        state["param_groups"] = [
            group | {"fused": self._fused, "foreach": None} for group in state["param_groups"]
        ]
        self._adam.load_state_dict(state)
        if content["scaler"] or not self._scaler.is_enabled():
            self._scaler.load_state_dict(content["scaler"])


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
    named = [(name, each) for name, each in network.named_parameters() if each.requires_grad]
    used: Sequence[Tensor | None] = torch.autograd.grad(
        torch.stack([value.sum() for name, value in outputs.items() if name not in off]).sum(),
        [each for _, each in named],
        allow_unused=True,
    )
    return tuple(name for (name, _), found in zip(named, used, strict=True) if found is None)


def freeze(network: nn.Module, names: Sequence[str]) -> None:
    """Lets every parameter learn but the named ones; those then get no gradient at all."""
    frozen = set(names)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name not in frozen)
