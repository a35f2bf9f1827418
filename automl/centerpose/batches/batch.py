"""B images for the network, and how they become its input."""

from dataclasses import dataclass

import torch
from torch import Tensor

from automl.centerpose.evaluation.evaluator import ImageMeta

__all__ = ["Batch", "to_input"]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B images for the network.

    Attributes:
        images: (B, R, R, 3) fp32, blue, green, red: augmented and normalised.
        targets: The maps of ``draw_targets``; empty where nobody asked.
        metas: What scoring needs to know of each image; empty where nobody asked.
    """

    images: Tensor
    targets: dict[str, Tensor]
    metas: tuple[ImageMeta, ...]

    def to(self, device: torch.device) -> "Batch":
        """The batch on another device."""
        targets = {name: value.to(device) for name, value in self.targets.items()}
        return Batch(self.images.to(device), targets, self.metas)


def to_input(batch: Batch) -> Tensor:
    """(B, 3, R, R) fp32 in channels-last layout: what the network is given."""
    return batch.images.permute(0, 3, 1, 2)
