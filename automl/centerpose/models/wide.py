"""Layers side by side that read the same map, computed as one wide layer.

Several narrow layers over one map read it several times and leave matrix units half empty; one
layer with all their weights reads it once. The function computed is the same.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.centerpose.models.convolve import with_weight

__all__ = ["block_pointwise", "wide_conv", "wide_norm_relu"]

_LANES = 8  # matrix units want outputs by the eight


def wide_conv(x: Tensor, layers: Sequence[nn.Conv2d], *, with_bias: bool = True) -> Tensor:
    """What 3x3 convolutions over x (B, C, H, W) say, one after another along the channels."""
    weight = torch.cat([layer.weight for layer in layers])
    if not with_bias:
        return with_weight(x, weight)
    bias = torch.cat([layer.get_parameter("bias") for layer in layers])
    return functional.conv2d(x, weight, bias, padding=layers[0].padding)


def wide_norm_relu(x: Tensor, layers: Sequence[nn.GroupNorm]) -> Tensor:
    """Each part of the channels of x (B, C, H, W) through its group normalisation and ReLU."""
    weight = torch.cat([layer.weight for layer in layers])
    bias = torch.cat([layer.bias for layer in layers])
    groups, epsilon = sum(layer.num_groups for layer in layers), layers[0].eps
    return functional.relu(functional.group_norm(x, groups, weight, bias, epsilon))


def block_pointwise(x: Tensor, layers: Sequence[nn.Conv2d]) -> Tensor:
    """Each part of the channels of x through its own 1x1 convolution, in one product.

    Returns:
        (B, C', H, W): the outputs one after another; on a GPU C' is rounded up to a multiple of
        eight, and what is too much means nothing.
    """
    weight, before = [], 0
    for layer in layers:
        after = x.shape[1] - before - layer.in_channels
        weight.append(functional.pad(layer.weight.flatten(1), (before, after)))
        before += layer.in_channels
    bias = torch.cat([layer.get_parameter("bias") for layer in layers])
    n_more = -len(bias) % _LANES if x.is_cuda else 0
    matrix = functional.pad(torch.cat(weight), (0, 0, 0, n_more))
    return functional.conv2d(x, matrix[:, :, None, None], functional.pad(bias, (0, n_more)))
