"""The processes of one training: what they average, gather and agree on.

All processes of a training take the same way through the loop, so that each question below is
asked by all of them, in the same order. That holds for the end by a signal too: it is agreed on.
"""

import os
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from automl.centerpose.batches.sharding import Shard
from automl.centerpose.config.train import Train
from automl.centerpose.hardware.device import choose_device, has_gpus
from automl.centerpose.hardware.selection import ACCELERATOR, device_ids
from automl.centerpose.session.interrupt import Interrupt, Interrupted
from automl.centerpose.training.fabric import make_fabric
from automl.errors import FixInput

__all__ = ["MultiProcess", "ProcessGroup", "SingleProcess"]

T = TypeVar("T")

_LAG = 1  # steps after which the answer to "shall we end" is looked at


class ProcessGroup(Protocol):
    """The processes of one training, seen from one of them."""

    shard: Shard
    device: torch.device

    def average(self, values: Tensor) -> None:
        """Makes values on the device the mean over all processes, in place."""

    def check(self) -> None:
        """Ends the training here, in every process, if a signal asked one of them to."""

    def check_locally(self) -> None:
        """Ends the training here where no other process must follow."""

    def mean(self, value: float) -> float:
        """The mean of a number over the processes."""

    def gather(self, things: list[T]) -> list[T]:
        """The things of all processes, in the order of their ranks, on each of them."""

    def broadcast(self, state: Iterable[Tensor]) -> None:
        """Copies these tensors of the first process to every other."""


class SingleProcess:
    """A group of one process, on one device.

    Args:
        gpu_ids: The GPU to use, if there is one at all.
        interrupt: Asked whether to end.
    """

    def __init__(self, gpu_ids: Sequence[int], interrupt: Interrupt) -> None:
        self.shard = Shard()
        self.device = choose_device(gpu_ids)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)  # events and kernels go to the current device
        self.check = self.check_locally = interrupt.check

    def average(self, values: Tensor) -> None:
        """Leaves them as they are."""

    def mean(self, value: float) -> float:
        """The number itself."""
        return value

    def gather(self, things: list[T]) -> list[T]:
        """The things themselves."""
        return things

    def broadcast(self, state: Iterable[Tensor]) -> None:
        """There is no other process."""


class MultiProcess:
    """One process of several, each with a device of its own, joined by Lightning Fabric.

    Gradients travel by NCCL between GPUs, all at once; small things of the host (a flag, a number,
    the records of a validation) by Gloo, so that no GPU waits for them.

    Args:
        settings: The spec's ``train`` block.
        rank: This process's number.
        interrupt: Asked whether to end.

    Raises:
        FixInput: This machine has fewer GPUs than asked for.
        InstallExtra: Fabric is not installed.
    """

    def __init__(self, settings: Train, rank: int, interrupt: Interrupt) -> None:
        devices = _devices(settings)
        self.shard = Shard(rank, len(devices))
        self.device = devices[rank]
        self._interrupt = interrupt
        self._fabric = make_fabric(devices)
        self._fabric.launch()
        self._hosts = dist.new_group(backend="gloo")
        self._asked: deque[tuple[Any, Tensor]] = deque()

    def average(self, values: Tensor) -> None:
        """Makes values on the device the mean over all processes, in place."""
        dist.all_reduce(values)
        values /= self.shard.world

    def check(self) -> None:
        """Ends the training at the same step everywhere, a step after the signal was noted.

        Raises:
            Interrupted: A process was asked to end.
        """
        number = torch.tensor([self._interrupt.requested or 0])
        work = dist.all_reduce(number, dist.ReduceOp.MAX, group=self._hosts, async_op=True)
        self._asked.append((work, number))
        if len(self._asked) > _LAG:
            work, number = self._asked.popleft()
            work.wait()
            if number.item():
                raise Interrupted(int(number.item()))

    def check_locally(self) -> None:
        """Never ends: the processes may ask a different number of times."""

    def mean(self, value: float) -> float:
        """The mean of a number over the processes, the same on each of them."""
        return sum(self.gather([value])) / self.shard.world

    def gather(self, things: list[T]) -> list[T]:
        """The things of all processes, in the order of their ranks, on each of them."""
        parts: list[Any] = [None] * self.shard.world
        dist.all_gather_object(parts, things, group=self._hosts)
        return [thing for part in parts for thing in part]

    def broadcast(self, state: Iterable[Tensor]) -> None:
        """Copies these tensors of the first process to every other."""
        for tensor in state:
            dist.broadcast(tensor.detach(), 0)


def _devices(settings: Train) -> list[torch.device]:
    """The device of each rank."""
    ids = device_ids(settings)
    if has_gpus():
        return [choose_device((index,)) for index in ids]
    if os.environ.get(ACCELERATOR) == "cpu":
        return [torch.device("cpu") for _ in ids]
    raise FixInput(
        "train.num_gpus must be 1 on a machine without GPUs",
        got=str(len(ids)),
        fix=f"lower it; {ACCELERATOR}=cpu trains with as many processes on the CPU, for tests",
    )
