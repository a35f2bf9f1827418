"""One optimiser step after another, on a GPU recorded once and replayed.

A step of DLA34 launches 1,600 kernels. Launched one by one from Python they keep a GPU waiting;
recorded as a CUDA graph they are launched all at once, and compute the same. Where
several processes train together the gradients are averaged between two such graphs.
"""

import os
from collections.abc import Callable, Mapping
from typing import Final

import torch
from torch import Tensor, nn

from automl.centerpose.batches.batch import Batch, to_input
from automl.centerpose.models.fan import FAN
from automl.centerpose.training.optimiser import Optimiser
from automl.centerpose.training.process_group import ProcessGroup
from automl.errors import FixInput

__all__ = ["RECORD_VARIABLE", "Losses", "RecordedSteps", "Steps", "can_record"]

RECORD_VARIABLE: Final = "AUTOML_TRAINER_RECORD"
"""Environment variable: ``auto`` (the default) records where it can; ``off`` never does."""

_FIRST = 3  # steps before the recording: kernels are chosen, compiled and set up in them

Losses = Callable[[Tensor, Mapping[str, Tensor]], Tensor]
"""From the network's input (B, 3, R, R) and target maps to the loss, a scalar."""


class Steps:
    """Steps launched one kernel at a time.

    Args:
        losses: Passes a batch through the network.
        optimiser: Learns from the gradients.
        processes: The processes that train together.
    """

    def __init__(self, losses: Losses, optimiser: Optimiser, processes: ProcessGroup) -> None:
        self._losses = losses
        self._optimiser = optimiser
        self._processes = processes

    def take(self, batch: Batch) -> Tensor:
        """One step; returns the loss before it, which a GPU may still be computing."""
        self._optimiser.forget()
        loss = self._gradients(to_input(batch), batch.targets)
        if self._processes.shard.world > 1:
            flat = self._optimiser.gradients()
            self._processes.average(flat)
            self._optimiser.set_gradients(flat)
        self._optimiser.update()
        return loss

    def _gradients(self, images: Tensor, targets: Mapping[str, Tensor]) -> Tensor:
        loss = self._losses(images, targets)
        self._optimiser.backward(loss)
        return loss.detach()


class RecordedSteps(Steps):
    """Steps of which the first few are launched kernel by kernel and the others replayed.

    Every batch must have the shapes of the first. Between the steps weights may be read, and
    changed in place, but the gradients belong to the recording.

    Args:
        losses: Passes a batch through the network.
        optimiser: Learns from the gradients; its rate must be a tensor.
        processes: The processes that train together.
    """

    def __init__(self, losses: Losses, optimiser: Optimiser, processes: ProcessGroup) -> None:
        super().__init__(losses, optimiser, processes)
        self._taken = 0
        self._graphs: list[torch.cuda.CUDAGraph] = []
        self._flat: Tensor | None = None

    def take(self, batch: Batch) -> Tensor:
        """One step; returns the loss before it, which the GPU may still be computing."""
        self._taken += 1
        if self._taken <= _FIRST:
            return super().take(batch)
        if not self._graphs:
            self._record(batch)
        self._images.copy_(batch.images)
        for name, value in batch.targets.items():
            self._targets[name].copy_(value)
        first, *others = self._graphs
        first.replay()
        if self._flat is not None:
            self._processes.average(self._flat)
        for graph in others:
            graph.replay()
        return self._loss

    def _record(self, batch: Batch) -> None:
        """Records a step; nothing is computed."""
        self._images = torch.empty_like(batch.images)
        self._targets = {name: torch.empty_like(value) for name, value in batch.targets.items()}
        self._optimiser.forget()  # so that the recording brings gradients of its own
        torch.cuda.empty_cache()  # and memory, beside which what the first steps held is too much
        together = self._processes.shard.world > 1
        graph = torch.cuda.CUDAGraph()
        with _recording(graph):
            self._loss = self._gradients(self._images.permute(0, 3, 1, 2), self._targets)
            if together:
                self._flat = self._optimiser.gradients()
            else:
                self._optimiser.update()
        self._graphs.append(graph)
        if self._flat is not None:
            then = torch.cuda.CUDAGraph()
            with _recording(then, graph):
                self._optimiser.set_gradients(self._flat)
                self._optimiser.update()
            self._graphs.append(then)


def _recording(
    graph: torch.cuda.CUDAGraph, before: torch.cuda.CUDAGraph | None = None
) -> torch.cuda.graph:
    # Loader threads page-lock memory meanwhile, which a recording of all threads would forbid.
    pool = None if before is None else before.pool()
    return torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local")


def can_record(network: nn.Module, device: torch.device) -> bool:
    """Whether the steps of a training can be recorded.

    Not where a network computes parts of its forward pass again in the backward pass, with the
    random state of the first, which a recording cannot set.

    Raises:
        FixInput: The environment variable has neither of its values.
    """
    wish = os.environ.get(RECORD_VARIABLE, "auto")
    if wish not in {"auto", "off"}:
        raise FixInput("must be auto or off", got=wish, where=RECORD_VARIABLE)
    again = isinstance(network, FAN) and network.backbone.checkpointing
    return wish == "auto" and device.type == "cuda" and not again
