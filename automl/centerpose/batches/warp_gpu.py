"""A batch of views in their colours on a GPU: each pixel is read where it lies and written once.

As operators of torch the same takes fifteen passes over maps of the input's size.
"""

import torch
import triton
from torch import Tensor

from automl.centerpose.batches import warp_passes_gpu as passes
from automl.centerpose.batches.colour import GRAY_OF_BGR
from automl.centerpose.batches.crops import Crops

__all__ = ["show_views"]


def show_views(
    flat: Tensor, crops: Crops, colours: tuple[Tensor, Tensor, Tensor], side: int
) -> Tensor:
    """(B, side, side, 3) fp32: what ``crop_views`` and ``recolour`` give one after the other.

    Args:
        flat: (P, 3) uint8, the images one after another, with a pixel more at either end.
        crops: Which images, and how they map to the views.
        colours: The fields of ``Colours``: matrix, offset and contrast.
        side: Of a view.
    """
    b = len(crops.starts)
    out = torch.empty(b, side, side, 3, device=flat.device)
    grays = torch.empty(b, side, device=flat.device)
    place = (crops.starts, crops.extents, crops.zoom, crops.shift)
    lanes = triton.next_power_of_2(side)
    passes.row_grays[(side, b)](flat, *place, grays, side, *GRAY_OF_BGR, lanes=lanes)
    passes.show_rows[(side, b)](flat, *place, *colours, grays, out, side, lanes=lanes)
    return out
