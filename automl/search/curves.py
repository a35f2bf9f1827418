"""What a training would measure, epoch by epoch: the part of a search that takes hours.

A search can be simulated once something answers for the trainings: a recording of real ones, or a
formula. Nothing here trains.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from automl.skill.tree import ParamValue
from automl.study.records import FailureClass

__all__ = ["Curve", "Curves", "Epoch"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch of a training.

    Attributes:
        seconds: Wall seconds of the epoch and of its validation; finite, at least 0.
        metrics: What was reported after it, all finite; empty for an epoch without a validation.
    """

    seconds: float
    metrics: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 <= self.seconds < math.inf:
            raise ValueError(f"an epoch takes 0 seconds or more, but got {self.seconds}")


@dataclass(frozen=True, slots=True)
class Curve:
    """A whole training, or one that failed.

    Attributes:
        epochs: Its epochs in order; of a failed training those that it completed.
        failure: What ended it after its last epoch; None where it ran to its end.
        evidence: One line that shows why it failed.
    """

    epochs: tuple[Epoch, ...]
    failure: FailureClass | None = None
    evidence: str = ""

    @property
    def seconds(self) -> float:
        """Wall seconds of all its epochs."""
        return sum(epoch.seconds for epoch in self.epochs)


class Curves(Protocol):
    """Answers for trainings."""

    @property
    def n_epochs(self) -> int:
        """Epochs of a whole training."""
        ...

    def train(self, params: Mapping[str, ParamValue], seed: int | None) -> Curve:
        """What a training of these settings measures.

        Args:
            params: Dotted key to value, every searched parameter.
            seed: What the training is seeded with; None for the one seed that every trial of a
                search has.

        Returns:
            The training from its first epoch; the same arguments give the same one.
        """
        ...
