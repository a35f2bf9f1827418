"""Depthwise convolutions that keep the size, over maps whose channels come last."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["convolved"]


class _Depthwise(torch.autograd.Function):
    """The gradient of the map by the forward kernel, with the weight turned round.

    cuDNN's own kernel for it takes twice as long.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _convolve(x, weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        c, pad = x.shape[1], weight.shape[-1] // 2
        _, of_weight, _ = torch.ops.aten.convolution_backward(
            grad, x, weight, None, [1, 1], [pad, pad], [1, 1], False, [0, 0], c,
            (False, True, False),
        )  # fmt: skip
        return _convolve(grad, weight.flip(2, 3)), of_weight


def _convolve(x: Tensor, weight: Tensor) -> Tensor:
    return functional.conv2d(x, weight, padding=weight.shape[-1] // 2, groups=x.shape[1])


def convolved(x: Tensor, layer: nn.Conv2d) -> Tensor:
    """What a depthwise layer that keeps the size makes of a map (B, H, W, C)."""
    maps = x.permute(0, 3, 1, 2)
    if not x.is_cuda:
        plain: Tensor = layer(maps).permute(0, 2, 3, 1)
        return plain
    if torch.is_autocast_enabled("cuda"):
        maps = maps.to(torch.get_autocast_dtype("cuda"))
    found: Tensor = _Depthwise.apply(maps, layer.weight.to(maps.dtype))  # type: ignore[no-untyped-call]
    return found.permute(0, 2, 3, 1) + layer.get_parameter("bias").to(maps.dtype)
