"""Convolutions of few channels over large maps, computed four cells at a time on a GPU.

A convolution from 16 to 16 channels leaves most of a matrix unit idle. Folding each 2 x 2 cells of
a map into one cell with four times the channels turns it into one from 64 to 64 channels over a
quarter of the cells: more arithmetic, much of it with zeros, but in a fraction of the time.

A folded map (B, 4 C, H/2, W/2) has channels in the order (row of the cell, column, C), so that in
channels-last memory it is a map (B, C, H/2, 2 W) as well: what treats each channel on its own,
such as batch normalisation, may look at it so.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["fold", "folded_conv", "per_cell"]

_LANES = 16  # matrix units want channels by the sixteen


def fold(x: Tensor) -> Tensor:
    """A map (B, C, H, W), H and W even, folded."""
    b, c, h, w = x.shape
    cells = x.permute(0, 2, 3, 1).reshape(b, h // 2, 2, w // 2, 2, c)
    return cells.transpose(2, 3).reshape(b, h // 2, w // 2, 4 * c).permute(0, 3, 1, 2)


def folded_conv(x: Tensor, layer: nn.Conv2d) -> Tensor:
    """What ``layer`` makes of a map, from the folded map.

    Args:
        x: (B, 4 C, H/2, W/2), the folded map.
        layer: From C to C' channels, without bias, of odd kernel size, padded to keep the size at
            stride 1.

    Returns:
        The result folded, (B, 4 C', H/2, W/2), where the layer's stride is 1; where it is 2, the
        result as it is, (B, C', H/2, W/2).
    """
    weight = _folded_weight(layer.weight, phases=2 // layer.stride[0])
    n_more = -x.shape[1] % _LANES
    if n_more:
        x = functional.pad(x, (0, 0, 0, 0, 0, n_more))
        weight = functional.pad(weight, (0, 0, 0, 0, 0, n_more))
    return functional.conv2d(x, weight, padding=weight.shape[-1] // 2)


def per_cell(x: Tensor, layer: Callable[[Tensor], Tensor]) -> Tensor:
    """A folded map through what treats each channel of the unfolded one on its own."""
    b, c, h, w = x.shape
    cells = x.permute(0, 2, 3, 1).reshape(b, h, 4 * w, c // 4).permute(0, 3, 1, 2)
    done = layer(cells).permute(0, 2, 3, 1)
    return done.reshape(b, h, w, c).permute(0, 3, 1, 2)


def _folded_weight(weight: Tensor, phases: int) -> Tensor:
    """The weight between folded maps.

    Cell d of the kernel, phase p within it, serves the result's phase a with the tap at
    2 d + p - a in pixels, where there is one.

    Args:
        weight: (C', C, K, K), K odd.
        phases: Results a cell along an axis: 2, or 1 for stride 2.

    Returns:
        (phases^2 C', 4 C, D, D).
    """
    outputs, inputs, size = weight.shape[:3]
    n_cells = 2 * ((size // 2 + 1) // 2) + 1
    reach = n_cells // 2
    left = 2 * reach + 1 - size // 2
    padded = functional.pad(weight, (left, 2, left, 2))
    parts = []
    for a in range(phases):
        for b in range(phases):
            # Along an axis, place left - 2 reach + size // 2 is the first pixel of the first cell.
            top, side = (left - 2 * reach + size // 2 - phase for phase in (a, b))
            square = padded[..., top : top + 2 * n_cells, side : side + 2 * n_cells]
            parts.append(square.reshape(outputs, inputs, n_cells, 2, n_cells, 2))
    joined = torch.stack(parts).permute(0, 1, 4, 6, 2, 3, 5)  # (phases^2, C', p, q, C, D, D)
    return joined.reshape(-1, 4 * inputs, n_cells, n_cells)
