"""Depthwise convolutions that keep the size, over maps whose channels come last.

On a GPU they are operators of their own, of which torch's compiler sees no more than their shapes:
around the convolutions that it knows it lays out maps anew, at a tenth of a training's time.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.centerpose.models.convolve import gradient_of_weight

__all__ = ["convolved_apart", "depthwise"]


@torch.library.custom_op("automl::depthwise", mutates_args=())
def depthwise(x: Tensor, weight: Tensor) -> Tensor:
    """The convolution of a map, each channel on its own, that keeps the map's size.

    Its gradient by the map is the same with the weight turned round: cuDNN's own kernel for it
    takes twice as long.

    Args:
        x: (B, H, W, C).
        weight: (C, 1, K, K), K odd, of the type of x.

    Returns:
        (B, H, W, C).
    """
    maps, c, pad = x.contiguous().permute(0, 3, 1, 2), x.shape[-1], weight.shape[-1] // 2
    found = functional.conv2d(maps, weight, padding=pad, groups=c)
    return found.permute(0, 2, 3, 1).contiguous()


@torch.library.custom_op("automl::depthwise_of_weight", mutates_args=())
def _of_weight(x: Tensor, weight: Tensor, grad: Tensor) -> Tensor:
    """The gradient of the weight, from that of the result."""
    maps, grads = (each.contiguous().permute(0, 3, 1, 2) for each in (x, grad))
    return gradient_of_weight(grads, maps, weight, groups=x.shape[-1]).contiguous()


@depthwise.register_fake
def _(x: Tensor, weight: Tensor) -> Tensor:  # noqa: ARG001
    return x.new_empty(x.shape)


@_of_weight.register_fake
def _(x: Tensor, weight: Tensor, grad: Tensor) -> Tensor:  # noqa: ARG001
    return weight.new_empty(weight.shape)


def _keep(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:  # noqa: ARG001
    ctx.save_for_backward(*inputs)


def _gradients(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
    x, weight = ctx.saved_tensors
    return depthwise(grad, weight.flip(2, 3)), _of_weight(x, weight, grad)


depthwise.register_autograd(_gradients, setup_context=_keep)


def convolved_apart(x: Tensor, layer: nn.Conv2d) -> Tensor:
    """What a depthwise layer that keeps the size makes of a map (B, H, W, C)."""
    if not x.is_cuda:
        plain: Tensor = layer(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return plain
    if torch.is_autocast_enabled("cuda"):
        x = x.to(torch.get_autocast_dtype("cuda"))
    found: Tensor = depthwise(x, layer.weight.to(x.dtype))
    return found + layer.get_parameter("bias").to(x.dtype)
