"""Heads behind a wide convolution, from its map to their answers, on a GPU.

The wide map is by far the largest of a network: 1,792 channels at a quarter of the input's side.
Group normalisation, ReLU and the last convolution as layers of their own pass over maps of that
size sixteen times in a step; here it is five times, and no map of that size is kept but the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from automl.centerpose.models import answer_passes_gpu as passes
from automl.centerpose.models.kernels import arrivals, dot_precision

__all__ = ["Head", "answers", "can_answer"]

#: Programs in all where each sums up a part, for each of 132 multiprocessors four or eight; rows
#: and columns of a tile, and warps that share it: what is fastest on an H200.
_MOMENTS_PROGRAMS, _GRAD_PROGRAMS = 528, 1056
_MOMENTS = {"rows": 64, "lanes": 64, "num_warps": 4}
_ANSWER = {"rows": 64, "lanes": 128, "num_warps": 4}
_GRAD_MOMENTS = {"rows": 16, "lanes": 128, "num_warps": 4}
_GRAD = {"rows": 32, "lanes": 64, "num_warps": 4}
_ALIGNED = 256  # columns that tiles of any width share out
_MAPS = 16  # a matrix unit's least; no head has more


@dataclass(frozen=True, slots=True)
class Head:
    """The layers of a head.

    Attributes:
        first: Its convolution, computed by the caller, but for the bias.
        norm: The group normalisation behind it.
        last: The 1x1 convolution that answers.
    """

    first: nn.Conv2d
    norm: nn.GroupNorm
    last: nn.Conv2d

    def parameters(self) -> tuple[Tensor, ...]:
        """What is added here to the wide map or multiplied with it."""
        last = self.last
        bias, of_last = self.first.get_parameter("bias"), last.get_parameter("bias")
        return bias, self.norm.weight, self.norm.bias, last.weight, of_last


@dataclass(frozen=True, slots=True)
class _AnswerPlan:
    """How the programs share the columns of a head.

    Attributes:
        x: The wide map (B, C, H, W), channels last.
        first: The head's first column.
        width: Its columns.
        size: Columns of a group.
    """

    x: Tensor
    first: int
    width: int
    size: int

    @property
    def n_rows(self) -> int:
        """Cells of an image."""
        return self.x.shape[2] * self.x.shape[3]

    def n_parts(self, n_programs: int, tile: Mapping[str, int]) -> int:
        """Parts of an image whose sums are taken apart."""
        most = max(1, n_programs * tile["lanes"] // (len(self.x) * self.width))
        return min(-(-self.n_rows // tile["rows"]), most)

    def moments(self, parameters: Sequence[Tensor], epsilon: float) -> Tensor:
        """(B, 5, width): what is known of each image's columns."""
        x, n_parts = self.x, self.n_parts(_MOMENTS_PROGRAMS, _MOMENTS)
        bias, weight, offset = parameters[:3]
        stats = torch.empty(len(x), 5, self.width, device=x.device)
        parts = torch.empty(len(x) * n_parts, 2, self.width, device=x.device)
        passes.answer_moments[(self.width // _MOMENTS["lanes"], len(parts))](
            x, bias, weight, offset, parts, arrivals(x.device), stats, epsilon, self.n_rows,
            -(-self.n_rows // n_parts), n_parts, x.shape[1], self.first, size=self.size,
            **_MOMENTS, width=self.width,
        )  # fmt: skip
        return stats

    def answer(self, stats: Tensor, taps: Tensor, bias: Tensor) -> Tensor:
        """(B, maps, H, W) fp32, map after map as torch has them on its own."""
        b, _, h, w = self.x.shape
        out = torch.empty(b, len(bias), h, w, device=self.x.device)
        n_blocks = -(-self.n_rows // _ANSWER["rows"])
        passes.answer[(b * n_blocks,)](
            self.x, stats, taps, bias, out, self.n_rows, n_blocks, self.x.shape[1], self.first,
            len(bias), *_strides(out), precision=dot_precision(), maps=_MAPS, **_ANSWER,
            width=self.width,
        )  # fmt: skip
        return out

    def gradients(
        self, stats: Tensor, grad: Tensor, parameters: Sequence[Tensor], of_x: Tensor
    ) -> tuple[Tensor, ...]:
        """Writes the head's columns of ``of_x``; returns the gradients of the parameters."""
        x, n_parts = self.x, self.n_parts(_GRAD_PROGRAMS, _GRAD_MOMENTS)
        added, weight, _, taps, bias = parameters
        n_all, where = len(x) * n_parts, _strides(grad)
        terms = torch.empty_like(stats)
        parts = torch.empty(n_all, 2, self.width, device=x.device)
        of_taps = torch.empty(n_all, self.width, _MAPS, device=x.device)
        of_bias = torch.empty(n_all, _MAPS, device=x.device)
        precision = dot_precision()
        passes.answer_grad_moments[(self.width // _GRAD_MOMENTS["lanes"], n_all)](
            x, added, weight, stats, grad, taps, parts, of_taps, of_bias, arrivals(x.device),
            terms, self.n_rows, -(-self.n_rows // n_parts), n_parts, x.shape[1], self.first,
            len(bias), *where, precision=precision, size=self.size, maps=_MAPS,
            **_GRAD_MOMENTS, width=self.width,
        )  # fmt: skip
        n_blocks = -(-self.n_rows // _GRAD["rows"])
        passes.answer_grad[(self.width // _GRAD["lanes"] * len(x) * n_blocks,)](
            x, stats, terms, grad, taps, of_x, self.n_rows, n_blocks, x.shape[1], self.first,
            len(bias), *where, precision=precision, maps=_MAPS, **_GRAD,
            width=self.width,
        )  # fmt: skip
        of_weight, of_offset, of_added = terms[:, 2:].sum(0)
        of_taps = of_taps.sum(0)[:, : len(bias)].t().reshape(taps.shape)
        return of_added, of_weight, of_offset, of_taps, of_bias.sum(0)[: len(bias)]


def _strides(maps: Tensor) -> tuple[int, int, int]:
    """From image to image, map to map and cell to cell of maps whose rows follow one another."""
    return maps.stride(0), maps.stride(1), maps.stride(3)


class _Answers(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, norms: tuple[nn.GroupNorm, ...], *flat: Tensor
    ) -> tuple[Tensor, ...]:
        plans, stats, found, first = [], [], [], 0
        for norm, parameters in zip(norms, _by_head(flat), strict=True):
            width = norm.num_channels
            plan = _AnswerPlan(x, first, width, width // norm.num_groups)
            known = plan.moments(parameters, norm.eps)
            found.append(plan.answer(known, *parameters[3:]))
            plans.append((first, width, plan.size))
            stats.append(known)
            first += width
        ctx.save_for_backward(x, *stats, *flat)
        ctx.plans = plans
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        x, *rest = ctx.saved_tensors
        n = len(ctx.plans)
        of_x = torch.empty_like(x)
        of_parameters: list[Tensor] = []
        whole = zip(ctx.plans, rest[:n], _by_head(rest[n:]), grads, strict=True)
        for place, stats, parameters, grad in whole:
            even = grad if _rows_follow(grad) else grad.contiguous()
            of_parameters += _AnswerPlan(x, *place).gradients(stats, even, parameters, of_x)
        return of_x, None, *of_parameters


def _by_head(flat: Sequence[Tensor]) -> list[Sequence[Tensor]]:
    return [flat[k : k + 5] for k in range(0, len(flat), 5)]


def _rows_follow(maps: Tensor) -> bool:
    return maps.stride(2) == maps.shape[3] * maps.stride(3) > 0


def can_answer(heads: Sequence[Head]) -> bool:
    """Whether the kernels are for heads of these sizes."""
    return all(
        head.norm.num_channels % _ALIGNED == 0
        and _ALIGNED % (head.norm.num_channels // head.norm.num_groups) == 0
        and head.last.out_channels <= _MAPS
        for head in heads
    )


def answers(x: Tensor, heads: Sequence[Head]) -> tuple[Tensor, ...]:
    """What heads answer, each (B, maps, H, W) in fp32.

    Args:
        x: (B, C, H, W): the heads' first convolutions, one after another along the channels, but
            without their biases.
        heads: Their layers.
    """
    x = x.contiguous(memory_format=torch.channels_last)
    flat = [each for head in heads for each in head.parameters()]
    norms = tuple(head.norm for head in heads)
    found: tuple[Tensor, ...] = _Answers.apply(x, norms, *flat)  # type: ignore[no-untyped-call]
    return found
