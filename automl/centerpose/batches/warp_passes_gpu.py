"""Views of stored images in their colours, in two passes, as Triton kernels.

A program takes a row of a view. What it reads of an image lies in the GPU's cache, so that the
view is computed again in the second pass instead of being written in the first: that one takes
the mean gray, which contrast asks for before any pixel can be coloured.
"""

import triton
import triton.language as tl

__all__ = ["row_grays", "show_rows"]


@triton.jit
def _axis(at, zoom, shift, extent):  # type: ignore[no-untyped-def]
    """The pixel before each position, and the weights of it and the next: 0 outside the image."""
    place = (at.to(tl.float64) - shift) / zoom
    before = tl.floor(place)
    part = place - before
    first = tl.where((before >= 0.0) & (before < extent), 1.0 - part, 0.0)
    second = tl.where((before >= -1.0) & (before < extent - 1), part, 0.0)
    return before.to(tl.int64), first.to(tl.float32), second.to(tl.float32)


@triton.jit
def _channel(place, below, one, two, three, four, mask):  # type: ignore[no-untyped-def]
    """A channel of two neighbours and of the two below them, weighed."""
    found = tl.load(place, mask=mask, other=0).to(tl.float32) * one
    found += tl.load(place + 3, mask=mask, other=0).to(tl.float32) * two
    found += tl.load(below, mask=mask, other=0).to(tl.float32) * three
    return found + tl.load(below + 3, mask=mask, other=0).to(tl.float32) * four


@triton.jit
def _row(flat, starts, extents, zoom, shift, image, y, x, mask):  # type: ignore[no-untyped-def]
    """Blue, green and red, 0 to 255, of a view's row ``y`` at columns ``x``."""
    width, height = tl.load(extents + 2 * image), tl.load(extents + 2 * image + 1)
    zoom, shift = zoom + 2 * image, shift + 2 * image
    left, first, second = _axis(x, tl.load(zoom), tl.load(shift), width)
    top, upper, lower = _axis(y, tl.load(zoom + 1), tl.load(shift + 1), height)
    # A neighbour beyond the row's end belongs to another row or image and weighs nothing.
    left = tl.minimum(tl.maximum(left, -1), width - 1)
    start = tl.load(starts + image)
    place = start + tl.minimum(tl.maximum(top, 0), height - 1) * width + left
    below = start + tl.minimum(tl.maximum(top + 1, 0), height - 1) * width + left
    one, two, three, four = upper * first, upper * second, lower * first, lower * second
    place, below = flat + place * 3, flat + below * 3
    blue = _channel(place, below, one, two, three, four, mask)
    green = _channel(place + 1, below + 1, one, two, three, four, mask)
    red = _channel(place + 2, below + 2, one, two, three, four, mask)
    return blue, green, red


@triton.jit(do_not_specialize=["side"])
def row_grays(  # type: ignore[no-untyped-def]
    flat, starts, extents, zoom, shift, grays, side, of_blue, of_green, of_red,
    lanes: tl.constexpr,
):  # fmt: skip
    """Writes the sum over each row of the views' gray."""
    image, y, x = tl.program_id(1), tl.program_id(0), tl.arange(0, lanes)
    blue, green, red = _row(flat, starts, extents, zoom, shift, image, y, x, x < side)
    gray = tl.where(x < side, blue * of_blue + green * of_green + red * of_red, 0.0)
    tl.store(grays + image * side + y, tl.sum(gray, 0))


@triton.jit(do_not_specialize=["side"])
def show_rows(  # type: ignore[no-untyped-def]
    flat, starts, extents, zoom, shift, matrix, offset, contrast, grays, out, side,
    lanes: tl.constexpr,
):  # fmt: skip
    """Writes the views in their colours."""
    image, y, x = tl.program_id(1), tl.program_id(0), tl.arange(0, lanes)
    mask = x < side
    gray = tl.sum(tl.load(grays + image * side + x, mask=mask, other=0.0), 0) / side / side
    blue, green, red = _row(flat, starts, extents, zoom, shift, image, y, x, mask)
    to = out + ((image.to(tl.int64) * side + y) * side + x) * 3
    for channel in tl.static_range(3):
        mix = matrix + image * 9 + 3 * channel
        found = tl.load(offset + image * 3 + channel) + gray * tl.load(
            contrast + image * 3 + channel
        )
        found += blue * tl.load(mix) + green * tl.load(mix + 1) + red * tl.load(mix + 2)
        tl.store(to + channel, found, mask=mask)
