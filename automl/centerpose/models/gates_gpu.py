"""The gates of a GRU in one pass over its maps, in Triton.

Maps are matrices with a row a cell; a row of W x and of U h holds the reset, update and new parts.
The backward pass computes the gates again instead of keeping them.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

__all__ = ["gates"]

_TILE = 2048


@triton.jit
def _gate(given, heard, row, column, hidden, stride, mask):  # type: ignore[no-untyped-def]
    """Reset, update, the new state's part of U h, and the new state."""
    at, of = row * 3 * hidden + column, row * stride + column
    reset = tl.load(given + at, mask=mask, other=0.0).to(tl.float32)
    reset = tl.sigmoid(reset + tl.load(heard + of, mask=mask, other=0.0).to(tl.float32))
    at, of = at + hidden, of + hidden
    update = tl.load(given + at, mask=mask, other=0.0).to(tl.float32)
    update = tl.sigmoid(update + tl.load(heard + of, mask=mask, other=0.0).to(tl.float32))
    at, of = at + hidden, of + hidden
    part = tl.load(heard + of, mask=mask, other=0.0).to(tl.float32)
    new = tl.load(given + at, mask=mask, other=0.0).to(tl.float32) + reset * part
    new = 2.0 * tl.sigmoid(2.0 * new) - 1.0  # the hyperbolic tangent
    return reset, update, part, new


@triton.jit
def _forward(  # type: ignore[no-untyped-def]
    given, heard, state, out, n, hidden, stride, has_state: tl.constexpr, tile: tl.constexpr
):
    place = tl.program_id(0).to(tl.int64) * tile + tl.arange(0, tile)
    mask = place < n
    row, column = place // hidden, place % hidden
    _, update, _, new = _gate(given, heard, row, column, hidden, stride, mask)
    found = (1.0 - update) * new
    if has_state:
        found += update * tl.load(state + place, mask=mask, other=0.0).to(tl.float32)
    tl.store(out + place, found.to(out.dtype.element_ty), mask=mask)


@triton.jit
def _backward(  # type: ignore[no-untyped-def]
    given, heard, state, grad, of_given, of_heard, of_state, n, hidden, stride,
    has_state: tl.constexpr, tile: tl.constexpr,
):  # fmt: skip
    place = tl.program_id(0).to(tl.int64) * tile + tl.arange(0, tile)
    mask = place < n
    row, column = place // hidden, place % hidden
    reset, update, part, new = _gate(given, heard, row, column, hidden, stride, mask)
    by = tl.load(grad + place, mask=mask, other=0.0).to(tl.float32)
    old = tl.zeros((tile,), tl.float32)
    if has_state:
        old = tl.load(state + place, mask=mask, other=0.0).to(tl.float32)
        tl.store(of_state + place, (by * update).to(of_state.dtype.element_ty), mask=mask)
    of_new = by * (1.0 - update) * (1.0 - new * new)
    of_update = by * (old - new) * update * (1.0 - update)
    of_reset = of_new * part * reset * (1.0 - reset)
    at = row * 3 * hidden + column
    kind = of_given.dtype.element_ty
    tl.store(of_given + at, of_reset.to(kind), mask=mask)
    tl.store(of_given + at + hidden, of_update.to(kind), mask=mask)
    tl.store(of_given + at + 2 * hidden, of_new.to(kind), mask=mask)
    tl.store(of_heard + at, of_reset.to(kind), mask=mask)
    tl.store(of_heard + at + hidden, of_update.to(kind), mask=mask)
    tl.store(of_heard + at + 2 * hidden, (of_new * reset).to(kind), mask=mask)


class _Gates(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, given: Tensor, heard: Tensor, state: Tensor | None) -> Tensor:
        b, c, h, w = given.shape
        hidden = c // 3
        out = torch.empty(
            (b, hidden, h, w),
            device=given.device,
            dtype=given.dtype,
            memory_format=torch.channels_last,
        )
        n = out.numel()
        _forward[(-(-n // _TILE),)](
            given, heard, out if state is None else state, out, n, hidden, _stride(heard),
            has_state=state is not None, tile=_TILE,
        )  # fmt: skip
        ctx.save_for_backward(given, heard, state)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        given, heard, state = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        of_given, of_heard = torch.empty_like(given), torch.empty_like(given)
        of_state = None if state is None else torch.empty_like(state)
        n = grad.numel()
        _backward[(-(-n // _TILE),)](
            given, heard, given if state is None else state, grad, of_given, of_heard,
            of_given if of_state is None else of_state, n, grad.shape[1], _stride(heard),
            has_state=state is not None, tile=_TILE,
        )  # fmt: skip
        return of_given, of_heard, of_state


def _stride(heard: Tensor) -> int:
    """Numbers from one cell to the next: none where one row stands for all cells."""
    return heard.stride(3)


def gates(given: Tensor, heard: Tensor, state: Tensor | None) -> Tensor:
    """The next hidden state (B, H, ...), channels last.

    Args:
        given: W x, (B, 3 H, ...): reset, update, new.
        heard: U h likewise; a row expanded to all cells will do.
        state: h; None for zeros.
    """
    given = given.contiguous(memory_format=torch.channels_last)
    heard = heard.to(given.dtype)
    if heard.stride(3):
        heard = heard.contiguous(memory_format=torch.channels_last)
    answer: Tensor = _Gates.apply(given, heard, state)  # type: ignore[no-untyped-call]
    return answer
