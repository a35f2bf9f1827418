"""Batch normalisation with ReLU and shortcut in the fewest passes over a map, on a GPU.

Forward: one pass for the sums, one that writes the result. Backward: one pass for the sums, one
that writes the gradient. What lies between works on a few numbers a channel, within those passes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import triton
from torch import Tensor, nn

from automl.centerpose.models import norm_passes_gpu as passes
from automl.centerpose.models.kernels import arrivals

__all__ = ["MOST_USES", "batch_norm_relu"]

MOST_USES = 4
"""Handles that one result may be asked for; the gradients of all of them are read at once."""

_PROGRAMS = 264  # two for each of 132 multiprocessors


@dataclass(frozen=True, slots=True)
class _Tile:
    """What a program takes at once.

    Attributes:
        size: Numbers.
        lanes: Channels, at most.
        warps: That share it.
    """

    size: int
    lanes: int
    warps: int


# What is fastest on an H200.
_MOMENTS, _GRAD_MOMENTS = _Tile(4096, 32, 4), _Tile(4096, 64, 4)
_APPLY = _Tile(2048, 64, 2)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the programs of a pass share a map.

    Attributes:
        n_rows: Cells of the map.
        channels: Columns.
        rows: Rows of a tile.
        lanes: Columns of a tile.
        warps: That share a tile.
    """

    n_rows: int
    channels: int
    rows: int
    lanes: int
    warps: int

    @staticmethod
    def of(x: Tensor, tile: _Tile) -> "_Plan":
        b, c, h, w = x.shape
        lanes = min(tile.lanes, triton.next_power_of_2(c))
        return _Plan(b * h * w, c, tile.size // lanes, lanes, tile.warps)

    @property
    def tile(self) -> dict[str, Any]:
        """What the kernel is compiled for."""
        return {"rows": self.rows, "lanes": self.lanes, "num_warps": self.warps}

    @property
    def across(self) -> int:
        return -(-self.channels // self.lanes)

    @property
    def n_blocks(self) -> int:
        return -(-self.n_rows // self.rows)

    @property
    def n_parts(self) -> int:
        """Parts of the map whose sums are taken apart."""
        return min(self.n_blocks, max(1, _PROGRAMS // self.across))

    @property
    def part_rows(self) -> int:
        return -(-self.n_rows // self.n_parts)

    def parts(self, x: Tensor) -> Tensor:
        """Room for two sums of each part."""
        size = (self.n_parts, 2, self.channels)
        return torch.empty(size, device=x.device, dtype=torch.float32)


def _moments(x: Tensor, weight: Tensor, bias: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    """(4, C): mean, 1 / deviation, scale and shift; moves what runs along."""
    plan = _Plan.of(x, _MOMENTS)
    stats = torch.empty(4, plan.channels, device=x.device)
    passes.moments[(plan.across, plan.n_parts)](
        x, weight, bias, norm.running_mean, norm.running_var, norm.num_batches_tracked,
        plan.parts(x), arrivals(x.device), stats, norm.momentum or 0.0, norm.eps, plan.n_rows,
        plan.part_rows, plan.n_parts, plan.channels, **plan.tile,
    )  # fmt: skip
    return stats


def _applied(x: Tensor, add: Tensor | None, stats: Tensor, turn: int, *, relu: bool) -> Tensor:
    """What x normalised is, with what is to be added, rectified if wished."""
    plan, out = _Plan.of(x, _APPLY), torch.empty_like(x)
    passes.apply[(plan.across * plan.n_blocks,)](
        x, x if add is None else add, out, stats, plan.n_rows, plan.channels, turn,
        relu=relu, has_add=add is not None, turns=turn > 0, **plan.tile,
    )  # fmt: skip
    return out


def _gradients(
    x: Tensor, y: Tensor | None, stats: Tensor, grads: Sequence[Tensor], turn: int, *, relu: bool
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The gradients of x, of weight and bias with two terms, and of the map before the ReLU.

    Args:
        x: What was normalised.
        y: The result, if something was added to it before it was rectified.
        stats: Of x.
        grads: Of the result; they are added up.
        turn: As in ``batch_norm_relu``.
        relu: Whether it was rectified.

    Returns:
        The second has four rows, of which the first is the weight's gradient and the next the
        bias's. The third is None where neither a shortcut nor a sum asks for it.
    """
    plan, found = _Plan.of(x, _GRAD_MOMENTS), torch.empty_like(stats)
    keeps = y is not None or len(grads) > 1
    whole = torch.empty_like(x) if keeps else None
    places = [_rows_of(grad) for grad in grads] + [(x, 0)] * (MOST_USES - len(grads))
    passes.grad_moments[(plan.across, plan.n_parts)](
        x, x if y is None else y, *(grad for grad, _ in places), x if whole is None else whole,
        plan.parts(x), arrivals(x.device), stats, found, *(step for _, step in places),
        plan.n_rows, plan.part_rows, plan.n_parts, plan.channels, turn, relu=relu,
        by_result=y is not None, n_grads=len(grads), keeps=keeps, turns=turn > 0, **plan.tile,
    )  # fmt: skip
    plan, of_x = _Plan.of(x, _APPLY), torch.empty_like(x)
    grad, step = places[0] if whole is None else (whole, plan.channels)
    passes.apply_grad[(plan.across * plan.n_blocks,)](
        x, grad, of_x, stats, found, step, plan.n_rows, plan.channels, turn,
        relu=relu and whole is None, turns=turn > 0, **plan.tile,
    )  # fmt: skip
    return of_x, found, whole


def _rows_of(grad: Tensor) -> tuple[Tensor, int]:
    """A gradient whose channels follow one another, and the numbers from a cell to the next."""
    step, (_, c, h, w) = grad.stride(3), grad.shape
    even = grad.stride() == (step * h * w, 1, step * w, step) and step >= c
    if not even:
        grad, step = grad.contiguous(memory_format=torch.channels_last), c
    return grad, step


@dataclass(frozen=True, slots=True)
class _How:
    norm: nn.BatchNorm2d
    relu: bool
    uses: int
    turn: int


class _BatchNormRelu(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, add: Tensor | None, how: _How
    ) -> tuple[Tensor, ...]:
        stats = _moments(x, weight, bias, how.norm)
        out = _applied(x, add, stats, how.turn, relu=how.relu)
        has_add = add is not None
        ctx.save_for_backward(x, stats, out if has_add and how.relu else None)
        ctx.set_materialize_grads(False)
        ctx.relu, ctx.has_add, ctx.turn = how.relu, has_add, how.turn
        return out, *(out.detach() for _ in range(how.uses - 1))

    @staticmethod
    def backward(ctx: Any, *given: Tensor | None) -> tuple[Any, ...]:
        x, stats, y = ctx.saved_tensors
        grads = [grad for grad in given if grad is not None]
        of_x, found, whole = _gradients(x, y, stats, grads, ctx.turn, relu=ctx.relu)
        return of_x, found[0], found[1], whole if ctx.has_add else None, None


def batch_norm_relu(
    x: Tensor,
    norm: nn.BatchNorm2d,
    add: Tensor | None,
    *,
    relu: bool,
    uses: int = 1,
    turn: int = 0,
) -> tuple[Tensor, ...]:
    """Batch normalisation by the batch's own statistics, then a shortcut and ReLU.

    Args:
        x: (B, C, H, W), channels last.
        norm: In training mode, with running statistics and a momentum.
        add: The shortcut, of the shape and type of x.
        relu: Whether to rectify; it must be, where there is a shortcut.
        uses: How often the result is used, ``MOST_USES`` at most.
        turn: For one use and no shortcut. The number of cells of a line where x is a map folded
            by 4 x 4 (``fold``), seen as one of so many channels as the unfolded one has: the
            result has the shape of x and the memory of the map folded by 2 x 2.

    Returns:
        The result, so often: each to be used once, so that the gradients of all uses can be added
        up where they are read.
    """
    if add is not None:
        add = add.to(x.dtype).contiguous(memory_format=torch.channels_last)
    how = _How(norm, relu, uses, turn)
    found: tuple[Tensor, ...] = _BatchNormRelu.apply(x, norm.weight, norm.bias, add, how)  # type: ignore[no-untyped-call]
    return found
