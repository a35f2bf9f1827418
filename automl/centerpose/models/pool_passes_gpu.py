"""The largest of each 2 x 2 cells of a map, and where its gradient goes, as Triton kernels.

A channels-last map (B, C, H, W) is a matrix with a row a cell and a column a channel.
"""

import triton
import triton.language as tl

__all__ = ["largest", "largest_grad"]


@triton.jit
def _corner(row, width, channels):  # type: ignore[no-untyped-def]
    """Where the upper left of a result's four cells is; the result has ``width`` cells a line."""
    line, across = row // width, row % width
    return (line.to(tl.int64) * 4 * width + 2 * across)[:, None] * channels


@triton.jit
def _four(x, place, width, channels, mask):  # type: ignore[no-untyped-def]
    below = place + 2 * width * channels
    one = tl.load(x + place, mask=mask, other=0.0)
    two = tl.load(x + place + channels, mask=mask, other=0.0)
    three = tl.load(x + below, mask=mask, other=0.0)
    four = tl.load(x + below + channels, mask=mask, other=0.0)
    return one, two, three, four


@triton.jit
def _max(one, other):  # type: ignore[no-untyped-def]
    return tl.maximum(one, other, propagate_nan=tl.PropagateNan.ALL)


@triton.jit(do_not_specialize=["n_rows", "width"])
def largest(  # type: ignore[no-untyped-def]
    x, out, n_rows, width, channels, rows: tl.constexpr, lanes: tl.constexpr
):
    """Writes the largest of each four."""
    row = tl.program_id(0) * rows + tl.arange(0, rows)
    channel = tl.program_id(1) * lanes + tl.arange(0, lanes)[None]
    mask = (row < n_rows)[:, None] & (channel < channels)
    place = _corner(row, width, channels) + channel
    one, two, three, four = _four(x, place, width, channels, mask)
    found = _max(_max(one, two), _max(three, four))
    tl.store(out + row.to(tl.int64)[:, None] * channels + channel, found, mask=mask)


@triton.jit(do_not_specialize=["n_rows", "width"])
def largest_grad(  # type: ignore[no-untyped-def]
    x, grad, of_x, n_rows, width, channels, rows: tl.constexpr, lanes: tl.constexpr
):
    """Gives the gradient to the first of four that is the largest, and nothing to the others."""
    row = tl.program_id(0) * rows + tl.arange(0, rows)
    channel = tl.program_id(1) * lanes + tl.arange(0, lanes)[None]
    mask = (row < n_rows)[:, None] & (channel < channels)
    place = _corner(row, width, channels) + channel
    one, two, three, four = _four(x, place, width, channels, mask)
    most = _max(_max(one, two), _max(three, four))
    given = tl.load(grad + row.to(tl.int64)[:, None] * channels + channel, mask=mask, other=0.0)
    nothing = tl.zeros_like(given)
    first = one == most
    second = (two == most) & (first == 0)
    third = (three == most) & (first == 0) & (second == 0)
    fourth = (first == 0) & (second == 0) & (third == 0)
    below = place + 2 * width * channels
    tl.store(of_x + place, tl.where(first, given, nothing), mask=mask)
    tl.store(of_x + place + channels, tl.where(second, given, nothing), mask=mask)
    tl.store(of_x + below, tl.where(third, given, nothing), mask=mask)
    tl.store(of_x + below + channels, tl.where(fourth, given, nothing), mask=mask)
