"""A 1x1 convolution over maps side by side, as a Triton kernel.

A channels-last map (B, C, H, W) is a matrix with a row a cell and a column a channel.
"""

import triton
import triton.language as tl

__all__ = ["joined"]


@triton.jit
def _with_one(  # type: ignore[no-untyped-def]
    total, x, weight, row, output, first, n_rows, n_outputs, all_inputs, inputs: tl.constexpr,
    depth: tl.constexpr, precision: tl.constexpr,
):  # fmt: skip
    """The products of one map's channels, added to a tile of the result."""
    for start in tl.range(0, inputs, depth):
        channel = start + tl.arange(0, depth)
        place = row.to(tl.int64)[:, None] * inputs + channel[None]
        some = tl.load(x + place, mask=(row < n_rows)[:, None], other=0.0)
        place = output[None] * all_inputs + first + channel[:, None]
        taps = tl.load(weight + place, mask=(output < n_outputs)[None], other=0.0)
        total = tl.dot(some, taps, total, input_precision=precision)
    return total


@triton.jit(do_not_specialize=["n_rows"])
def joined(  # type: ignore[no-untyped-def]
    one, two, three, four, weight, out, n_rows, n_outputs, of_one: tl.constexpr,
    of_two: tl.constexpr, of_three: tl.constexpr, of_four: tl.constexpr, precision: tl.constexpr,
    rows: tl.constexpr, lanes: tl.constexpr, depth: tl.constexpr,
):  # fmt: skip
    """Writes the products of up to four maps' channels with (outputs, channels) weights."""
    across = tl.cdiv(n_outputs, lanes)
    row = tl.program_id(0) // across * rows + tl.arange(0, rows)
    output = tl.program_id(0) % across * lanes + tl.arange(0, lanes)
    inputs: tl.constexpr = of_one + of_two + of_three + of_four
    total = tl.zeros((rows, lanes), tl.float32)
    total = _with_one(
        total, one, weight, row, output, 0, n_rows, n_outputs, inputs, of_one, depth, precision
    )
    total = _with_one(
        total,
        two,
        weight,
        row,
        output,
        of_one,
        n_rows,
        n_outputs,
        inputs,
        of_two,
        depth,
        precision,
    )
    if of_three > 0:
        total = _with_one(
            total, three, weight, row, output, of_one + of_two, n_rows, n_outputs, inputs,
            of_three, depth, precision,
        )  # fmt: skip
    if of_four > 0:
        total = _with_one(
            total, four, weight, row, output, of_one + of_two + of_three, n_rows, n_outputs,
            inputs, of_four, depth, precision,
        )  # fmt: skip
    place = row.to(tl.int64)[:, None] * n_outputs + output[None]
    mask = (row < n_rows)[:, None] & (output < n_outputs)[None]
    tl.store(out + place, total.to(out.dtype.element_ty), mask=mask)
