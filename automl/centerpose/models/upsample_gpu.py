"""Learnable depthwise upsampling on a GPU: cuDNN's transposed convolutions are slow at it."""

from typing import Any

import torch
import triton
from torch import Tensor

from automl.centerpose.models import upsample_passes_gpu as passes

__all__ = ["upsample"]

_TILE, _LANES, _SHRINK_WARPS = 2048, 64, 2
#: Phases and corners that a program of the weight's gradient takes at once, of so many channels.
_PHASES, _ROWS, _GRAD_LANES, _PROGRAMS = 4, 16, 32, 528


class _Upsample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, add: Tensor | None) -> Tensor:
        b, c, h, w = x.shape
        factor = weight.shape[-1] // 2
        taps = weight.float().view(c, -1).t().contiguous()  # (4 f f, C)
        size = (b, c, factor * h, factor * w)
        out = torch.empty(size, device=x.device, dtype=x.dtype, memory_format=torch.channels_last)
        n_cells, lanes, rows, across = _shape(out)
        passes.enlarge[(-(-n_cells // rows), across)](
            x, taps, out if add is None else add, out, n_cells, h, w, c, factor=factor,
            has_add=add is not None, rows=rows, lanes=lanes,
        )  # fmt: skip
        ctx.save_for_backward(x, taps)
        ctx.factor, ctx.has_add = factor, add is not None
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, taps = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        _, c, h, w = x.shape
        of_x = torch.empty_like(x)
        n_cells, lanes, rows, across = _shape(x)
        passes.shrink[(-(-n_cells // rows), across)](
            grad, taps, of_x, n_cells, h, w, c, factor=ctx.factor, rows=rows, lanes=lanes,
            num_warps=_SHRINK_WARPS,
        )  # fmt: skip
        n_corners, n_groups = len(x) * (h + 1) * (w + 1), ctx.factor**2 // _PHASES
        lanes = min(_GRAD_LANES, lanes)
        across = -(-c // lanes)
        n_parts = max(1, min(-(-n_corners // _ROWS), _PROGRAMS // (n_groups * across)))
        parts = torch.empty(n_parts, *taps.shape, device=x.device)
        passes.correlate[(n_groups, n_parts, across)](
            x, grad, parts, n_corners, -(-n_corners // n_parts), h, w, c, factor=ctx.factor,
            phases=_PHASES, rows=_ROWS, lanes=lanes,
        )  # fmt: skip
        side = 2 * ctx.factor
        return of_x, parts.sum(0).t().reshape(c, 1, side, side), grad if ctx.has_add else None


def _shape(x: Tensor) -> tuple[int, int, int, int]:
    """Cells of a map, and the lanes, rows and number across of its tiles."""
    b, c, h, w = x.shape
    lanes = min(_LANES, triton.next_power_of_2(c))
    return b * h * w, lanes, _TILE // lanes, -(-c // lanes)


def upsample(x: Tensor, weight: Tensor, add: Tensor | None) -> Tensor:
    """The transposed convolution of x, and a map of its result's shape added to it.

    Args:
        x: (B, C, H, W).
        weight: (C, 1, 2 f, 2 f), f even.
        add: (B, C, f H, f W).
    """
    x = x.contiguous(memory_format=torch.channels_last)
    if add is not None:
        add = add.to(x.dtype).contiguous(memory_format=torch.channels_last)
    answer: Tensor = _Upsample.apply(x, weight, add)  # type: ignore[no-untyped-call]
    return answer
