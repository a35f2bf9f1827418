"""Learnable depthwise upsampling: a transposed convolution that starts out bilinear."""

import torch
from torch import Tensor, nn

from automl.centerpose.models.kernels import has_kernels

__all__ = ["Upsample"]


class Upsample(nn.ConvTranspose2d):
    """Enlarges a map by ``factor`` with a kernel of twice that size per channel.

    Args:
        channels: Of the map.
        factor: An even number.
    """

    def __init__(self, channels: int, factor: int) -> None:
        super().__init__(
            channels,
            channels,
            kernel_size=2 * factor,
            stride=factor,
            padding=factor // 2,
            groups=channels,
            bias=False,
        )
        middle = factor - 0.5
        ramp = 1.0 - (torch.arange(2 * factor) - middle).abs() / factor
        with torch.no_grad():
            self.weight.copy_((ramp[:, None] * ramp[None, :]).expand_as(self.weight))

    def forward(self, x: Tensor, add: Tensor | None = None) -> Tensor:  # type: ignore[override]
        """A map (B, C, H, W) to (B, C, factor H, factor W), and a map of that shape added."""
        if has_kernels(x):
            from automl.centerpose.models.upsample_gpu import upsample

            return upsample(x, self.weight, add)
        out = super().forward(x)
        return out if add is None else out + add
