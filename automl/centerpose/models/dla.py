"""DLA-34: deep layer aggregation (Yu et al., 2018) with the container's plain-convolution neck.

Strides: level k of the backbone has stride 2^k. The neck brings levels 2 to 5 to stride 4.
"""

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from automl.centerpose.models.aggregate import Aggregate
from automl.centerpose.models.blocks import (
    JoinedConvNorm,
    conv_bn,
    conv_bn_relu,
    normalise,
    normalised_and_refolded,
)
from automl.centerpose.models.fold import fold, folded_conv, per_cell
from automl.centerpose.models.gru import HEAD_STEP, ConvGRU
from automl.centerpose.models.heads import HEADS, Heads
from automl.centerpose.models.pool import halved

__all__ = ["DLA34"]

_CHANNELS = (16, 32, 64, 128, 256, 512)  # levels 0 to 5
_TREE_DEPTHS = (1, 2, 2, 1)  # levels 2 to 5
_FIRST = 2  # the finest level that the neck reads: stride 4
_USES = (1, 2, 2, 1)  # how often the neck uses levels 2 to 5


class _Block(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = conv_bn_relu(inputs, outputs, stride=stride)
        self.second = conv_bn(outputs, outputs)

    def forward(self, x: Tensor, shortcut: Tensor, uses: int) -> tuple[Tensor, ...]:
        """The result so often as it is used."""
        return self.second.shared(self.first(x), uses, shortcut)


class _Tree(nn.Module):
    """Two blocks whose outputs, and those of ``extra`` channels from outside, one root joins."""

    def __init__(self, inputs: int, outputs: int, stride: int, extra: int) -> None:
        super().__init__()
        self.project = conv_bn(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.first = _Block(inputs, outputs, stride)
        self.second = _Block(outputs, outputs, 1)
        self.root = JoinedConvNorm(*conv_bn_relu(2 * outputs + extra, outputs, 1))

    def forward(
        self, x: Tensor, small: Tensor, outside: Sequence[Tensor], uses: int
    ) -> tuple[Tensor, ...]:
        """The root's result so often as it is used.

        Args:
            x: The input (B, C, H, W).
            small: The same at the size of the result.
            outside: What else the root joins.
            uses: How often the result is used.
        """
        one, shortcut, joined = self.first(x, self.project(small), 3)
        (two,) = self.second(one, shortcut, 1)
        return self.root.of([two, joined, *outside], uses)


class _Level(nn.Module):
    """One level of the backbone: one tree, or two of which the second joins the first's output.

    Above level 2 the shrunk input of the level takes part in the last root too.
    """

    def __init__(self, inputs: int, outputs: int, depth: int, *, joins_input: bool) -> None:
        super().__init__()
        from_input = inputs if joins_input else 0
        self.joins_input = joins_input
        if depth == 1:
            self.trees = nn.ModuleList([_Tree(inputs, outputs, 2, from_input)])
        else:
            second = _Tree(outputs, outputs, 1, from_input + outputs)
            self.trees = nn.ModuleList([_Tree(inputs, outputs, 2, 0), second])

    def forward(self, x: Tensor, same: Tensor, uses: int) -> tuple[Tensor, ...]:
        """The level's map so often as it is used, from the map before it, given twice."""
        small = halved(same)
        outside = [small] if self.joins_input else []
        if len(self.trees) == 1:
            alone: tuple[Tensor, ...] = self.trees[0](x, small, outside, uses)
            return alone
        one, shortcut, joined = self.trees[0](x, small, [], 3)
        last: tuple[Tensor, ...] = self.trees[1](one, shortcut, [*outside, joined], uses)
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

    def forward(self, image: Tensor) -> list[tuple[Tensor, ...]]:
        """Each level so often as the neck uses it."""
        x, same = self._folded_stem(image) if image.is_cuda else (self.stem(image),) * 2
        maps = []
        for level, uses in zip(self.levels, _USES, strict=True):
            x, same, *found = level(x, same, 2 + uses)
            maps.append(tuple(found))
        return maps

    def _folded_stem(self, image: Tensor) -> tuple[Tensor, ...]:
        """The same as ``stem``, by way of folded maps; the result twice."""
        convs = [cast("nn.Conv2d", layer.get_submodule("0")) for layer in self.stem]
        first, second, third = (layer.get_submodule("1") for layer in self.stem)
        x = normalised_and_refolded(folded_conv(fold(image, 4), convs[0]), first)
        x = folded_conv(x, convs[1])
        x = per_cell(x, lambda cells: normalise(cells, second)[0])
        return normalise(folded_conv(x, convs[2]), third, uses=2)


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

    def forward(self, levels: Sequence[tuple[Tensor, ...]]) -> Tensor:
        """The map at stride 4 from the levels, each given so often as ``_USES`` says."""
        tail = [levels[-1][0]]
        best = []  # the last map of each stage: strides 16, 8, 4
        for level, stage in zip(reversed(levels[:-1]), self.up, strict=True):
            later = len(level) - 1  # uses of each map in the next stage, if there is one
            found = stage(level[0], tail, [later] * (len(tail) - 1) + [later + 1])
            best.append(found[-1][-1])
            tail = [each[0] for each in (level[1:], *found) if each]
        joined: list[tuple[Tensor, ...]] = self.join(best[-1], best[-2::-1], [0, 1])
        return joined[-1][0]


class DLA34(nn.Module):
    """The container's ``DLA34``, 19.80 M parameters with neck, GRU and heads.

    The published network has two shortcut projections more (41,728 parameters), which it never
    uses.

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
