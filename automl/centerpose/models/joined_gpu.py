"""A 1x1 convolution over maps side by side that are never put side by side, on a GPU."""

from collections.abc import Sequence
from typing import Any

import torch
import triton
from torch import Tensor

from automl.centerpose.models import joined_passes_gpu as passes
from automl.centerpose.models.kernels import dot_precision

__all__ = ["can_join", "joined"]

_MOST = 4  # maps
#: Rows, outputs and inputs of a tile, and warps that share it: what is fastest on an H200.
_TILE = {"rows": 128, "lanes": 64, "depth": 64, "num_warps": 4, "num_stages": 3}


class _Joined(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, *maps: Tensor) -> Tensor:
        ctx.save_for_backward(weight, *maps)
        b, _, h, w = maps[0].shape
        size, n_rows = (b, len(weight), h, w), b * h * w
        out = torch.empty(
            size, device=weight.device, dtype=weight.dtype, memory_format=torch.channels_last
        )
        widths = [each.shape[1] for each in maps] + [0] * (_MOST - len(maps))
        given = [*maps, *maps[:1] * (_MOST - len(maps))]
        n_programs = triton.cdiv(n_rows, _TILE["rows"]) * triton.cdiv(len(weight), _TILE["lanes"])
        passes.joined[(n_programs,)](
            *given, weight, out, n_rows, len(weight), *widths, precision=dot_precision(), **_TILE
        )
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        weight, *maps = ctx.saved_tensors
        b, _, h, w = grad.shape
        cells = _cells(grad.contiguous(memory_format=torch.channels_last))
        of_weight = torch.cat([cells.t() @ _cells(each) for each in maps], dim=1)
        of_all = (cells @ weight.flatten(1)).view(b, h, w, -1).permute(0, 3, 1, 2)
        parts = torch.split(of_all, [each.shape[1] for each in maps], dim=1)
        return of_weight.view_as(weight), *parts


def _cells(maps: Tensor) -> Tensor:
    """(B H W, C) the same numbers, of a channels-last map."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)


def can_join(maps: Sequence[Tensor]) -> bool:
    """Whether the kernel is for so many maps and for their widths."""
    return len(maps) <= _MOST and all(each.shape[1] % _TILE["depth"] == 0 for each in maps)


def joined(maps: Sequence[Tensor], weight: Tensor) -> Tensor:
    """The convolution of maps, one after another along the channels, with a weight (C', C, 1, 1).

    Args:
        maps: Two to four, each (B, c, H, W), c a multiple of 64.
        weight: Of the type of the maps.

    Returns:
        (B, C', H, W).
    """
    even = [each.contiguous(memory_format=torch.channels_last) for each in maps]
    found: Tensor = _Joined.apply(weight.contiguous(), *even)  # type: ignore[no-untyped-call]
    return found
