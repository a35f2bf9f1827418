"""Normalisation with ReLU and shortcut in as few passes over a map as there can be, on a GPU.

Batch and group normalisation differ only in which rows share their statistics. Forward: one pass
for the sums, one that writes the result. Backward: one pass for the sums, one that writes the
gradient. What lies between works on a few numbers a channel.
"""

from dataclasses import dataclass
from typing import Any

import torch
import triton
from torch import Tensor, nn

from automl.centerpose.models import norm_passes_gpu as passes

__all__ = ["batch_norm_relu", "group_norm_relu"]

_TILE = 2048  # numbers that a program takes at once
_LANES = 64  # channels of a tile, at most
_PROGRAMS = 1056  # eight for each of 132 multiprocessors
_DEPTH, _NARROW = 64, 16  # tile of the kernels that finish sums


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the programs share a map.

    Attributes:
        sections: Groups of rows with statistics of their own.
        n_rows: Rows a section.
        channels: Columns.
        lanes: Columns of a tile.
    """

    sections: int
    n_rows: int
    channels: int
    lanes: int

    @staticmethod
    def of(x: Tensor, *, by_image: bool) -> "_Plan":
        b, c, h, w = x.shape
        lanes = min(_LANES, triton.next_power_of_2(c))
        return _Plan(b if by_image else 1, h * w if by_image else b * h * w, c, lanes)

    @property
    def rows(self) -> int:
        return _TILE // self.lanes

    @property
    def across(self) -> int:
        return -(-self.channels // self.lanes)

    @property
    def n_blocks(self) -> int:
        return -(-self.n_rows // self.rows)

    @property
    def n_parts(self) -> int:
        """Parts of a section whose sums are taken apart."""
        return min(self.n_blocks, max(1, _PROGRAMS // (self.sections * self.across)))

    @property
    def part_rows(self) -> int:
        return -(-self.n_rows // self.n_parts)

    def moments(self, x: Tensor) -> Tensor:
        """(sections * n_parts, 2, C): sums of x and of its square, both less row 0."""
        parts = self._parts(x)
        passes.moments[(len(parts), self.across)](
            x, parts, self.n_rows, self.part_rows, self.n_parts, self.channels,
            rows=self.rows, lanes=self.lanes,
        )  # fmt: skip
        return parts

    def grad_moments(self, x: Tensor, y: Tensor, grad: Tensor, *, relu: bool) -> Tensor:
        """(sections * n_parts, 2, C): sums of the gradient, alone and times x less row 0."""
        parts = self._parts(x)
        passes.grad_moments[(len(parts), self.across)](
            x, y, grad, parts, self.n_rows, self.part_rows, self.n_parts, self.channels,
            relu=relu, rows=self.rows, lanes=self.lanes,
        )  # fmt: skip
        return parts

    def apply(
        self, x: Tensor, add: Tensor | None, scale: Tensor, shift: Tensor, *, relu: bool
    ) -> Tensor:
        """``x * scale + shift`` and what is to be added, rectified if wished."""
        out = torch.empty_like(x)
        passes.apply[(self.sections * self.n_blocks, self.across)](
            x, x if add is None else add, out, scale, shift, self.n_rows, self.n_blocks,
            self.channels, relu=relu, has_add=add is not None, rows=self.rows, lanes=self.lanes,
        )  # fmt: skip
        return out

    def apply_grad(
        self, maps: tuple[Tensor, Tensor, Tensor], terms: tuple[Tensor, Tensor, Tensor],
        *, relu: bool, has_add: bool,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """The gradients of x and of what was added.

        Args:
            maps: x, the result, and the result's gradient.
            terms: What x's gradient is made of: by the gradient, by x, and a rest.
            relu: Whether the result was rectified.
            has_add: Whether something was added.
        """
        x, y, grad = maps
        of_x = torch.empty_like(x)
        of_add = torch.empty_like(x) if has_add else None
        passes.apply_grad[(self.sections * self.n_blocks, self.across)](
            x, y, grad, of_x, of_x if of_add is None else of_add, *terms, self.n_rows,
            self.n_blocks, self.channels, relu=relu, has_add=has_add, rows=self.rows,
            lanes=self.lanes,
        )  # fmt: skip
        return of_x, of_add

    def _parts(self, x: Tensor) -> Tensor:
        size = (self.sections * self.n_parts, 2, self.channels)
        return torch.empty(size, device=x.device, dtype=torch.float32)


@dataclass(frozen=True, slots=True)
class _How:
    norm: nn.BatchNorm2d
    relu: bool


class _BatchNormRelu(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, add: Tensor | None, how: _How
    ) -> Tensor:
        norm, relu = how.norm, how.relu
        plan = _Plan.of(x, by_image=False)
        c = plan.channels
        parts = plan.moments(x)
        stats = torch.empty(4, c, device=x.device)
        passes.finish_batch[(-(-c // _NARROW),)](
            parts, len(parts), x, weight, bias, norm.running_mean, norm.running_var,
            norm.momentum or 0.0, norm.eps, float(plan.n_rows), c, stats,
            depth=_DEPTH, lanes=_NARROW,
        )  # fmt: skip
        out = plan.apply(x, add, stats[2], stats[3], relu=relu)
        ctx.save_for_backward(x, out, stats)
        ctx.relu, ctx.has_add = relu, add is not None
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, out, stats = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        plan = _Plan.of(x, by_image=False)
        c = plan.channels
        parts = plan.grad_moments(x, out, grad, relu=ctx.relu)
        found = torch.empty(4, c, device=x.device)
        passes.finish_batch_grad[(-(-c // _NARROW),)](
            parts, len(parts), x, stats, float(plan.n_rows), c, found, depth=_DEPTH, lanes=_NARROW
        )
        of_x, of_add = plan.apply_grad(
            (x, out, grad), (stats[2], found[2], found[3]), relu=ctx.relu, has_add=ctx.has_add
        )
        return of_x, found[0], found[1], of_add, None


class _GroupNormRelu(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, groups: int, epsilon: float
    ) -> Tensor:
        plan = _Plan.of(x, by_image=True)
        b, c = x.shape[:2]
        sums = plan.moments(x).view(b, plan.n_parts, 2, groups, c // groups).sum(1)
        off = sums[:, 0] / plan.n_rows  # (B, groups, C / groups)
        own = sums[:, 1] / plan.n_rows - off.square()
        mean = off + x[0, :, 0, 0].float().view(groups, -1)
        variance, mean = own.mean(2) + mean.var(2, correction=0), mean.mean(2)
        rate = torch.rsqrt(variance.clamp(min=0.0) + epsilon)  # (B, groups)
        scale = (weight.view(groups, -1) * rate[:, :, None]).contiguous()
        shift = bias.view(groups, -1) - mean[:, :, None] * scale
        out = plan.apply(x, None, scale, shift.contiguous(), relu=True)
        ctx.save_for_backward(x, out, weight, mean, rate, scale)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, out, weight, mean, rate, scale = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        plan = _Plan.of(x, by_image=True)
        b, groups, size = scale.shape
        parts = plan.grad_moments(x, out, grad, relu=True)
        sums = parts.view(b, plan.n_parts, 2, groups, size).sum(1)
        off = mean[:, :, None] - x[0, :, 0, 0].float().view(groups, size)
        of_bias = sums[:, 0]
        of_weight = rate[:, :, None] * (sums[:, 1] - off * of_bias)  # (B, groups, size)
        n = plan.n_rows * size
        each = weight.view(groups, size)
        alone, along = ((each * term).sum(2) / n for term in (of_bias, of_weight))  # (B, groups)
        by_x = -rate.square() * along
        rest = -rate * alone - by_x * mean
        terms = tuple(t[:, :, None].expand_as(scale).contiguous() for t in (by_x, rest))
        of_x, _ = plan.apply_grad(
            (x, out, grad), (scale, terms[0], terms[1]), relu=True, has_add=False
        )
        return of_x, of_weight.sum(0).flatten(), of_bias.sum(0).flatten(), None, None


def batch_norm_relu(x: Tensor, norm: nn.BatchNorm2d, add: Tensor | None, *, relu: bool) -> Tensor:
    """Batch normalisation by the batch's own statistics, then a shortcut and ReLU.

    Args:
        x: (B, C, H, W), channels last.
        norm: In training mode, with running statistics and a momentum.
        add: The shortcut, of the shape and type of x.
        relu: Whether to rectify.
    """
    if add is not None:
        add = add.to(x.dtype).contiguous(memory_format=torch.channels_last)
    norm.get_buffer("num_batches_tracked").add_(1)
    how = _How(norm, relu)
    answer: Tensor = _BatchNormRelu.apply(x, norm.weight, norm.bias, add, how)  # type: ignore[no-untyped-call]
    return answer


def group_norm_relu(
    x: Tensor, groups: int, weight: Tensor, bias: Tensor, epsilon: float
) -> Tensor:
    """Group normalisation of x (B, C, H, W), channels last, then ReLU."""
    answer: Tensor = _GroupNormRelu.apply(x, weight, bias, groups, epsilon)  # type: ignore[no-untyped-call]
    return answer
