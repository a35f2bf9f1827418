"""One optimiser step: gradients, their limit, Adam, and the scaling that fp16 needs."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from automl.centerpose.config.train import Train
from automl.centerpose.training.losses import LossWeights
from automl.centerpose.training.process_group import ProcessGroup

__all__ = ["Optimiser", "freeze", "idle_parameters"]

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
        kind = processes.device.type
        self._on_gpu = kind == "cuda"
        # On a GPU in one kernel that a recording may hold.
        self._fused = True if self._on_gpu else None
        self._adam = torch.optim.Adam(
            self._parameters, settings.optim.lr, fused=self._fused, capturable=self._on_gpu
        )
        self.set_rate(settings.optim.lr)
        scaled = settings.precision == "fp16" and kind == "cuda"
        self._scaler = torch.amp.GradScaler(kind, enabled=scaled)

    def set_rate(self, rate: float) -> None:
        """Sets the learning rate of the steps to come, recorded ones included."""
        for group in self._adam.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = self._as_rate(rate)

    def forget(self) -> None:
        """Drops all gradients."""
        self._adam.zero_grad(set_to_none=True)

    def backward(self, loss: Tensor) -> None:
        """Computes the gradients of a loss."""
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

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
        self._scaler.unscale_(self._adam)
        nn.utils.clip_grad_norm_(self._parameters, self._limit)
        self._scaler.step(self._adam)
        self._scaler.update()

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        state = self._adam.state_dict()
        groups = [group | {"lr": float(group["lr"])} for group in state["param_groups"]]
        return {
            "optimizer_states": [state | {"param_groups": groups}],
            "scaler": self._scaler.state_dict(),
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Takes up what a checkpoint kept, whatever kind of device wrote it."""
        state = dict(content["optimizer_states"][0])
        state["param_groups"] = [
            group
            | {"lr": self._as_rate(group["lr"]), "foreach": None}
            | {"fused": self._fused, "capturable": self._on_gpu}
            for group in state["param_groups"]
        ]
        self._adam.load_state_dict(state)
        if content["scaler"] or not self._scaler.is_enabled():
            self._scaler.load_state_dict(content["scaler"])

    def _all_gradients(self) -> list[Tensor]:
        return [parameter.grad for parameter in self._parameters if parameter.grad is not None]

    def _as_rate(self, rate: float) -> float | Tensor:
        """On a GPU a tensor, which a recorded step reads anew each time."""
        device = self._parameters[0].device
        return torch.tensor(rate, dtype=torch.float32, device=device) if self._on_gpu else rate


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
