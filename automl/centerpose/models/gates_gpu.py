"""A step of a GRU behind its convolutions, on a GPU.

The biases of the convolutions are added here, and their gradients summed here: as passes of their
own over maps of three times the state's width they would cost more than the gates do.
"""

from dataclasses import dataclass
from typing import Any

import torch
import triton
from torch import Tensor

from automl.centerpose.models import gates_passes_gpu as passes

__all__ = ["Biases", "gates"]

_TILE, _PROGRAMS = 1024, 1056
_MOST_USES = 3


@dataclass(frozen=True, slots=True)
class Biases:
    """What is added to W x and to U h, (3 H,) each."""

    given: Tensor
    heard: Tensor


class _Gates(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, given: Tensor, heard: Tensor | None, state: Tensor | None, of_given: Tensor,
        of_heard: Tensor, uses: int,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        b, c, h, w = given.shape
        hidden = c // 3
        out = torch.empty(
            (b, hidden, h, w),
            device=given.device,
            dtype=given.dtype,
            memory_format=torch.channels_last,
        )
        tile, n_rows = _tile(hidden), b * h * w
        passes.gates[(-(-n_rows // tile["rows"]),)](
            given, given if heard is None else heard, given if state is None else state, of_given,
            of_heard, out, n_rows, hidden, has_state=state is not None, **tile,
        )  # fmt: skip
        ctx.save_for_backward(given, heard, state, of_given, of_heard)
        ctx.set_materialize_grads(False)
        return given.detach(), out, *(out.detach() for _ in range(uses - 1))

    @staticmethod
    def backward(ctx: Any, later: Tensor | None, *grads: Tensor | None) -> tuple[Any, ...]:
        given, heard, state, of_given, of_heard = ctx.saved_tensors
        ours = [_even(grad) for grad in grads if grad is not None]
        ours = ours or [torch.zeros_like(given[:, : given.shape[1] // 3])]
        later = None if later is None else _even(later)
        has_state, hidden = state is not None, given.shape[1] // 3
        to_given = torch.empty_like(given)
        to_heard, to_state = (torch.empty_like(x) if has_state else None for x in (given, state))
        tile, n_rows = _tile(hidden), given.numel() // given.shape[1]
        n_parts = min(_PROGRAMS, -(-n_rows // tile["rows"]))
        sums = torch.empty(n_parts, 4, hidden, device=given.device)
        passes.gates_grad[(n_parts,)](
            given, _or(heard, given), _or(state, given), of_given, of_heard,
            *(ours + [given] * (_MOST_USES - len(ours))), _or(later, given), to_given,
            _or(to_heard, given), _or(to_state, given), sums, n_rows, -(-n_rows // n_parts),
            hidden, has_state=has_state, has_later=later is not None, n_grads=len(ours), **tile,
        )  # fmt: skip
        resets, updates, news, parts = sums.sum(0)
        by_bias = torch.cat([resets, updates, news]), torch.cat([resets, updates, parts])
        return to_given, to_heard, to_state, *by_bias, None


def _tile(hidden: int) -> dict[str, Any]:
    lanes = triton.next_power_of_2(hidden)
    return {"rows": max(1, _TILE // lanes), "lanes": lanes}


def _even(grad: Tensor) -> Tensor:
    return grad.contiguous(memory_format=torch.channels_last)


def _or(one: Tensor | None, other: Tensor) -> Tensor:
    """A kernel must be given something where it will look at nothing."""
    return other if one is None else one


def gates(
    given: Tensor, heard: Tensor | None, state: Tensor | None, biases: Biases, uses: int
) -> tuple[Tensor, ...]:
    """The next hidden state (B, H, ...), channels last.

    Args:
        given: W x without its bias, (B, 3 H, ...): reset, update, new.
        heard: U h likewise; None for an h of zeros.
        state: h; None for zeros.
        biases: Of both.
        uses: How often the next state is used, three times at most.

    Returns:
        W x for the next step, which hands its gradient on to this one; then the next state,
        ``uses`` times, each to be used once.
    """
    given = given.contiguous(memory_format=torch.channels_last)
    if heard is not None:
        heard = _even(heard.to(given.dtype))
    found: tuple[Tensor, ...] = _Gates.apply(  # type: ignore[no-untyped-call]
        given, heard, state, biases.given, biases.heard, uses
    )
    return found
