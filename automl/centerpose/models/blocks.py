"""The few layers that several networks are made of."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from automl.centerpose.models.convolve import convolved, convolved_together
from automl.centerpose.models.fold import per_cell, unfolded_once
from automl.centerpose.models.kernels import has_kernels

__all__ = [
    "ConvNorm",
    "JoinedConvNorm",
    "conv_bn",
    "conv_bn_relu",
    "normalise",
    "normalised_and_refolded",
]


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch normalisation, and ReLU if there is a third layer."""

    def forward(self, x: Tensor, shortcut: Tensor | None = None) -> Tensor:
        """A map (B, C, H, W) through the layers.

        Args:
            x: The map.
            shortcut: Added to the normalised map, of its shape, before it is rectified. Where it
                is given the result is rectified in any case.
        """
        return self.shared(x, 1, shortcut)[0]

    def shared(self, x: Tensor, uses: int, shortcut: Tensor | None = None) -> tuple[Tensor, ...]:
        """The same so often as the result is used; see ``normalise``."""
        relu = shortcut is not None or len(self) > 2
        mixed = convolved(x, cast("nn.Conv2d", self[0]))
        return normalise(mixed, self[1], shortcut, relu=relu, uses=uses)


class JoinedConvNorm(ConvNorm):
    """The same of several maps, one after another along the channels."""

    def of(self, maps: Sequence[Tensor], uses: int) -> tuple[Tensor, ...]:
        """The result so often as it is used; see ``normalise``."""
        return normalise(convolved_together(maps, cast("nn.Conv2d", self[0])), self[1], uses=uses)


def normalise(
    x: Tensor, norm: nn.Module, shortcut: Tensor | None = None, *, relu: bool = True, uses: int = 1
) -> tuple[Tensor, ...]:
    """Batch normalisation of x (B, C, H, W), then the shortcut, then ReLU if wished.

    Returns:
        The result, ``uses`` times. Whoever uses each of them once spares a GPU the sums of the
        gradients: they are added up in the pass that reads them.
    """
    if has_kernels(x) and _by_batch(norm) and _is_channels_last(x):
        from automl.centerpose.models.norm_gpu import batch_norm_relu

        return batch_norm_relu(x, norm, shortcut, relu=relu, uses=uses)  # type: ignore[arg-type]
    out: Tensor = norm(x)
    if shortcut is not None:
        out = out + shortcut
    return (torch.relu_(out) if relu else out,) * uses


def normalised_and_refolded(x: Tensor, norm: nn.Module) -> Tensor:
    """A map folded by 4 x 4 through batch normalisation and ReLU, folded by 2 x 2 then.

    Args:
        x: (B, 16 C, H, W), folded as ``fold`` says.
        norm: Of C channels.

    Returns:
        (B, 4 C, 2 H, 2 W).
    """
    if not (has_kernels(x) and _by_batch(norm) and _is_channels_last(x)):
        return unfolded_once(per_cell(x, lambda cells: normalise(cells, norm)[0], 4))
    from automl.centerpose.models.norm_gpu import batch_norm_relu

    b, c, h, w = x.shape

    def turned(cells: Tensor) -> Tensor:
        return batch_norm_relu(cells, norm, None, relu=True, turn=w)[0]  # type: ignore[arg-type]

    lines = per_cell(x, turned, 4).permute(0, 2, 3, 1)
    return lines.reshape(b, 2 * h, 2 * w, c // 4).permute(0, 3, 1, 2)


def _by_batch(norm: nn.Module) -> bool:
    return isinstance(norm, nn.BatchNorm2d) and norm.training and norm.momentum is not None


def _is_channels_last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last)


def conv_bn(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> ConvNorm:
    """Convolution without bias, then batch normalisation; keeps the size at stride 1."""
    return ConvNorm(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


def conv_bn_relu(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> ConvNorm:
    """Convolution without bias, batch normalisation and ReLU."""
    return ConvNorm(*conv_bn(inputs, outputs, kernel, stride), nn.ReLU(inplace=True))
