"""The ConvNeXt stages (Liu et al., 2022) that a FAN begins with."""

import torch
from torch import Tensor, nn

from automl.centerpose.models.depthwise import convolved_apart

__all__ = ["ChannelNorm", "ConvNeXtBlock", "patches"]

_SCALE_START = 1e-6  # of what a block adds, per channel: as published
_EPSILON = 1e-6


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of a map (B, C, H, W).

    Args:
        channels: Of the map.
        feeds_conv: Whether convolutions alone read the result, which at mixed precision may then
            be written as they will read it.
        epsilon: Added to the variance.
    """

    def __init__(
        self, channels: int, *, feeds_conv: bool = True, epsilon: float = _EPSILON
    ) -> None:
        super().__init__(channels, eps=epsilon)
        self.feeds_conv = feeds_conv

    def forward(self, x: Tensor) -> Tensor:
        """The map with mean 0 and variance 1 over the channels of each cell, then weighed."""
        found = super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        if self.feeds_conv and x.is_cuda and torch.is_autocast_enabled("cuda"):
            found = found.to(torch.get_autocast_dtype("cuda"))
        return found


class ConvNeXtBlock(nn.Module):
    """Depthwise 7x7 convolution, then two linear layers over the channels, and a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.around = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=_EPSILON)
        self.widen = nn.Linear(channels, 4 * channels)
        self.act = nn.GELU()
        self.narrow = nn.Linear(4 * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), _SCALE_START))

    def forward(self, x: Tensor) -> Tensor:
        """A map (B, C, H, W) to one of the same shape; free of copies where x is channels_last."""
        cells = self.norm(convolved_apart(x.permute(0, 2, 3, 1), self.around))  # (B, H, W, C)
        added: Tensor = self.scale * self.narrow(self.act(self.widen(cells)))
        return x + added.permute(0, 3, 1, 2)


def patches(inputs: int, outputs: int, size: int) -> nn.Conv2d:
    """A convolution over patches of ``size`` by ``size`` cells that do not overlap."""
    return nn.Conv2d(inputs, outputs, size, stride=size)
