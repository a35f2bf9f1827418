"""Heads in as few passes over their wide map as there can be, as Triton kernels.

A channels-last map (B, C, H, W) is a matrix with a row a cell and a column a channel. A head owns
``width`` columns of it from column ``first`` on: group normalisation of those, ReLU, and a product
with the head's last weights. What lies between is computed where it is needed and never written.

What is known of each image and column lies in ``stats``, five rows an image: the column's mean
with the convolution's bias, its group's mean, 1 / deviation, and the scale and the shift that
normalise the map as it lies there, which is without that bias.
"""

import triton
import triton.language as tl

from automl.centerpose.models.sums_gpu import all_parts, is_last

__all__ = ["answer", "answer_grad", "answer_grad_moments", "answer_moments"]


@triton.jit
def _of_groups(values, size: tl.constexpr, lanes: tl.constexpr):  # type: ignore[no-untyped-def]
    """The mean of each group of ``size`` columns, at each of its columns."""
    mean = tl.sum(tl.reshape(values, (lanes // size, size)), 1)[:, None] / size
    return tl.reshape(tl.broadcast_to(mean, (lanes // size, size)), (lanes,))


@triton.jit
def _taps_at(weight, column, n_maps, width, maps: tl.constexpr):  # type: ignore[no-untyped-def]
    """(maps, lanes): the last weights at some columns, and zeros for maps that are not."""
    index = tl.arange(0, maps)[:, None]
    return tl.load(weight + index * width + column[None], mask=index < n_maps, other=0.0)


@triton.jit
def _rows_at(  # type: ignore[no-untyped-def]
    columns, part, start, part_rows, n_rows, channels, rows: tl.constexpr
):
    """Some columns of a part's rows from ``start`` on, and zeros past its end."""
    within = start + tl.arange(0, rows)
    row = part * part_rows + within
    mask = ((row < n_rows) & (within < part_rows))[:, None]
    return tl.load(columns + row.to(tl.int64)[:, None] * channels, mask=mask, other=0.0)


@triton.jit(do_not_specialize=["n_rows", "part_rows", "n_parts"])
def answer_moments(  # type: ignore[no-untyped-def]
    x, bias, weight, offset, parts, arrivals, stats, epsilon, n_rows, part_rows, n_parts,
    channels, first, size: tl.constexpr, rows: tl.constexpr, lanes: tl.constexpr,
    width: tl.constexpr,
):  # fmt: skip
    """Writes the ``stats`` of a head's columns: sums by part, put together by who comes last."""
    image, part = tl.program_id(1) // n_parts, tl.program_id(1) % n_parts
    column = tl.program_id(0) * lanes + tl.arange(0, lanes)
    pivot = tl.load(x + first + column).to(tl.float32)
    one = tl.zeros((rows, lanes), tl.float32)
    two = tl.zeros((rows, lanes), tl.float32)
    for start in tl.range(0, part_rows, rows, num_stages=3):
        within = start + tl.arange(0, rows)
        row = part * part_rows + within
        mask = ((row < n_rows) & (within < part_rows))[:, None]
        place = (image.to(tl.int64) * n_rows + row)[:, None] * channels + first + column[None]
        value = tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
        value = tl.where(mask, value - pivot[None], 0.0)
        one += value
        two += value * value
    here = parts + tl.program_id(1) * 2 * width + column
    tl.store(here, tl.sum(one, 0))
    tl.store(here + width, tl.sum(two, 0))
    if is_last(arrivals + image * tl.num_programs(0) + tl.program_id(0), n_parts):
        ours = parts + image * n_parts * 2 * width
        off, own = all_parts(ours, n_parts, width, column, column >= 0, 8, lanes)
        off = off / n_rows
        own = own / n_rows - off * off
        added = tl.load(bias + column)
        mean = off + pivot + added
        middle = _of_groups(mean, size, lanes)
        spread = _of_groups(own + (mean - middle) * (mean - middle), size, lanes)
        rate = 1.0 / tl.sqrt(tl.maximum(spread, 0.0) + epsilon)
        scale = rate * tl.load(weight + column)
        to = stats + image * 5 * width + column
        tl.store(to, mean)
        tl.store(to + width, middle)
        tl.store(to + 2 * width, rate)
        tl.store(to + 3 * width, scale)
        tl.store(to + 4 * width, tl.load(offset + column) + (added - middle) * scale)


@triton.jit(do_not_specialize=["n_rows", "n_blocks", "n_maps", "of_image"])
def answer(  # type: ignore[no-untyped-def]
    x, stats, taps, bias, out, n_rows, n_blocks, channels, first, n_maps, of_image, of_map, of_row,
    precision: tl.constexpr, rows: tl.constexpr, lanes: tl.constexpr, width: tl.constexpr,
    maps: tl.constexpr,
):  # fmt: skip
    """Writes the maps that a head answers with, whose places are given by strides."""
    image, block = tl.program_id(0) // n_blocks, tl.program_id(0) % n_blocks
    row, index = block * rows + tl.arange(0, rows), tl.arange(0, maps)
    there = row < n_rows
    base = (image.to(tl.int64) * n_rows + row)[:, None] * channels + first
    total = tl.zeros((rows, maps), tl.float32)
    for start in tl.static_range(0, width, lanes):
        column = start + tl.arange(0, lanes)
        known = stats + image * 5 * width + column
        value = tl.load(x + base + column[None], mask=there[:, None], other=0.0)
        value = value.to(tl.float32) * tl.load(known + 3 * width)[None]
        value = tl.maximum(value + tl.load(known + 4 * width)[None], 0.0)
        some = tl.trans(_taps_at(taps, column, n_maps, width, maps))
        kind = x.dtype.element_ty
        total = tl.dot(value.to(kind), some.to(kind), total, input_precision=precision)
    total += tl.load(bias + index, mask=index < n_maps, other=0.0)[None]
    place = (image.to(tl.int64) * of_image + row * of_row)[:, None] + index[None] * of_map
    tl.store(out + place, total, mask=there[:, None] & (index < n_maps)[None])


@triton.jit
def _write_terms(  # type: ignore[no-untyped-def]
    parts, added, weight, known, to, pivot, n_rows, n_parts, column, size: tl.constexpr,
    lanes: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """An image's ``terms``, from the sums of its parts and what is known of its columns."""
    by_offset, by_weight = all_parts(parts, n_parts, width, column, column >= 0, 8, lanes)
    mean, middle, rate = tl.load(known), tl.load(known + width), tl.load(known + 2 * width)
    low = middle - tl.load(added + column)  # the middle of the map as it lies there
    by_weight = rate * (by_weight - (low - pivot) * by_offset)
    each = tl.load(weight + column) / n_rows
    by_x = -rate * rate * _of_groups(each * by_weight, size, lanes)
    rest = -rate * _of_groups(each * by_offset, size, lanes)
    tl.store(to, by_x)
    tl.store(to + width, rest - by_x * low)
    tl.store(to + 2 * width, by_weight)
    tl.store(to + 3 * width, by_offset)
    scale = tl.load(known + 3 * width)
    tl.store(to + 4 * width, scale * by_offset + n_rows * (by_x * (mean - middle) + rest))


@triton.jit(do_not_specialize=["n_rows", "part_rows", "n_parts", "n_maps", "of_image"])
def answer_grad_moments(  # type: ignore[no-untyped-def]
    x, added, weight, stats, grad, taps, parts, of_taps, of_bias, arrivals, terms, n_rows,
    part_rows, n_parts, channels, first, n_maps, of_image, of_map, of_row,
    precision: tl.constexpr, size: tl.constexpr, rows: tl.constexpr, lanes: tl.constexpr,
    width: tl.constexpr, maps: tl.constexpr,
):  # fmt: skip
    """Sums for the gradients by part; who comes last writes what an image's terms are.

    ``terms`` has five rows an image: what the wide map's gradient takes by the map and alone, and
    the gradients of the normalisation's weight and offset and of the convolution's bias.
    ``of_taps`` and ``of_bias`` get the last layer's gradients by part.

    All but the last follow from two products with the gradient of the answers, of the map where
    the ReLU lets it pass and of ones there, so that little is done a number of the map.
    """
    image, part = tl.program_id(1) // n_parts, tl.program_id(1) % n_parts
    column, index = tl.program_id(0) * lanes + tl.arange(0, lanes), tl.arange(0, maps)
    pivot = tl.load(x + first + column).to(tl.float32)
    known = stats + image * 5 * width + column
    scale, shift = tl.load(known + 3 * width), tl.load(known + 4 * width)
    kind = x.dtype.element_ty
    count = tl.zeros((lanes, maps), tl.float32)
    moment = tl.zeros((lanes, maps), tl.float32)
    alone = tl.zeros((rows, maps), tl.float32)
    columns = x + image.to(tl.int64) * n_rows * channels + first + column[None]
    ahead = _rows_at(columns, part, 0, part_rows, n_rows, channels, rows)
    for start in range(0, part_rows, rows):
        # What the next turn needs is under way while this one computes.
        value = ahead
        ahead = _rows_at(columns, part, start + rows, part_rows, n_rows, channels, rows)
        within = start + tl.arange(0, rows)
        row = part * part_rows + within
        there = (row < n_rows) & (within < part_rows)
        place = (image.to(tl.int64) * of_image + row * of_row)[:, None] + index[None] * of_map
        mask = there[:, None] & (index < n_maps)[None]
        given = tl.load(grad + place, mask=mask, other=0.0).to(tl.float32)
        on = value.to(tl.float32) * scale[None] + shift[None] > 0.0
        kept = tl.trans(tl.where(on, value, 0.0))
        counted = tl.trans(tl.where(on, 1.0, 0.0).to(kind))
        moment = tl.dot(kept, given.to(kind), moment, input_precision=precision)
        count = tl.dot(counted, given.to(kind), count, input_precision=precision)
        alone += given
    some = tl.trans(_taps_at(taps, column, n_maps, width, maps).to(kind).to(tl.float32))
    here = parts + tl.program_id(1) * 2 * width + column
    tl.store(here, tl.sum(some * count, 1))
    tl.store(here + width, tl.sum(some * (moment - pivot[:, None] * count), 1))
    place = (tl.program_id(1) * width + column)[:, None] * maps + index[None]
    tl.store(of_taps + place, moment * scale[:, None] + count * shift[:, None])
    if tl.program_id(0) == 0:
        tl.store(of_bias + tl.program_id(1) * maps + index, tl.sum(alone, 0))
    if is_last(arrivals + image * tl.num_programs(0) + tl.program_id(0), n_parts):
        ours = parts + image * n_parts * 2 * width
        to = terms + image * 5 * width + column
        _write_terms(
            ours, added, weight, known, to, pivot, n_rows, n_parts, column, size, lanes, width
        )


@triton.jit(do_not_specialize=["n_rows", "n_blocks", "n_maps", "of_image"])
def answer_grad(  # type: ignore[no-untyped-def]
    x, stats, terms, grad, taps, of_x, n_rows, n_blocks, channels, first, n_maps, of_image, of_map,
    of_row, precision: tl.constexpr, rows: tl.constexpr, lanes: tl.constexpr,
    width: tl.constexpr, maps: tl.constexpr,
):  # fmt: skip
    """Writes a head's columns of the wide map's gradient."""
    across: tl.constexpr = width // lanes
    column = tl.program_id(0) % across * lanes + tl.arange(0, lanes)
    image, block = tl.program_id(0) // across // n_blocks, tl.program_id(0) // across % n_blocks
    row, index = block * rows + tl.arange(0, rows), tl.arange(0, maps)
    there = row < n_rows
    place = (image.to(tl.int64) * of_image + row * of_row)[:, None] + index[None] * of_map
    given = tl.load(grad + place, mask=there[:, None] & (index < n_maps)[None], other=0.0)
    kind = x.dtype.element_ty
    some = _taps_at(taps, column, n_maps, width, maps).to(kind)
    back = tl.dot(given.to(kind), some, input_precision=precision)
    known, mine = stats + image * 5 * width + column, terms + image * 5 * width + column
    scale, shift = tl.load(known + 3 * width)[None], tl.load(known + 4 * width)[None]
    place = (image.to(tl.int64) * n_rows + row)[:, None] * channels + first + column[None]
    value = tl.load(x + place, mask=there[:, None], other=0.0).to(tl.float32)
    found = tl.where(value * scale + shift > 0.0, back * scale, 0.0)
    found += value * tl.load(mine)[None] + tl.load(mine + width)[None]
    tl.store(of_x + place, found.to(of_x.dtype.element_ty), mask=there[:, None])
