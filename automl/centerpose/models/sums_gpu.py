"""Sums over many programs that end within the launch, for the package's Triton kernels.

Each program writes the sums of its part. The one that comes last finds all parts written, adds
them up in their order, whoever came when, and does what is to be done with the whole: no second
launch, and the same digits every time.
"""

import triton
import triton.language as tl

__all__ = ["all_parts", "is_last"]


@triton.jit
def is_last(arrivals, n_programs):  # type: ignore[no-untyped-def]
    """Whether ``n_programs`` have come here; the last finds what the others have written.

    Args:
        arrivals: A count that is zero before the launch, and zero again after it.
        n_programs: Those that come here.
    """
    tl.debug_barrier()  # all threads of this program have written
    last = tl.atomic_add(arrivals, 1, sem="acq_rel", scope="gpu") == n_programs - 1
    if last:
        tl.store(arrivals, 0)
    return last


@triton.jit
def all_parts(  # type: ignore[no-untyped-def]
    parts, n_parts, channels, column, inside, depth: tl.constexpr, lanes: tl.constexpr
):
    """The totals of two sums, (lanes,) each.

    Args:
        parts: (n_parts, 2, channels): both sums by part.
        n_parts: How many there are.
        channels: Columns of a sum.
        column: (lanes,) the columns wanted.
        inside: (lanes,) which of them there are.
        depth: Parts that are read at once.
        lanes: How many columns are wanted.
    """
    one = tl.zeros((depth, lanes), tl.float32)
    two = tl.zeros((depth, lanes), tl.float32)
    for start in range(0, n_parts, depth):
        part = start + tl.arange(0, depth)
        mask = (part < n_parts)[:, None] & inside[None]
        place = parts + part[:, None] * 2 * channels + column[None]
        # Past the first cache, which may hold what was there before the others wrote.
        one += tl.load(place, mask=mask, other=0.0, cache_modifier=".cg")
        two += tl.load(place + channels, mask=mask, other=0.0, cache_modifier=".cg")
    return tl.sum(one, 0), tl.sum(two, 0)
