"""Convolutions at stride 1 whose gradients are computed in the way that is fastest on a GPU."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.centerpose.models.kernels import has_kernels

__all__ = ["convolved", "convolved_together", "gradient_of_weight", "with_weight"]

_LARGE = 1 << 19  # cells of a batch; below, turning the weight costs more than it gains


class _ByForward(torch.autograd.Function):
    """The gradient of the map by the forward kernel, with the weight turned round.

    For large maps of few channels cuDNN's own kernel for it takes up to a quarter longer.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return functional.conv2d(x, weight, padding=weight.shape[-1] // 2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        asked = ctx.needs_input_grad
        of_x = of_weight = None
        if asked[0]:
            turned = weight.transpose(0, 1).flip(2, 3)
            of_x = functional.conv2d(grad, turned, padding=weight.shape[-1] // 2)
        if asked[1]:
            of_weight = gradient_of_weight(grad, x, weight)
        return of_x, of_weight


def gradient_of_weight(grad: Tensor, x: Tensor, weight: Tensor, groups: int = 1) -> Tensor:
    """The weight's gradient of a convolution at stride 1 that keeps the size of its map.

    Args:
        grad: (B, C', H, W), of the result.
        x: (B, C, H, W), the map.
        weight: (C', C / groups, K, K), K odd.
        groups: Of the channels.
    """
    pad = weight.shape[-1] // 2
    found: Tensor = torch.ops.aten.convolution_backward(
        grad, x, weight, None, [1, 1], [pad, pad], [1, 1], False, [0, 0], groups,
        (False, True, False),
    )[1]  # fmt: skip
    return found


def convolved(x: Tensor, layer: nn.Conv2d) -> Tensor:
    """What a layer of odd kernel size, padded to keep the size at stride 1, makes of a map.

    Args:
        x: (B, C, H, W).
        layer: Its bias is left out.
    """
    return with_weight(x, layer.weight, layer.stride[0])


def convolved_together(maps: Sequence[Tensor], layer: nn.Conv2d) -> Tensor:
    """What a 1x1 layer without bias makes of maps (B, c, H, W), one after another as channels."""
    if has_kernels(maps[0]) and torch.is_autocast_enabled("cuda"):
        from automl.centerpose.models.joined_gpu import can_join, joined

        if can_join(maps):
            kind = torch.get_autocast_dtype("cuda")
            return joined([each.to(kind) for each in maps], layer.weight.to(kind))
    return convolved(torch.cat(list(maps), dim=1), layer)


def with_weight(x: Tensor, weight: Tensor, stride: int = 1) -> Tensor:
    """The convolution of x (B, C, H, W) with a weight (C', C, K, K), K odd, padded by K // 2."""
    b, _, h, w = x.shape
    half = torch.is_autocast_enabled("cuda")
    if x.is_cuda and half and stride == 1 and weight.shape[-1] > 1 and b * h * w >= _LARGE:
        kind = torch.get_autocast_dtype("cuda")
        found: Tensor = _ByForward.apply(x.to(kind), weight.to(kind))  # type: ignore[no-untyped-call]
        return found
    return functional.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
