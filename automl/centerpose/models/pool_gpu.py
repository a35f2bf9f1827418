"""The largest of each 2 x 2 cells, in Triton.

torch's own kernel for channels-last maps takes several times what moving the numbers takes. This
one keeps no indices: where the largest was is seen again in the backward pass.
"""

from typing import Any

import torch
import triton
from torch import Tensor

from automl.centerpose.models import pool_passes_gpu as passes

__all__ = ["pool"]

_TILE, _LANES = 1024, 64


class _Pool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        out = torch.empty(
            (b, c, h // 2, w // 2),
            device=x.device,
            dtype=x.dtype,
            memory_format=torch.channels_last,
        )
        grid, tile = _shape(out)
        passes.largest[grid](x, out, out.numel() // c, w // 2, c, **tile)
        ctx.save_for_backward(x)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        of_x = torch.empty_like(x)
        c = x.shape[1]
        grid, tile = _shape(grad)
        passes.largest_grad[grid](x, grad, of_x, grad.numel() // c, grad.shape[3], c, **tile)
        return of_x


def _shape(out: Tensor) -> tuple[tuple[int, int], dict[str, Any]]:
    """The grid of programs for a result, and their tile."""
    channels = out.shape[1]
    lanes = min(_LANES, triton.next_power_of_2(channels))
    rows = _TILE // lanes
    grid = (-(-out.numel() // channels // rows), -(-channels // lanes))
    return grid, {"rows": rows, "lanes": lanes}


def pool(x: Tensor) -> Tensor:
    """(B, C, H / 2, W / 2): the largest of each 2 x 2 cells of x, whose H and W are even."""
    answer: Tensor = _Pool.apply(x.contiguous(memory_format=torch.channels_last))  # type: ignore[no-untyped-call]
    return answer
