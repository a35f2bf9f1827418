"""DLA-34: deep layer aggregation (Yu et al., 2018) with the container's plain-convolution neck.

Strides: level k of the backbone has stride 2^k. The neck brings levels 2 to 5 to stride 4.
"""

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from automl.centerpose.models.aggregate import Aggregate
from automl.centerpose.models.blocks import conv_bn, conv_bn_relu, normalise
from automl.centerpose.models.fold import fold, folded_conv, per_cell
from automl.centerpose.models.gru import HEAD_STEP, ConvGRU
from automl.centerpose.models.heads import HEADS, Heads

__all__ = ["DLA34"]

_CHANNELS = (16, 32, 64, 128, 256, 512)  # levels 0 to 5
_TREE_DEPTHS = (1, 2, 2, 1)  # levels 2 to 5
_FIRST = 2  # the finest level that the neck reads: stride 4
_FOLD = 2  # a folded cell holds so many along each axis


class _Block(nn.Module):
    """Two 3x3 convolutions and a shortcut that the caller may give."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = conv_bn_relu(inputs, outputs, stride=stride)
        self.second = conv_bn(outputs, outputs)

    def forward(self, x: Tensor, shortcut: Tensor | None = None) -> Tensor:
        out: Tensor = self.second(self.first(x), x if shortcut is None else shortcut)
        return out


class _Tree(nn.Module):
    """Two blocks whose outputs, and those of ``extra`` channels from outside, one root joins."""

    def __init__(self, inputs: int, outputs: int, stride: int, extra: int) -> None:
        super().__init__()
        self.shrink = nn.MaxPool2d(stride) if stride > 1 else nn.Identity()
        self.project = conv_bn(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.first = _Block(inputs, outputs, stride)
        self.second = _Block(outputs, outputs, 1)
        self.root = conv_bn_relu(2 * outputs + extra, outputs, 1)

    def forward(self, x: Tensor, outside: Sequence[Tensor] = ()) -> Tensor:
        one = self.first(x, self.project(self.shrink(x)))
        two = self.second(one)
        joined: Tensor = self.root(torch.cat([two, one, *outside], dim=1))
        return joined


class _Level(nn.Module):
    """One level of the backbone: one tree, or two of which the second joins the first's output.

    Above level 2 the shrunk input of the level takes part in the last root too.
    """

    def __init__(self, inputs: int, outputs: int, depth: int, *, joins_input: bool) -> None:
        super().__init__()
        from_input = inputs if joins_input else 0
        self.joins_input = joins_input
        self.shrink = nn.MaxPool2d(2)
        if depth == 1:
            self.trees = nn.ModuleList([_Tree(inputs, outputs, 2, from_input)])
        else:
            second = _Tree(outputs, outputs, 1, from_input + outputs)
            self.trees = nn.ModuleList([_Tree(inputs, outputs, 2, 0), second])

    def forward(self, x: Tensor) -> Tensor:
        outside = [self.shrink(x)] if self.joins_input else []
        if len(self.trees) == 1:
            alone: Tensor = self.trees[0](x, outside)
            return alone
        first = self.trees[0](x)
        last: Tensor = self.trees[1](first, [*outside, first])
        return last


class _Backbone(nn.Module):
    """Image (B, 3, H, W) -> levels 2 to 5."""

    def __init__(self) -> None:
        super().__init__()
        zero, one = _CHANNELS[:2]
        self.stem = nn.Sequential(
            conv_bn_relu(3, zero, 7), conv_bn_relu(zero, zero), conv_bn_relu(zero, one, stride=2)
        )
        self.levels = nn.ModuleList(
            _Level(_CHANNELS[k - 1], _CHANNELS[k], depth, joins_input=k > _FIRST)
            for k, depth in enumerate(_TREE_DEPTHS, start=_FIRST)
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        x = self._folded_stem(image) if image.is_cuda else self.stem(image)
        maps = []
        for level in self.levels:
            x = level(x)
            maps.append(x)
        return maps

    def _folded_stem(self, image: Tensor) -> Tensor:
        """The same as ``stem``, by way of folded maps."""
        x = fold(image)
        for layer in self.stem:
            conv = cast("nn.Conv2d", layer.get_submodule("0"))
            after = partial(normalise, norm=layer.get_submodule("1"))
            x = folded_conv(x, conv)
            x = after(x) if conv.stride[0] == _FOLD else per_cell(x, after)
        return x


class _Neck(nn.Module):
    """Levels 2 to 5 -> (B, 64, H/4, W/4).

    Three aggregations, from the coarsest pair up to all four levels, each refining what the one
    before it left; then one over the results at strides 4, 8 and 16.
    """

    def __init__(self) -> None:
        super().__init__()
        widths = _CHANNELS[_FIRST:]
        stages = []
        for k in range(len(widths) - 2, -1, -1):
            coarser = len(widths) - k - 1  # maps above level k, all brought to one size by now
            stages.append(
                Aggregate([widths[k]] + [widths[k + 1]] * coarser, widths[k], [1] + [2] * coarser)
            )
        self.up = nn.ModuleList(stages)
        self.join = Aggregate(widths[:3], widths[0], (1, 2, 4))

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        tail = [levels[-1]]
        best = []  # the last map of each stage: strides 16, 8, 4
        for level, stage in zip(reversed(levels[:-1]), self.up, strict=True):
            tail = stage([level, *tail])
            best.append(tail[-1])
        joined: list[Tensor] = self.join(best[::-1])
        return joined[-1]


class DLA34(nn.Module):
    """The container's ``DLA34``, 19.86 M parameters with neck, GRU and heads.

    Args:
        head_conv: Width of the heads, channels.
        use_gru: Feed the heads from three steps of a ConvGRU instead of one shared map.
    """

    def __init__(self, head_conv: int, *, use_gru: bool) -> None:
        super().__init__()
        width = _CHANNELS[_FIRST]
        self.backbone = _Backbone()
        self.neck = _Neck()
        self.gru = ConvGRU(width, width) if use_gru else None
        self.heads = Heads(width, head_conv, normalised=use_gru)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Head maps of a normalised image (B, 3, H, W), H and W multiples of 32."""
        x = self.neck(self.backbone(image))  # (B, 64, H/4, W/4)
        if self.gru is None:
            return self.heads.answer([x], dict.fromkeys(HEADS, 0))
        return self.heads.answer(self.gru(x), HEAD_STEP)
