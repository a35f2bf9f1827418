"""Views of stored images and their colours: a whole batch at once on any device, or by OpenCV.

The map from an image to a view stretches and shifts each axis by itself, so that where to read
and how to weigh is a short list for each axis; only the reading itself runs over all pixels.
"""

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from automl.centerpose.batches.colour import GRAY_OF_BGR, Colours
from automl.centerpose.batches.crops import Crops
from automl.centerpose.models.kernels import has_kernels
from automl.data.geometry import Array

__all__ = ["crop_views", "crop_with_opencv", "recolour", "show_views"]


def show_views(
    flat: Tensor, crops: Crops, colours: tuple[Tensor, Tensor, Tensor], side: int
) -> Tensor:
    """(B, side, side, 3) fp32: the network's input, cut and coloured.

    Args:
        flat: (P, 3) uint8, the images one after another, with a pixel more at either end.
        crops: Which images, and how they map to the views.
        colours: The fields of ``Colours``: matrix, offset and contrast.
        side: Of a view.
    """
    if has_kernels(flat):
        from automl.centerpose.batches import warp_gpu

        return warp_gpu.show_views(flat, crops, colours, side)
    return recolour(crop_views(flat, crops, side), *colours)


def crop_views(flat: Tensor, crops: Crops, side: int) -> Tensor:
    """(B, side, side, 3) fp32 in [0, 255]: bilinear, with black around the images.

    What ``cv2.warpAffine`` computes, but for its rounding of positions to 1/32 pixel and of
    results to whole numbers.

    Args:
        flat: (P, 3) uint8, the images one after another, with a pixel more at either end.
        crops: Which images, and how they map to the views.
        side: Of a view.
    """
    left, across = _axis(crops, 0, side)
    top, down = _axis(crops, 1, side)
    width, height = (sides.view(-1, 1) for sides in crops.extents.unbind(1))
    left = torch.minimum(left.clamp(min=-1), width - 1)
    # Each read takes two neighbours in a row of the image. One beyond the row's end belongs to
    # another row or image and weighs nothing.
    pairs = flat.as_strided((len(flat) - 1, 6), (3, 1))
    views = torch.zeros(len(left), side, side, 3, device=flat.device)
    for step in (0, 1):
        row = torch.minimum((top + step).clamp(min=0), height - 1)
        first = crops.starts.view(-1, 1) + row * width
        read = pairs[first.unsqueeze(2) + left.unsqueeze(1)]  # (B, side, side, 6)
        for half in (0, 1):
            weight = down[step].unsqueeze(2) * across[half].unsqueeze(1)
            views.addcmul_(read[..., 3 * half : 3 * half + 3], weight.unsqueeze(3))
    return views


def _axis(crops: Crops, axis: int, side: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Along one axis: the pixel before each position (B, side), the weights of it and the next.

    A pixel outside the image weighs 0.
    """
    zoom, shift, extent = (
        values[:, axis : axis + 1] for values in (crops.zoom, crops.shift, crops.extents)
    )
    place = (torch.arange(side, device=zoom.device) - shift) / zoom
    before = place.floor()
    part = place - before
    first = (1.0 - part) * ((before >= 0) & (before < extent))
    second = part * ((before >= -1) & (before < extent - 1))
    return before.long(), (first.float(), second.float())


def recolour(views: Tensor, matrix: Tensor, offset: Tensor, contrast: Tensor) -> Tensor:
    """(B, R, R, 3) fp32: the network's input from views and the fields of ``Colours``.

    Written out by channel: a matrix product would round to TF32 where that is allowed.

    Args:
        views: (B, R, R, 3) fp32.
        matrix: (B, 3, 3).
        offset: (B, 3).
        contrast: (B, 3), times the mean gray of a view.
    """
    means = views.mean((1, 2)).unbind(1)
    gray = torch.stack([part * mean for part, mean in zip(GRAY_OF_BGR, means, strict=True)]).sum(0)
    result = (offset + contrast * gray.unsqueeze(1))[:, None, None].expand(views.shape)
    for channel in range(3):
        column = matrix[:, None, None, :, channel]
        result = torch.addcmul(result, views[..., channel : channel + 1], column)
    return result


def crop_with_opencv(
    image: npt.NDArray[np.uint8],
    affine: Array,
    colours: Colours,
    row: int,
    out: npt.NDArray[np.float32],
) -> None:
    """Makes the network's input from one image, the fastest way on a CPU.

    Args:
        image: (H, W, 3).
        affine: (2, 3) from the image to the view.
        colours: In which colours.
        row: The image's place in them.
        out: (side, side, 3), where it goes.
    """
    crop = cv2.warpAffine(image, affine, out.shape[:2])
    cv2.transform(crop.astype(np.float32), colours.affine(row, cv2.mean(crop)[:3]), dst=out)
