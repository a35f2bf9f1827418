"""Convolutions of few channels over large maps, computed four or sixteen cells at a time on a GPU.

A convolution from 16 to 16 channels leaves most of a matrix unit idle. Folding each 2 x 2 cells of
a map into one cell with four times the channels turns it into one from 64 to 64 channels over a
quarter of the cells: more arithmetic, much of it with zeros, but in a fraction of the time. An
image of three channels is folded by 4 x 4.

A folded map (B, 4 C, H/2, W/2) has channels in the order (row of the cell, column, C), so that in
channels-last memory it is a map (B, C, H/2, 2 W) as well: what treats each channel on its own,
such as batch normalisation, may look at it so. Folded by 4 x 4 it has them in the order (row and
column of a 2 x 2 block, row and column within it, C): but for the order of the lines of a block
that is the memory of the map folded by 2 x 2.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.centerpose.models.convolve import with_weight

__all__ = ["fold", "folded_conv", "per_cell", "unfolded_once"]

_TWICE = 2  # folded by 4 x 4 is folded by 2 x 2 twice


def fold(x: Tensor, factor: int) -> Tensor:
    """A map (B, C, H, W) folded by ``factor`` along each axis, rows before columns before C.

    At mixed precision it is written as convolutions will read it.
    """
    b, c, h, w = x.shape
    kind = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else x.dtype
    cells = x.permute(0, 2, 3, 1).reshape(b, h // factor, factor, w // factor, factor, c)
    cells = cells.transpose(2, 3).to(kind, memory_format=torch.contiguous_format)
    return cells.reshape(b, h // factor, w // factor, factor**2 * c).permute(0, 3, 1, 2)


def folded_conv(x: Tensor, layer: nn.Conv2d) -> Tensor:
    """What ``layer`` makes of a map, from the folded map.

    Args:
        x: (B, f^2 C, H/f, W/f), the folded map.
        layer: From C to C' channels, without bias, of odd kernel size, padded to keep the size at
            stride 1.

    Returns:
        The result folded likewise, (B, f^2 C', H/f, W/f), where the layer's stride is 1; where it
        is f, the result as it is, (B, C', H/f, W/f).
    """
    factor = round((x.shape[1] // layer.in_channels) ** 0.5)
    weight = _folded_weight(layer.weight, factor, phases=factor // layer.stride[0])
    return with_weight(x, weight)


def per_cell(x: Tensor, layer: Callable[[Tensor], Tensor], factor: int = 2) -> Tensor:
    """A map folded by ``factor`` through what treats each channel of the plain one on its own."""
    (b, c, h, w), n = x.shape, factor**2
    cells = x.permute(0, 2, 3, 1).reshape(b, h, n * w, c // n).permute(0, 3, 1, 2)
    done = layer(cells).permute(0, 2, 3, 1)
    return done.reshape(b, h, w, c).permute(0, 3, 1, 2)


def unfolded_once(x: Tensor) -> Tensor:
    """(B, 4 C, 2 H, 2 W) folded by 2 x 2, from (B, 16 C, H, W) folded by 4 x 4."""
    b, c, h, w = x.shape
    lines = x.permute(0, 2, 3, 1).reshape(b, h, w, _TWICE, _TWICE * c // 4).transpose(2, 3)
    return lines.reshape(b, _TWICE * h, _TWICE * w, c // 4).permute(0, 3, 1, 2)


def _folded_weight(weight: Tensor, factor: int, phases: int) -> Tensor:
    """The weight between folded maps.

    Along an axis, cell d of the kernel, phase p within it, serves the result's phase a with the
    tap at f d + p - a in pixels, where there is one: a window into the padded weight, one to the
    left for each phase more.

    Args:
        weight: (C', C, K, K), K odd.
        factor: f.
        phases: Results a cell along an axis: f, or 1 where the stride is f.

    Returns:
        (phases^2 C', f^2 C, D, D).
    """
    outputs, inputs, size = weight.shape[:3]
    half = size // 2
    reach = -(-half // factor)
    cells = 2 * reach + 1
    left, right = factor * reach + phases - 1 - half, factor * (reach + 1) - 1 - half
    padded = functional.pad(weight, (left, right, left, right))
    windows = padded.unfold(2, factor * cells, 1).unfold(3, factor * cells, 1).flip(2, 3)
    blocks = phases // _TWICE if phases > _TWICE else 1
    within = phases // blocks
    parts = windows.reshape(
        outputs, inputs, blocks, within, blocks, within, cells, factor, cells, factor
    )  # C', C, R, r, S, s, D, p, D, q
    joined = parts.permute(2, 4, 3, 5, 0, 7, 9, 1, 6, 8)  # R, S, r, s, C', p, q, C, D, D
    return joined.reshape(phases**2 * outputs, factor**2 * inputs, cells, cells)
