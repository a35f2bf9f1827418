"""The factor that keeps small gradients above the least number of fp16.

What ``torch.amp.GradScaler`` does, decided on the device: nothing waits for it, so that steps can
be recorded.
"""

from typing import Any, Final

import torch
from torch import Tensor

__all__ = ["LossScale"]

_START: Final = 2.0**16
_GROWTH, _BACKOFF = 2.0, 0.5
_INTERVAL: Final = 2000  # steps without an overflow after which the factor grows


class LossScale:
    """A factor that halves at an overflow and doubles after a long time without one.

    Args:
        device: Where the gradients are.

    Attributes:
        factor: fp32, what losses are multiplied by.
    """

    def __init__(self, device: torch.device) -> None:
        self.factor = torch.full((), _START, device=device)
        self._calm = torch.zeros((), dtype=torch.int32, device=device)  # steps

    def update(self, overflowed: Tensor) -> None:
        """Moves the factor.

        Args:
            overflowed: fp32, 1 where the last gradients were not finite, else 0.
        """
        bad = overflowed > 0
        calm = torch.where(bad, 0, self._calm + 1)
        ripe = calm >= _INTERVAL
        self._calm.copy_(torch.where(ripe, 0, calm))
        by = torch.where(bad, _BACKOFF, torch.where(ripe, _GROWTH, 1.0))
        self.factor.mul_(by)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it, as torch's own class writes it."""
        return {
            "scale": float(self.factor),
            "growth_factor": _GROWTH,
            "backoff_factor": _BACKOFF,
            "growth_interval": _INTERVAL,
            "_growth_tracker": int(self._calm),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up what a checkpoint kept."""
        self.factor.fill_(state["scale"])
        self._calm.fill_(state["_growth_tracker"])
