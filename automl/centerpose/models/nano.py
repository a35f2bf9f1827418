"""``nano``: this package's own small CenterPose network, about 0.3 M parameters, for CPUs.

It exists so that a whole search can be tried on a machine without a GPU. Most of its work is done
at strides 8 and 16, where a map has few cells; the stride-4 maps that the contract asks for come
out of one pixel shuffle. One narrow trunk serves all seven heads, and there is no GRU.
"""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.centerpose.models.blocks import conv_bn, conv_bn_relu
from automl.centerpose.models.heads import HEADS, HEATMAPS, start_heatmap_bias

__all__ = ["Nano"]

_WIDTHS = (16, 32, 48, 64, 80)  # channels at strides 4, 8, 16, 32 and 64
_TRUNK = 48  # channels at stride 8 that all heads read
_SHUFFLE = 2  # stride 8 -> stride 4

_UNIT: Mapping[str, float] = MappingProxyType({"hps": 16.0, "wh": 32.0})
"""Grid cells per unit of a head's raw output: displacements of tens of cells, predicted by
weights of order one, are reached in hundreds of steps instead of thousands."""


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv_bn_relu(channels, channels)
        self.second = conv_bn(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.second(self.first(x))
        return torch.relu(out + x)


class Nano(nn.Module):
    """A feature pyramid over a patch stem, with one shared head."""

    units: Tensor

    def __init__(self) -> None:
        super().__init__()
        s4, s8, s16, s32, s64 = _WIDTHS
        self.stem = nn.Sequential(  # 4x4 patches: stride 4 in one cheap layer
            nn.Conv2d(3, s4, 4, stride=4, bias=False), nn.BatchNorm2d(s4), nn.ReLU(inplace=True)
        )
        self.down8 = conv_bn_relu(s4, s8, stride=2)
        self.down16 = nn.Sequential(conv_bn_relu(s8, s16, stride=2), _Residual(s16))
        self.down32 = nn.Sequential(conv_bn_relu(s16, s32, stride=2), _Residual(s32))
        self.down64 = nn.Sequential(conv_bn_relu(s32, s64, stride=2), _Residual(s64))
        self.side64 = conv_bn_relu(s64, s32, 1)
        self.side32 = conv_bn_relu(s32, s16, 1)
        self.side16 = conv_bn_relu(s16, _TRUNK, 1)
        self.side8 = conv_bn_relu(s8, _TRUNK, 1)
        self.mix16 = conv_bn_relu(_TRUNK, _TRUNK)
        self.mix8 = conv_bn_relu(_TRUNK, _TRUNK)
        self.head = nn.Conv2d(_TRUNK, sum(HEADS.values()) * _SHUFFLE**2, 1)
        units = [_UNIT.get(name, 1.0) for name, count in HEADS.items() for _ in range(count)]
        self.register_buffer("units", torch.tensor(units).view(1, -1, 1, 1), persistent=False)
        self._start_head()

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Head maps of a normalised image (B, 3, H, W), H and W multiples of 64."""
        x8 = self.down8(self.stem(image))  # (B, 32, H/8, W/8)
        x16 = self.down16(x8)  # (B, 48, H/16, W/16)
        x32 = self.down32(x16)  # (B, 64, H/32, W/32)
        x32 = x32 + _double(self.side64(self.down64(x32)))
        x16 = self.mix16(self.side16(x16 + _double(self.side32(x32))))  # (B, 48, H/16, W/16)
        x8 = self.mix8(self.side8(x8) + _double(x16))  # (B, 48, H/8, W/8)
        maps = functional.pixel_shuffle(self.head(x8), _SHUFFLE) * self.units  # (B, 34, H/4, W/4)
        parts = torch.split(maps, list(HEADS.values()), dim=1)
        return dict(zip(HEADS, parts, strict=True))

    def _start_head(self) -> None:
        if self.head.bias is not None:
            nn.init.zeros_(self.head.bias)
        first = 0
        for name, count in HEADS.items():
            channels = slice(first * _SHUFFLE**2, (first + count) * _SHUFFLE**2)
            if name in HEATMAPS:
                start_heatmap_bias(self.head, channels)
            first += count


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")
