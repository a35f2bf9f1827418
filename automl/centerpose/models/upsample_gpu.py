"""Learnable depthwise upsampling in Triton: cuDNN's transposed convolutions are slow at it.

A channels-last map is a matrix with a row a cell and a column a channel. Along an axis, result y
lies between coarse cells j and j - 1, j = (y + f / 2) // f, and weighs them with taps k and k + f
of the kernel, k = (y + f / 2) % f.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

__all__ = ["upsample"]

_TILE, _LANES, _PROGRAMS = 2048, 64, 1056


@triton.jit
def _enlarge(  # type: ignore[no-untyped-def]
    x, taps, add, out, n_cells, height, width, channels, factor: tl.constexpr,
    has_add: tl.constexpr, rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    cell = tl.program_id(0) * rows + tl.arange(0, rows)
    channel = tl.program_id(1) * lanes + tl.arange(0, lanes)
    inside = channel < channels
    mask = (cell < n_cells)[:, None] & inside[None]
    across = cell % (width * factor) + factor // 2
    down = (cell // (width * factor)) % (height * factor) + factor // 2
    image = cell // (width * factor * height * factor)
    total = tl.zeros((rows, lanes), tl.float32)
    for d in tl.static_range(4):
        i, j = down // factor - d // 2, across // factor - d % 2
        tap = (down % factor + factor * (d // 2)) * (2 * factor) + across % factor
        tap += factor * (d % 2)
        there = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        source = ((image * height + i) * width + j).to(tl.int64)[:, None] * channels
        value = tl.load(x + source + channel[None], mask=mask & there[:, None], other=0.0)
        weight = tl.load(taps + tap[:, None] * channels + channel[None], mask=mask, other=0.0)
        total += value.to(tl.float32) * weight
    place = cell.to(tl.int64)[:, None] * channels + channel[None]
    if has_add:
        total += tl.load(add + place, mask=mask, other=0.0).to(tl.float32)
    tl.store(out + place, total.to(out.dtype.element_ty), mask=mask)


@triton.jit
def _shrink(  # type: ignore[no-untyped-def]
    grad, taps, of_x, n_cells, height, width, channels, factor: tl.constexpr,
    rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    cell = tl.program_id(0) * rows + tl.arange(0, rows)
    channel = tl.program_id(1) * lanes + tl.arange(0, lanes)
    mask = (cell < n_cells)[:, None] & (channel < channels)[None]
    across, down = cell % width, (cell // width) % height
    image = cell // (width * height)
    total = tl.zeros((rows, lanes), tl.float32)
    for tap in range(4 * factor * factor):
        y = down * factor + tap // (2 * factor) - factor // 2
        at = across * factor + tap % (2 * factor) - factor // 2
        there = (y >= 0) & (y < height * factor) & (at >= 0) & (at < width * factor)
        source = (image * height * factor + y) * (width * factor) + at
        place = source.to(tl.int64)[:, None] * channels + channel[None]
        value = tl.load(grad + place, mask=mask & there[:, None], other=0.0).to(tl.float32)
        weight = tl.load(taps + tap * channels + channel, mask=channel < channels, other=0.0)
        total += value * weight[None]
    place = cell.to(tl.int64)[:, None] * channels + channel[None]
    tl.store(of_x + place, total.to(of_x.dtype.element_ty), mask=mask)


@triton.jit
def _correlate(  # type: ignore[no-untyped-def]
    x, grad, parts, n_cells, part_cells, height, width, channels, factor: tl.constexpr,
    rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    tap, part = tl.program_id(0), tl.program_id(1)
    channel = tl.program_id(2) * lanes + tl.arange(0, lanes)
    inside = channel < channels
    total = tl.zeros((rows, lanes), tl.float32)
    for start in range(0, part_cells, rows):
        within = start + tl.arange(0, rows)
        cell = part * part_cells + within
        across, down = cell % width, (cell // width) % height
        image = cell // (width * height)
        y = down * factor + tap // (2 * factor) - factor // 2
        at = across * factor + tap % (2 * factor) - factor // 2
        there = (y >= 0) & (y < height * factor) & (at >= 0) & (at < width * factor)
        there = there & (cell < n_cells) & (within < part_cells)
        mask = there[:, None] & inside[None]
        source = (image * height * factor + y) * (width * factor) + at
        place = source.to(tl.int64)[:, None] * channels + channel[None]
        given = tl.load(grad + place, mask=mask, other=0.0).to(tl.float32)
        place = cell.to(tl.int64)[:, None] * channels + channel[None]
        total += given * tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
    place = (part * (4 * factor * factor) + tap) * channels + channel
    tl.store(parts + place, tl.sum(total, 0), mask=inside)


class _Upsample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, add: Tensor | None) -> Tensor:
        b, c, h, w = x.shape
        factor = weight.shape[-1] // 2
        taps = weight.float().view(c, -1).t().contiguous()  # (4 f f, C)
        size = (b, c, factor * h, factor * w)
        out = torch.empty(size, device=x.device, dtype=x.dtype, memory_format=torch.channels_last)
        n_cells, lanes, rows, across = _shape(out)
        _enlarge[(-(-n_cells // rows), across)](
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
        n_blocks = -(-n_cells // rows)
        _shrink[(n_blocks, across)](
            grad, taps, of_x, n_cells, h, w, c, factor=ctx.factor, rows=rows, lanes=lanes
        )
        n_parts = max(1, min(n_blocks, _PROGRAMS // (len(taps) * across)))
        parts = torch.empty(n_parts, *taps.shape, device=x.device)
        _correlate[(len(taps), n_parts, across)](
            x, grad, parts, n_cells, -(-n_cells // n_parts), h, w, c, factor=ctx.factor,
            rows=rows, lanes=lanes,
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
