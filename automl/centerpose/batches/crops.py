"""What is cut from the stored images of a batch."""

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Crops"]


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """What to cut from which images, B of them.

    Attributes:
        starts: (B,) int64 row of each image's first pixel in the flat tensor.
        extents: (B, 2) int64 width and height.
        zoom: (B, 2) fp64 of ``AxisMaps``, from the image to the view.
        shift: (B, 2) fp64 likewise.
    """

    starts: Tensor
    extents: Tensor
    zoom: Tensor
    shift: Tensor
