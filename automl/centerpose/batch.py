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
        images: (B, R, R, 3), blue, green, red: uint8 views as cut from the stored images, or the
            network's input itself in fp32.
        colour: (B, 3, 4) takes a pixel's colour and 1 to the network's input; None where
            the images are that already.
        targets: The maps of ``draw_targets``; empty for scoring.
        metas: What scoring needs to know of each image; empty for training.
    """

    images: Tensor
    colour: Tensor | None
    targets: dict[str, Tensor]
    metas: tuple[ImageMeta, ...]

    def to(self, device: torch.device) -> "Batch":
        """The batch on another device."""
        targets = {name: value.to(device) for name, value in self.targets.items()}
        colour = None if self.colour is None else self.colour.to(device)
        return Batch(self.images.to(device), colour, targets, self.metas)


def to_input(batch: Batch) -> Tensor:
    """(B, 3, R, R) fp32 in channels-last layout: the batch's colours, augmented and normalised."""
    if batch.colour is None:
        return batch.images.permute(0, 3, 1, 2)
    n, side, _, _ = batch.images.shape
    pixels = batch.images.float()
    matrix, offset = batch.colour[:, :, :3], batch.colour[:, None, :, 3]
    factors = matrix.diagonal(dim1=1, dim2=2)  # (B, 3)
    if torch.equal(matrix, torch.diag_embed(factors)):
        # No channel mixes with another, as is so without colour augmentation. Whole rows of
        # factors keep the inner loop long: a tenth of the time of the product on a CPU.
        rows = pixels.view(n, side, side * 3)
        rows.mul_(factors[:, None].repeat(1, 1, side)).add_(offset.repeat(1, 1, side))
        return pixels.permute(0, 3, 1, 2)
    mixed = torch.baddbmm(offset, pixels.view(n, -1, 3), matrix.transpose(1, 2))
    return mixed.view(n, side, side, 3).permute(0, 3, 1, 2)
