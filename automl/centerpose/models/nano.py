"""``nano``: this package's own small CenterPose network, about 0.4 M parameters, for CPUs.

It exists so that a whole search can be tried on a machine without a GPU. Most of its work is done
at strides 8 and 16, where a map has few cells; the stride-4 maps that the contract asks for come
out of one pixel shuffle. One narrow trunk serves all seven heads, and there is no GRU.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.centerpose.models.blocks import conv_bn, conv_bn_relu
from automl.centerpose.models.heads import HEADS, HEATMAP_BIAS, HEATMAPS
from automl.centerpose.models.partly_read import PartlyRead

__all__ = ["Nano"]

_WIDTHS = (16, 32, 48, 64, 80)  # channels at strides 4, 8, 16, 32 and 64
_TRUNK = 48  # channels at stride 8 that all heads read
_SHUFFLE = 2  # stride 8 -> stride 4

_UNIT: Mapping[str, float] = MappingProxyType({"hm": 8.0, "hm_hp": 8.0, "hps": 16.0, "wh": 32.0})
"""Logits or grid cells per unit of a head's raw output. Adam moves a weight by about the learning
rate a step, so displacements of tens of cells, and logits that must climb past the decoder's
threshold, would otherwise take thousands of steps; a CPU has hundreds."""


class _Pointwise(nn.Linear):
    """A 1x1 convolution as one matrix product over the channels of a channels-last map."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _side(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        _Pointwise(inputs, outputs, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class _Residual(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv_bn_relu(channels, channels)
        self.second = conv_bn(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.second(self.first(x), x)
        return out


class _Answer(nn.Module):
    """The maps of some heads at stride 4 from a map at stride 8: each cell answers for 2 x 2.

    Args:
        names: The heads, in the order of the maps.
    """

    units: Tensor

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.counts = {name: HEADS[name] for name in names}
        n_maps = sum(self.counts.values())
        self.linear = nn.Linear(_TRUNK, _SHUFFLE**2 * n_maps)
        units = [_UNIT.get(name, 1.0) for name in names for _ in range(HEADS[name])]
        repeated = torch.tensor(units).repeat(_SHUFFLE**2)
        self.register_buffer("units", repeated, persistent=False)
        start = HEATMAP_BIAS if names[0] in HEATMAPS else 0.0
        # From zero weights an answer comes to depend on the image only where it helps. Random
        # ones must be unlearnt first: they left a noise of 0.1 on sizes that differ by 0.04.
        nn.init.zeros_(self.linear.weight)
        with torch.no_grad():
            self.linear.bias.copy_(start / self.units)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        n, _, h, w = x.shape
        cells = self._answered(x.permute(0, 2, 3, 1))  # (B, H, W, 4 maps)
        cells = cells.view(n, h, w, _SHUFFLE, _SHUFFLE, -1).permute(0, 5, 1, 3, 2, 4)
        return self._by_head(cells.reshape(n, -1, h * _SHUFFLE, w * _SHUFFLE), dim=1)

    def at(self, x: Tensor, cells: Tensor) -> dict[str, Tensor]:
        """(B, K, C) by head: what ``forward`` answers in the flat cells (B, K) of stride 4."""
        n, channels, _, width = x.shape
        row, column = cells // (width * _SHUFFLE), cells % (width * _SHUFFLE)
        place = (row // _SHUFFLE * width + column // _SHUFFLE).unsqueeze(2)  # (B, K, 1)
        features = x.permute(0, 2, 3, 1).flatten(1, 2).gather(1, place.expand(-1, -1, channels))
        answered = self._answered(features).view(n, cells.shape[1], _SHUFFLE**2, -1)
        part = (row % _SHUFFLE * _SHUFFLE + column % _SHUFFLE).view(n, -1, 1, 1)
        own = answered.gather(2, part.expand(-1, -1, -1, answered.shape[3])).squeeze(2)
        return self._by_head(own, dim=2)

    def _answered(self, features: Tensor) -> Tensor:
        """(..., 4 maps) from (..., C)."""
        # The units go into the weights, not into the maps, which are a thousand times larger.
        weight, bias = self.linear.weight * self.units[:, None], self.linear.bias * self.units
        return functional.linear(features, weight, bias)

    def _by_head(self, joint: Tensor, dim: int) -> dict[str, Tensor]:
        parts = torch.split(joint, list(self.counts.values()), dim)
        return dict(zip(self.counts, parts, strict=True))


class Nano(nn.Module):
    """A feature pyramid over a patch stem, with one shared trunk for the heads."""

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
        self.side64 = _side(s64, s32)
        self.side32 = _side(s32, s16)
        self.side16 = _side(s16, _TRUNK)
        self.side8 = _side(s8, _TRUNK)
        self.mix16 = conv_bn_relu(_TRUNK, _TRUNK)
        self.mix8 = conv_bn_relu(_TRUNK, _TRUNK)
        self.heatmaps = _Answer(HEATMAPS)
        self.regressions = _Answer([name for name in HEADS if name not in HEATMAPS])

    def forward(self, image: Tensor) -> Mapping[str, Tensor]:
        """Head maps of a normalised image (B, 3, H, W), H and W multiples of 32.

        A training reads those of the regressions at a few cells; it gets ``PartlyRead``.
        """
        x8 = self.down8(self.stem(image))  # (B, 32, H/8, W/8)
        x16 = self.down16(x8)  # (B, 48, H/16, W/16)
        x32 = self.down32(x16)  # (B, 64, H/32, W/32)
        x32 = _enlarged(self.side64(self.down64(x32)), x32).add_(x32)
        x16 = _enlarged(self.side32(x32), x16).add_(x16)
        x16 = self.mix16(self.side16(x16))  # (B, 48, H/16, W/16)
        x8 = self.mix8(_enlarged(x16, x8).add_(self.side8(x8)))  # (B, 48, H/8, W/8)
        heatmaps: dict[str, Tensor] = self.heatmaps(x8)
        if self.training:
            return PartlyRead(heatmaps, self.regressions, x8.float())
        regressions: dict[str, Tensor] = self.regressions(x8)
        return heatmaps | regressions


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(x, size=like.shape[-2:], mode="nearest")
