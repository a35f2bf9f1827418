"""How far a training has come, and what the learning rate is there."""

from dataclasses import dataclass, replace

from automl.errors import FixInput
from automl.trainers.contract import CheckpointName

__all__ = ["Position", "Schedule"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """The learning rate over the epochs.

    Attributes:
        lr: Rate of the first epoch.
        steps: Epochs from which on it is lower.
        decay: Factor at each of them.
    """

    lr: float
    steps: tuple[int, ...]
    decay: float

    def at(self, epoch: int) -> float:
        """The rate of an epoch, counted from 0."""
        return self.lr * self.decay ** sum(step <= epoch for step in self.steps)


@dataclass(slots=True)
class Position:
    """A place within a training.

    Attributes:
        epoch: The epoch in progress, from 0.
        batch: Batches of it that were learnt; each holds the images of all devices.
        step: Optimiser steps over all epochs.
        loss_sum: Sum of the losses of the epoch's batches so far.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0

    def name(self) -> CheckpointName:
        """The name of a checkpoint written here: the epoch is the last one begun."""
        return CheckpointName(self.epoch if self.batch else max(0, self.epoch - 1), self.step)

    def in_batches_of(self, images: int, *, instead_of: int) -> "Position":
        """The same place where a batch holds another number of images, over all devices.

        The order of an epoch's images depends on neither number, so a place that both count in
        whole batches is the same place.

        Args:
            images: Images a batch from here on.
            instead_of: Images a batch up to here.

        Raises:
            FixInput: The place lies within a batch of the new size.
        """
        learnt = self.batch * instead_of
        if learnt % images:
            raise FixInput(
                "a training interrupted within an epoch must go on with as many images a step, or "
                "with a number that divides what it has learnt of the epoch",
                got=f"{images} a step after {self.batch} steps of {instead_of}",
                where="dataset.batch_size x train.num_gpus",
                fix="resume from a checkpoint at the end of an epoch, or as it was started",
            )
        loss_sum = self.loss_sum * instead_of / images
        return replace(self, batch=learnt // images, loss_sum=loss_sum)
