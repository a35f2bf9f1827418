"""The few layers that several networks are made of."""

import torch
from torch import nn

__all__ = ["bilinear_upsample", "conv_bn", "conv_bn_relu"]


def conv_bn(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution without bias, then batch normalisation; keeps the size at stride 1."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


def conv_bn_relu(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution without bias, batch normalisation and ReLU."""
    return nn.Sequential(*conv_bn(inputs, outputs, kernel, stride), nn.ReLU(inplace=True))


def bilinear_upsample(channels: int, factor: int) -> nn.ConvTranspose2d:
    """A learnable depthwise upsampling by ``factor`` that starts out as bilinear interpolation."""
    layer = nn.ConvTranspose2d(
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
        layer.weight.copy_((ramp[:, None] * ramp[None, :]).expand_as(layer.weight))
    return layer
