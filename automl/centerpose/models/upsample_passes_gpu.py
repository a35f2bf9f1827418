"""Learnable depthwise upsampling, as Triton kernels.

A channels-last map is a matrix with a row a cell and a column a channel. Along an axis, result y
lies between coarse cells j and j - 1, j = (y + f / 2) // f, and weighs them with taps k and k + f
of the kernel, k = (y + f / 2) % f.
"""

import triton
import triton.language as tl

__all__ = ["correlate", "enlarge", "shrink"]


@triton.jit(do_not_specialize=["n_cells", "height", "width"])
def enlarge(  # type: ignore[no-untyped-def]
    x, taps, add, out, n_cells, height, width, channels, factor: tl.constexpr,
    has_add: tl.constexpr, rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Writes the fine map, with what is to be added."""
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


@triton.jit(do_not_specialize=["n_cells", "height", "width"])
def shrink(  # type: ignore[no-untyped-def]
    grad, taps, of_x, n_cells, height, width, channels, factor: tl.constexpr,
    rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Writes the gradient of the coarse map."""
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
def _coarse_at(  # type: ignore[no-untyped-def]
    x, image, i, j, there, channel, inside, height, width, channels
):
    """(rows, lanes): the coarse map at some cells, and zeros past its edges."""
    there = there & (i >= 0) & (i < height) & (j >= 0) & (j < width)
    place = ((image * height + i) * width + j).to(tl.int64)[:, None] * channels
    value = tl.load(x + place + channel[None], mask=there[:, None] & inside[None], other=0.0)
    return value.to(tl.float32)


@triton.jit(do_not_specialize=["n_corners", "part_corners", "height", "width"])
def correlate(  # type: ignore[no-untyped-def]
    x, grad, parts, n_corners, part_corners, height, width, channels, factor: tl.constexpr,
    phases: tl.constexpr, rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Sums by part of what the gradients of some taps are made of.

    Results between the same four coarse cells, the neighbours of a *corner*, differ by their phase
    alone: each is read once, and serves one tap for each of the four.
    """
    part, side = tl.program_id(1), 2 * factor
    channel = tl.program_id(2) * lanes + tl.arange(0, lanes)
    inside = channel < channels
    phase = tl.program_id(0) * phases + tl.arange(0, phases)
    below, right = phase // factor, phase % factor
    one = tl.zeros((phases, rows, lanes), tl.float32)
    two = tl.zeros((phases, rows, lanes), tl.float32)
    three = tl.zeros((phases, rows, lanes), tl.float32)
    four = tl.zeros((phases, rows, lanes), tl.float32)
    for start in range(0, part_corners, rows):
        within = start + tl.arange(0, rows)
        corner = part * part_corners + within
        there = (corner < n_corners) & (within < part_corners)
        j, i = corner % (width + 1), (corner // (width + 1)) % (height + 1)
        image = corner // ((width + 1) * (height + 1))
        y = (i * factor - factor // 2)[None] + below[:, None]
        at = (j * factor - factor // 2)[None] + right[:, None]
        mask = (y >= 0) & (y < height * factor) & (at >= 0) & (at < width * factor) & there[None]
        place = ((image * height * factor)[None] + y) * (width * factor) + at
        place = place.to(tl.int64)[:, :, None] * channels + channel[None, None]
        mask = mask[:, :, None] & inside[None, None]
        given = tl.load(grad + place, mask=mask, other=0.0).to(tl.float32)
        near = _coarse_at(x, image, i, j, there, channel, inside, height, width, channels)
        one += given * near[None]
        near = _coarse_at(x, image, i, j - 1, there, channel, inside, height, width, channels)
        two += given * near[None]
        near = _coarse_at(x, image, i - 1, j, there, channel, inside, height, width, channels)
        three += given * near[None]
        near = _coarse_at(x, image, i - 1, j - 1, there, channel, inside, height, width, channels)
        four += given * near[None]
    tap = below * side + right
    place = (part * (side * side) + tap)[:, None] * channels + channel[None]
    tl.store(parts + place, tl.sum(one, 1), mask=inside[None])
    tl.store(parts + place + factor * channels, tl.sum(two, 1), mask=inside[None])
    place += factor * side * channels
    tl.store(parts + place, tl.sum(three, 1), mask=inside[None])
    tl.store(parts + place + factor * channels, tl.sum(four, 1), mask=inside[None])
