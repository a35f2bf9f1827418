"""The passes over a map that batch normalisation consists of, as Triton kernels.

A channels-last map (B, C, H, W) is a matrix with a row a cell and a column a channel. Sums are
taken of differences from the first row, so that a large mean costs no digits; the program that
comes last puts the parts together.

Programs of the same rows and other channels start one after another, so that memory is read in
order.

What is known of each channel lies in ``stats``, four rows: its mean, 1 / deviation, and the
scale and the shift that normalise it. Gradients may lie with gaps from row to row, as parts of a
wider map do, and several of them are added up as they are read.
"""

import triton
import triton.language as tl

from automl.centerpose.models.sums_gpu import all_parts, is_last

__all__ = ["apply", "apply_grad", "grad_moments", "moments"]


@triton.jit(do_not_specialize=["n_rows", "part_rows", "n_parts", "momentum", "epsilon"])
def moments(  # type: ignore[no-untyped-def]
    x, weight, bias, running_mean, running_var, n_batches, parts, arrivals, stats, momentum,
    epsilon, n_rows, part_rows, n_parts, channels, rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Writes ``stats`` of x, and moves what runs along."""
    part, channel = tl.program_id(1), tl.program_id(0) * lanes + tl.arange(0, lanes)
    inside = channel < channels
    pivot = tl.load(x + channel, mask=inside, other=0.0).to(tl.float32)
    one = tl.zeros((rows, lanes), tl.float32)
    two = tl.zeros((rows, lanes), tl.float32)
    for start in tl.range(0, part_rows, rows, num_stages=3):
        within = start + tl.arange(0, rows)
        row = part * part_rows + within
        mask = ((row < n_rows) & (within < part_rows))[:, None] & inside[None]
        place = row.to(tl.int64)[:, None] * channels + channel[None]
        value = tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
        value = tl.where(mask, value - pivot[None], 0.0)
        one += value
        two += value * value
    here = parts + part * 2 * channels + channel
    tl.store(here, tl.sum(one, 0), mask=inside)
    tl.store(here + channels, tl.sum(two, 0), mask=inside)
    if is_last(arrivals + tl.program_id(0), n_parts):
        off, square = all_parts(parts, n_parts, channels, channel, inside, 4096 // lanes, lanes)
        off = off / n_rows
        variance = tl.maximum(square / n_rows - off * off, 0.0)
        mean = off + pivot
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
        if tl.program_id(0) == 0:
            tl.store(n_batches, tl.load(n_batches) + 1)


@triton.jit
def _turned(row, width):  # type: ignore[no-untyped-def]
    """Where a row of a map folded by 4 x 4 comes to lie in the same map folded by 2 x 2.

    A line of ``width`` cells, each of two lines of eight rows, becomes two lines.
    """
    line, cell = row // (16 * width), (row // 16) % width
    return ((line * 2 + (row // 8) % 2) * width + cell) * 8 + row % 8


@triton.jit(do_not_specialize=["n_rows", "width"])
def apply(  # type: ignore[no-untyped-def]
    x, add, out, stats, n_rows, channels, width, relu: tl.constexpr, has_add: tl.constexpr,
    turns: tl.constexpr, rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Writes x * scale + shift, with what is to be added, rectified if wished."""
    across = tl.cdiv(channels, lanes)
    channel = tl.program_id(0) % across * lanes + tl.arange(0, lanes)
    row = tl.program_id(0) // across * rows + tl.arange(0, rows)
    inside = channel < channels
    mask = (row < n_rows)[:, None] & inside[None]
    place = row.to(tl.int64)[:, None] * channels + channel[None]
    value = tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
    value = value * tl.load(stats + 2 * channels + channel, mask=inside, other=0.0)[None]
    value += tl.load(stats + 3 * channels + channel, mask=inside, other=0.0)[None]
    if has_add:
        value += tl.load(add + place, mask=mask, other=0.0).to(tl.float32)
    if relu:
        value = tl.maximum(value, 0.0)
    if turns:
        place = _turned(row, width).to(tl.int64)[:, None] * channels + channel[None]
    tl.store(out + place, value.to(out.dtype.element_ty), mask=mask)


@triton.jit
def _given(  # type: ignore[no-untyped-def]
    one, two, three, four, step_one, step_two, step_three, step_four, row, channel, mask,
    n: tl.constexpr,
):  # fmt: skip
    """The sum of up to four gradients at some rows and channels."""
    row = row.to(tl.int64)[:, None]
    given = tl.load(one + row * step_one + channel[None], mask=mask, other=0.0).to(tl.float32)
    if n > 1:
        more = tl.load(two + row * step_two + channel[None], mask=mask, other=0.0)
        given += more.to(tl.float32)
    if n > 2:
        more = tl.load(three + row * step_three + channel[None], mask=mask, other=0.0)
        given += more.to(tl.float32)
    if n > 3:
        more = tl.load(four + row * step_four + channel[None], mask=mask, other=0.0)
        given += more.to(tl.float32)
    return given


@triton.jit(do_not_specialize=["n_rows", "part_rows", "n_parts", "width"])
def grad_moments(  # type: ignore[no-untyped-def]
    x, y, one, two, three, four, whole, parts, arrivals, stats, found, step_one, step_two,
    step_three, step_four, n_rows, part_rows, n_parts, channels, width, relu: tl.constexpr,
    by_result: tl.constexpr, n_grads: tl.constexpr, keeps: tl.constexpr, turns: tl.constexpr,
    rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Writes ``found``: the gradients of weight and bias, and the terms by x and alone of x's own.

    Where the result was rectified, its sign is computed again, or read where a shortcut has a say
    in it. With ``keeps`` the gradient before the ReLU is written to ``whole``.
    """
    part, channel = tl.program_id(1), tl.program_id(0) * lanes + tl.arange(0, lanes)
    inside = channel < channels
    pivot = tl.load(x + channel, mask=inside, other=0.0).to(tl.float32)
    scale = tl.load(stats + 2 * channels + channel, mask=inside, other=0.0)
    shift = tl.load(stats + 3 * channels + channel, mask=inside, other=0.0)
    of_bias = tl.zeros((rows, lanes), tl.float32)
    with_x = tl.zeros((rows, lanes), tl.float32)
    for start in tl.range(0, part_rows, rows, num_stages=3):
        within = start + tl.arange(0, rows)
        row = part * part_rows + within
        mask = ((row < n_rows) & (within < part_rows))[:, None] & inside[None]
        place = row.to(tl.int64)[:, None] * channels + channel[None]
        value = tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
        there = _turned(row, width) if turns else row
        given = _given(
            one, two, three, four, step_one, step_two, step_three, step_four, there, channel, mask,
            n_grads,
        )  # fmt: skip
        if relu:
            if by_result:
                given = tl.where(tl.load(y + place, mask=mask, other=0.0) > 0, given, 0.0)
            else:
                given = tl.where(value * scale[None] + shift[None] > 0.0, given, 0.0)
        if keeps:
            tl.store(whole + place, given.to(whole.dtype.element_ty), mask=mask)
        of_bias += given
        with_x += given * (value - pivot[None])
    here = parts + part * 2 * channels + channel
    tl.store(here, tl.sum(of_bias, 0), mask=inside)
    tl.store(here + channels, tl.sum(with_x, 0), mask=inside)
    if is_last(arrivals + tl.program_id(0), n_parts):
        by_bias, by_weight = all_parts(
            parts, n_parts, channels, channel, inside, 4096 // lanes, lanes
        )
        mean = tl.load(stats + channel, mask=inside, other=0.0)
        rate = tl.load(stats + channels + channel, mask=inside, other=0.0)
        by_weight = rate * (by_weight - (mean - pivot) * by_bias)
        by_x = -scale * rate * by_weight / n_rows
        tl.store(found + channel, by_weight, mask=inside)
        tl.store(found + channels + channel, by_bias, mask=inside)
        tl.store(found + 2 * channels + channel, by_x, mask=inside)
        rest = -scale * by_bias / n_rows - by_x * mean
        tl.store(found + 3 * channels + channel, rest, mask=inside)


@triton.jit(do_not_specialize=["n_rows", "width"])
def apply_grad(  # type: ignore[no-untyped-def]
    x, grad, of_x, stats, found, step, n_rows, channels, width, relu: tl.constexpr,
    turns: tl.constexpr, rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """The gradient of x, by the terms that ``grad_moments`` found."""
    across = tl.cdiv(channels, lanes)
    channel = tl.program_id(0) % across * lanes + tl.arange(0, lanes)
    row = tl.program_id(0) // across * rows + tl.arange(0, rows)
    inside = channel < channels
    mask = (row < n_rows)[:, None] & inside[None]
    place = row.to(tl.int64)[:, None] * channels + channel[None]
    value = tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
    scale = tl.load(stats + 2 * channels + channel, mask=inside, other=0.0)
    there = _turned(row, width) if turns else row
    from_there = there.to(tl.int64)[:, None] * step + channel[None]
    given = tl.load(grad + from_there, mask=mask, other=0.0).to(tl.float32)
    if relu:
        shift = tl.load(stats + 3 * channels + channel, mask=inside, other=0.0)
        given = tl.where(value * scale[None] + shift[None] > 0.0, given, 0.0)
    result = given * scale[None]
    result += value * tl.load(found + 2 * channels + channel, mask=inside, other=0.0)[None]
    result += tl.load(found + 3 * channels + channel, mask=inside, other=0.0)[None]
    tl.store(of_x + place, result.to(of_x.dtype.element_ty), mask=mask)
