"""The gates of a GRU in one pass over its maps, as Triton kernels.

Maps are matrices with a row a cell; a row of W x and of U h holds the reset, update and new parts,
without their biases. The backward pass computes the gates again instead of keeping them.
"""

import triton
import triton.language as tl

__all__ = ["gates", "gates_grad"]


@triton.jit
def _gate(  # type: ignore[no-untyped-def]
    given, heard, of_given, of_heard, at, column, mask, inside, has_state: tl.constexpr
):
    """One of three parts of a row of W x, and the same of U h, both with their biases."""
    own = tl.load(given + at, mask=mask, other=0.0).to(tl.float32)
    own += tl.load(of_given + column, mask=inside, other=0.0)[None]
    other = tl.zeros_like(own) + tl.load(of_heard + column, mask=inside, other=0.0)[None]
    if has_state:
        other += tl.load(heard + at, mask=mask, other=0.0).to(tl.float32)
    return own, other


@triton.jit
def _gates(  # type: ignore[no-untyped-def]
    given, heard, of_given, of_heard, row, column, hidden, mask, inside, has_state: tl.constexpr
):
    """Reset, update, the new state's part of U h, and the new state."""
    at = row.to(tl.int64)[:, None] * 3 * hidden + column[None]
    one, two = _gate(given, heard, of_given, of_heard, at, column, mask, inside, has_state)
    reset = tl.sigmoid(one + two)
    at, column = at + hidden, column + hidden
    one, two = _gate(given, heard, of_given, of_heard, at, column, mask, inside, has_state)
    update = tl.sigmoid(one + two)
    at, column = at + hidden, column + hidden
    one, part = _gate(given, heard, of_given, of_heard, at, column, mask, inside, has_state)
    new = 2.0 * tl.sigmoid(2.0 * (one + reset * part)) - 1.0  # the hyperbolic tangent
    return reset, update, part, new


@triton.jit(do_not_specialize=["n_rows"])
def gates(  # type: ignore[no-untyped-def]
    given, heard, state, of_given, of_heard, out, n_rows, hidden, has_state: tl.constexpr,
    rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Writes the next state."""
    row, column = tl.program_id(0) * rows + tl.arange(0, rows), tl.arange(0, lanes)
    inside = column < hidden
    mask = (row < n_rows)[:, None] & inside[None]
    _, update, _, new = _gates(
        given, heard, of_given, of_heard, row, column, hidden, mask, inside, has_state
    )
    found = (1.0 - update) * new
    place = row.to(tl.int64)[:, None] * hidden + column[None]
    if has_state:
        found += update * tl.load(state + place, mask=mask, other=0.0).to(tl.float32)
    tl.store(out + place, found.to(out.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["n_rows", "part_rows"])
def gates_grad(  # type: ignore[no-untyped-def]
    given, heard, state, of_given, of_heard, one, two, three, later, to_given, to_heard, to_state,
    sums, n_rows, part_rows, hidden, has_state: tl.constexpr, has_later: tl.constexpr,
    n_grads: tl.constexpr, rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Writes the gradients of W x, U h and h, and sums by part for those of the biases.

    Up to three gradients of the next state are added up as they are read. ``later`` is the
    gradient of W x by later steps, which this step's is added to.
    """
    column = tl.arange(0, lanes)
    inside = column < hidden
    resets = tl.zeros((rows, lanes), tl.float32)
    updates = tl.zeros((rows, lanes), tl.float32)
    news = tl.zeros((rows, lanes), tl.float32)
    parts = tl.zeros((rows, lanes), tl.float32)
    kind = to_given.dtype.element_ty
    for start in range(0, part_rows, rows):
        within = start + tl.arange(0, rows)
        row = tl.program_id(0) * part_rows + within
        mask = ((row < n_rows) & (within < part_rows))[:, None] & inside[None]
        reset, update, part, new = _gates(
            given, heard, of_given, of_heard, row, column, hidden, mask, inside, has_state
        )
        place = row.to(tl.int64)[:, None] * hidden + column[None]
        by = tl.load(one + place, mask=mask, other=0.0).to(tl.float32)
        if n_grads > 1:
            by += tl.load(two + place, mask=mask, other=0.0).to(tl.float32)
        if n_grads > 2:
            by += tl.load(three + place, mask=mask, other=0.0).to(tl.float32)
        old = tl.zeros((rows, lanes), tl.float32)
        if has_state:
            old = tl.load(state + place, mask=mask, other=0.0).to(tl.float32)
            tl.store(to_state + place, (by * update).to(kind), mask=mask)
        of_new = by * (1.0 - update) * (1.0 - new * new)
        of_update = by * (old - new) * update * (1.0 - update)
        of_reset = of_new * part * reset * (1.0 - reset)
        resets += of_reset
        updates += of_update
        news += of_new
        parts += of_new * reset
        at = row.to(tl.int64)[:, None] * 3 * hidden + column[None]
        if has_state:
            tl.store(to_heard + at, of_reset.to(kind), mask=mask)
            tl.store(to_heard + at + hidden, of_update.to(kind), mask=mask)
            tl.store(to_heard + at + 2 * hidden, (of_new * reset).to(kind), mask=mask)
        if has_later:
            of_reset += tl.load(later + at, mask=mask, other=0.0).to(tl.float32)
            of_update += tl.load(later + at + hidden, mask=mask, other=0.0).to(tl.float32)
            of_new += tl.load(later + at + 2 * hidden, mask=mask, other=0.0).to(tl.float32)
        tl.store(to_given + at, of_reset.to(kind), mask=mask)
        tl.store(to_given + at + hidden, of_update.to(kind), mask=mask)
        tl.store(to_given + at + 2 * hidden, of_new.to(kind), mask=mask)
    to = sums + tl.program_id(0) * 4 * hidden + column
    tl.store(to, tl.sum(resets, 0), mask=inside)
    tl.store(to + hidden, tl.sum(updates, 0), mask=inside)
    tl.store(to + 2 * hidden, tl.sum(news, 0), mask=inside)
    tl.store(to + 3 * hidden, tl.sum(parts, 0), mask=inside)
