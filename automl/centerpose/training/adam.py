"""Adam (Kingma and Ba, 2015) over a fixed list of weights, with torch's own arithmetic.

``torch.optim.Adam`` computes the same, but makes torch's compiler be imported first, which takes
as long as all else before a first step; and it cannot be given a factor that is known only on the
device. States are written as that class writes them.
"""

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim.adam import adam

__all__ = ["Adam"]

_BETAS: Final = (0.9, 0.999)
_EPSILON: Final = 1e-8


class Adam:
    """The moments of some weights' gradients, and what is learnt from them.

    Args:
        parameters: The weights, all on one device.
        rate: The learning rate.
    """

    def __init__(self, parameters: Sequence[Tensor], rate: float) -> None:
        self._parameters = parameters
        self._device = parameters[0].device
        self._on_gpu = self._device.type == "cuda"
        self._states: dict[int, dict[str, Tensor]] = {}
        # On a GPU a tensor, which a recorded step reads anew each time.
        self._rate: float | Tensor = rate
        if self._on_gpu:
            self._rate = torch.tensor(rate, dtype=torch.float32, device=self._device)

    def set_rate(self, rate: float) -> None:
        """Sets the learning rate of the steps to come, recorded ones included."""
        if isinstance(self._rate, Tensor):
            self._rate.fill_(rate)
        else:
            self._rate = rate

    @torch.no_grad()
    def step(self, divisor: Tensor | None = None, not_finite: Tensor | None = None) -> None:
        """Learns from the gradients that there are.

        Args:
            divisor: What the gradients are divided by first.
            not_finite: 1 where nothing is to be learnt, else 0.
        """
        learnt = [k for k, each in enumerate(self._parameters) if each.grad is not None]
        some, states = [self._parameters[k] for k in learnt], [self._state(k) for k in learnt]
        adam(
            some,
            [each.grad for each in some if each.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,  # one pass over all weights, which on a GPU may be recorded
            capturable=self._on_gpu,
            grad_scale=divisor,
            found_inf=not_finite,
            amsgrad=False,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            lr=self._rate,
            weight_decay=0.0,
            eps=_EPSILON,
            maximize=False,
        )

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        group = {
            "lr": float(self._rate),
            "betas": _BETAS,
            "eps": _EPSILON,
            "weight_decay": 0.0,
            "amsgrad": False,
            "maximize": False,
            "foreach": None,
            "capturable": self._on_gpu,
            "differentiable": False,
            "fused": True,
            "decoupled_weight_decay": False,
            "params": list(range(len(self._parameters))),
        }
        return {"state": dict(self._states), "param_groups": [group]}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up what a checkpoint kept, whatever kind of device wrote it."""
        (group,) = state["param_groups"]
        self.set_rate(float(group["lr"]))
        self._states = {}
        for k, kept in state["state"].items():
            own = self._state(int(k))
            for name, value in own.items():
                value.copy_(kept[name])

    def _state(self, k: int) -> dict[str, Tensor]:
        if k not in self._states:
            weight = self._parameters[k]
            self._states[k] = {
                "step": torch.zeros((), device=self._device),
                "exp_avg": torch.zeros_like(weight, memory_format=torch.preserve_format),
                "exp_avg_sq": torch.zeros_like(weight, memory_format=torch.preserve_format),
            }
        return self._states[k]
