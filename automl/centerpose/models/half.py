"""The weights of a network's convolutions at half precision, cast all at once.

At mixed precision each weight is cast before it is used, and its gradient is cast back: a hundred
small kernels in a step of DLA34, which a GPU spends more time on starting than on computing.
"""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from automl.centerpose.models.blocks import ConvNorm

__all__ = ["passed"]

_FOLDED = "stem."  # layers whose weights are rearranged first, with sums of gradients in full


class _CastAll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kind: torch.dtype, *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.full = weights[0].dtype
        return _cast(weights, kind)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        found = iter(_cast([grad for grad in grads if grad is not None], ctx.full))
        return None, *(None if grad is None else next(found) for grad in grads)


def _cast(tensors: tuple[Tensor, ...] | list[Tensor], kind: torch.dtype) -> tuple[Tensor, ...]:
    found = [torch.empty_like(each, dtype=kind) for each in tensors]
    if found:
        torch._foreach_copy_(found, list(tensors))
    return tuple(found)


def passed(network: nn.Module, images: Tensor) -> Mapping[str, Tensor]:
    """What a network answers in training; on a GPU, mixed precision casts its weights at once.

    Args:
        network: With weights at full precision.
        images: (B, 3, H, W), as the network takes them.
    """
    if not (images.is_cuda and torch.is_autocast_enabled("cuda")):
        plain: Mapping[str, Tensor] = network(images)
        return plain
    weights = _once_used(network)
    kind = torch.get_autocast_dtype("cuda")
    halves = dict(zip(weights, _CastAll.apply(kind, *weights.values()), strict=True))  # type: ignore[no-untyped-call]
    found: Mapping[str, Tensor] = functional_call(network, halves, (images,))
    return found


def _once_used(network: nn.Module) -> dict[str, Tensor]:
    """By name, the weights that are used once in a pass and as they are."""
    return {
        f"{name}.0.weight": cast("nn.Conv2d", layer[0]).weight
        for name, layer in network.named_modules()
        if isinstance(layer, ConvNorm) and _FOLDED not in f"{name}."
    }
