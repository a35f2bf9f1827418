"""The passes over a map that normalisation consists of, as Triton kernels.

A channels-last map (B, C, H, W) is a matrix with a row a cell and a column a channel. Rows that
share statistics are a *section*: all of them, or those of one image. Sums are taken of differences
from the first row, so that a large mean costs no digits, and section by section in parts.
"""

import triton
import triton.language as tl

__all__ = [
    "apply",
    "apply_grad",
    "finish_batch",
    "finish_batch_grad",
    "grad_moments",
    "moments",
]


@triton.jit
def moments(  # type: ignore[no-untyped-def]
    x, parts, n_rows, part_rows, n_parts, channels, rows: tl.constexpr, lanes: tl.constexpr
):  # fmt: skip
    """Sums, over a part of a section, of x and of its square, both less the first row."""
    section, part = tl.program_id(0) // n_parts, tl.program_id(0) % n_parts
    channel = tl.program_id(1) * lanes + tl.arange(0, lanes)
    inside = channel < channels
    pivot = tl.load(x + channel, mask=inside, other=0.0).to(tl.float32)[None]
    one = tl.zeros((rows, lanes), tl.float32)
    two = tl.zeros((rows, lanes), tl.float32)
    for start in range(0, part_rows, rows):
        within = start + tl.arange(0, rows)
        row = part * part_rows + within
        mask = ((row < n_rows) & (within < part_rows))[:, None] & inside[None]
        place = (section.to(tl.int64) * n_rows + row)[:, None] * channels + channel[None]
        value = tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
        value = tl.where(mask, value - pivot, 0.0)
        one += value
        two += value * value
    place = tl.program_id(0) * 2 * channels + channel
    tl.store(parts + place, tl.sum(one, 0), mask=inside)
    tl.store(parts + place + channels, tl.sum(two, 0), mask=inside)


@triton.jit
def grad_moments(  # type: ignore[no-untyped-def]
    x, y, grad, parts, n_rows, part_rows, n_parts, channels, relu: tl.constexpr,
    rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Sums, over a part of a section, of the gradient, alone and times x less the first row."""
    section, part = tl.program_id(0) // n_parts, tl.program_id(0) % n_parts
    channel = tl.program_id(1) * lanes + tl.arange(0, lanes)
    inside = channel < channels
    pivot = tl.load(x + channel, mask=inside, other=0.0).to(tl.float32)[None]
    one = tl.zeros((rows, lanes), tl.float32)
    two = tl.zeros((rows, lanes), tl.float32)
    for start in range(0, part_rows, rows):
        within = start + tl.arange(0, rows)
        row = part * part_rows + within
        mask = ((row < n_rows) & (within < part_rows))[:, None] & inside[None]
        place = (section.to(tl.int64) * n_rows + row)[:, None] * channels + channel[None]
        given = tl.load(grad + place, mask=mask, other=0.0).to(tl.float32)
        if relu:
            given = tl.where(tl.load(y + place, mask=mask, other=0.0) > 0, given, 0.0)
        value = tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
        one += given
        two += given * (value - pivot)
    place = tl.program_id(0) * 2 * channels + channel
    tl.store(parts + place, tl.sum(one, 0), mask=inside)
    tl.store(parts + place + channels, tl.sum(two, 0), mask=inside)


@triton.jit
def apply(  # type: ignore[no-untyped-def]
    x, add, out, scale, shift, n_rows, n_blocks, channels, relu: tl.constexpr,
    has_add: tl.constexpr, rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Writes x * scale + shift, with what is to be added, rectified if wished."""
    section, block = tl.program_id(0) // n_blocks, tl.program_id(0) % n_blocks
    channel = tl.program_id(1) * lanes + tl.arange(0, lanes)
    row = block * rows + tl.arange(0, rows)
    inside = channel < channels
    mask = (row < n_rows)[:, None] & inside[None]
    place = (section.to(tl.int64) * n_rows + row)[:, None] * channels + channel[None]
    own = section * channels + channel
    value = tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
    value = value * tl.load(scale + own, mask=inside, other=0.0)[None]
    value += tl.load(shift + own, mask=inside, other=0.0)[None]
    if has_add:
        value += tl.load(add + place, mask=mask, other=0.0).to(tl.float32)
    if relu:
        value = tl.maximum(value, 0.0)
    tl.store(out + place, value.to(out.dtype.element_ty), mask=mask)


@triton.jit
def apply_grad(  # type: ignore[no-untyped-def]
    x, y, grad, of_x, of_add, by_grad, by_x, rest, n_rows, n_blocks, channels,
    relu: tl.constexpr, has_add: tl.constexpr, rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """The gradients of x and of what was added, from three terms a channel."""
    section, block = tl.program_id(0) // n_blocks, tl.program_id(0) % n_blocks
    channel = tl.program_id(1) * lanes + tl.arange(0, lanes)
    row = block * rows + tl.arange(0, rows)
    inside = channel < channels
    mask = (row < n_rows)[:, None] & inside[None]
    place = (section.to(tl.int64) * n_rows + row)[:, None] * channels + channel[None]
    own = section * channels + channel
    given = tl.load(grad + place, mask=mask, other=0.0).to(tl.float32)
    if relu:
        given = tl.where(tl.load(y + place, mask=mask, other=0.0) > 0, given, 0.0)
    if has_add:
        tl.store(of_add + place, given.to(of_add.dtype.element_ty), mask=mask)
    value = tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
    found = given * tl.load(by_grad + own, mask=inside, other=0.0)[None]
    found += value * tl.load(by_x + own, mask=inside, other=0.0)[None]
    found += tl.load(rest + own, mask=inside, other=0.0)[None]
    tl.store(of_x + place, found.to(of_x.dtype.element_ty), mask=mask)


@triton.jit
def finish_batch(  # type: ignore[no-untyped-def]
    parts, n_parts, x, weight, bias, running_mean, running_var, momentum, epsilon, n_rows,
    channels, stats, depth: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Writes each channel's mean, 1 / deviation, scale and shift; moves what runs along."""
    channel = tl.program_id(0) * lanes + tl.arange(0, lanes)
    inside = channel < channels
    one = tl.zeros((depth, lanes), tl.float32)
    two = tl.zeros((depth, lanes), tl.float32)
    for start in range(0, n_parts, depth):
        part = start + tl.arange(0, depth)
        place = part[:, None] * 2 * channels + channel[None]
        mask = (part < n_parts)[:, None] & inside[None]
        one += tl.load(parts + place, mask=mask, other=0.0)
        two += tl.load(parts + place + channels, mask=mask, other=0.0)
    off = tl.sum(one, 0) / n_rows
    variance = tl.maximum(tl.sum(two, 0) / n_rows - off * off, 0.0)
    mean = off + tl.load(x + channel, mask=inside, other=0.0).to(tl.float32)
    rate = 1.0 / tl.sqrt(variance + epsilon)
    scale = rate * tl.load(weight + channel, mask=inside, other=0.0)
    shift = tl.load(bias + channel, mask=inside, other=0.0) - mean * scale
    tl.store(stats + channel, mean, mask=inside)
    tl.store(stats + channels + channel, rate, mask=inside)
    tl.store(stats + 2 * channels + channel, scale, mask=inside)
    tl.store(stats + 3 * channels + channel, shift, mask=inside)
    old = tl.load(running_mean + channel, mask=inside, other=0.0)
    tl.store(running_mean + channel, old + momentum * (mean - old), mask=inside)
    old = tl.load(running_var + channel, mask=inside, other=0.0)
    unbiased = variance * (n_rows / tl.maximum(n_rows - 1.0, 1.0))
    tl.store(running_var + channel, old + momentum * (unbiased - old), mask=inside)


@triton.jit
def finish_batch_grad(  # type: ignore[no-untyped-def]
    parts, n_parts, x, stats, n_rows, channels, found, depth: tl.constexpr, lanes: tl.constexpr
):
    """Writes the gradients of weight and bias, and the terms by x and alone of x's own."""
    channel = tl.program_id(0) * lanes + tl.arange(0, lanes)
    inside = channel < channels
    one = tl.zeros((depth, lanes), tl.float32)
    two = tl.zeros((depth, lanes), tl.float32)
    for start in range(0, n_parts, depth):
        part = start + tl.arange(0, depth)
        place = part[:, None] * 2 * channels + channel[None]
        mask = (part < n_parts)[:, None] & inside[None]
        one += tl.load(parts + place, mask=mask, other=0.0)
        two += tl.load(parts + place + channels, mask=mask, other=0.0)
    of_bias, with_x = tl.sum(one, 0), tl.sum(two, 0)
    mean = tl.load(stats + channel, mask=inside, other=0.0)
    rate = tl.load(stats + channels + channel, mask=inside, other=0.0)
    scale = tl.load(stats + 2 * channels + channel, mask=inside, other=0.0)
    pivot = tl.load(x + channel, mask=inside, other=0.0).to(tl.float32)
    of_weight = rate * (with_x - (mean - pivot) * of_bias)
    by_x = -scale * rate * of_weight / n_rows
    tl.store(found + channel, of_weight, mask=inside)
    tl.store(found + channels + channel, of_bias, mask=inside)
    tl.store(found + 2 * channels + channel, by_x, mask=inside)
    rest = -scale * of_bias / n_rows - by_x * mean
    tl.store(found + 3 * channels + channel, rest, mask=inside)
