"""Monitoring the loss without waiting for it.

Reading a number off a GPU stalls the program until everything before it is computed. Here each
loss is copied to the host by the GPU itself, and checked a few steps later.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Diverged", "LossMonitor", "check_finite"]

_MAX_PENDING = 8  # steps that a GPU may lie behind the program at most


class Diverged(Exception):
    """The loss or the weights are not finite numbers any more."""


@dataclass(frozen=True, slots=True)
class _PendingLoss:
    """The loss of one step, on its way to the host."""

    place: str
    value: Tensor
    arrived: torch.cuda.Event

    def has_arrived(self) -> bool:
        """Whether the value can be read without waiting."""
        return bool(self.arrived.query())  # type: ignore[no-untyped-call]


class LossMonitor:
    """Sums an epoch's losses on the device, and ends the training at the first that is not finite.

    Args:
        device: Where the losses are computed.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sum = torch.zeros((), dtype=torch.float64, device=device)
        self._pending: deque[_PendingLoss] = deque()
        if device.type == "cuda":
            self._host = torch.zeros(_MAX_PENDING, pin_memory=True)
            self._events = [_event() for _ in range(_MAX_PENDING)]
            self._next = 0

    def begin(self, total: float) -> None:
        """Starts a sum with what was learnt before."""
        self._sum.fill_(total)

    def add(self, loss: Tensor, place: str) -> None:
        """Adds the loss of a step.

        Args:
            loss: A scalar on the device.
            place: Which step it is, for the message.

        Raises:
            Diverged: This loss or one of the last steps is not finite.
        """
        loss = loss.detach()
        self._sum += loss
        if self._device.type != "cuda":
            _check(loss, place)
            return
        if len(self._pending) == _MAX_PENDING:
            self._check_oldest()
        while self._pending and self._pending[0].has_arrived():
            self._check_oldest()
        pending = _PendingLoss(place, self._host[self._next], self._events[self._next])
        pending.value.copy_(loss, non_blocking=True)
        pending.arrived.record()
        self._pending.append(pending)
        self._next = (self._next + 1) % _MAX_PENDING

    def synchronise(self) -> None:
        """Waits for the losses that are still on their way.

        Raises:
            Diverged: One of them is not finite.
        """
        while self._pending:
            self._check_oldest()

    def total(self) -> float:
        """The exact sum of the losses since ``begin``.

        Raises:
            Diverged: One of them is not finite.
        """
        self.synchronise()
        return self._sum.item()

    def _check_oldest(self) -> None:
        pending = self._pending.popleft()
        pending.arrived.synchronize()
        _check(pending.value, pending.place)


def _event() -> torch.cuda.Event:
    return torch.cuda.Event()  # type: ignore[no-untyped-call]


def _check(loss: Tensor, place: str) -> None:
    value = loss.item()
    if not math.isfinite(value):
        raise Diverged(f"the loss is {value} at {place}")


def check_finite(weights: Iterable[Tensor], place: str) -> None:
    """Checks that weights are numbers that a training can go on with.

    A step whose loss was finite can still leave weights that are not.

    Args:
        weights: Tensors of one device.
        place: Which step it is, for the message.

    Raises:
        Diverged: Some are not finite.
    """
    floating = [weight.detach() for weight in weights if weight.is_floating_point()]
    finite = torch.stack([weight.isfinite().all() for weight in floating])
    if not finite.all().item():
        n_bad = int((~finite).sum().item())
        raise Diverged(f"{n_bad} layers hold weights that are not finite at {place}")
