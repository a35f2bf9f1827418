"""Iterative aggregation: how both necks bring the maps of a pyramid together."""

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from automl.centerpose.models.blocks import ConvNorm, conv_bn_relu
from automl.centerpose.models.upsample import Upsample

__all__ = ["Aggregate"]


class Aggregate(nn.Module):
    """Brings every map to the size and width of the first, one by one.

    Args:
        channels: Width of each map, finest first.
        outputs: Width of the result.
        factors: How much coarser each map is than the first; the first factor is 1.
    """

    def __init__(self, channels: Sequence[int], outputs: int, factors: Sequence[int]) -> None:
        super().__init__()
        rest = list(zip(channels, factors, strict=True))[1:]
        self.project = nn.ModuleList(conv_bn_relu(width, outputs) for width, _ in rest)
        self.enlarge = nn.ModuleList(Upsample(outputs, factor) for _, factor in rest)
        self.node = nn.ModuleList(conv_bn_relu(outputs, outputs) for _ in rest)

    def forward(
        self, finest: Tensor, coarse: Sequence[Tensor], uses: Sequence[int]
    ) -> list[tuple[Tensor, ...]]:
        """Each stage's result, all of the size of the finest map.

        Args:
            finest: The first map.
            coarse: The others.
            uses: How often the caller uses each result, which is so often returned.
        """
        out: list[tuple[Tensor, ...]] = []
        below, last = finest, len(coarse) - 1
        stages = zip(self.project, self.enlarge, self.node, coarse, strict=True)
        for k, (project, enlarge, node, x) in enumerate(stages):
            found = cast("ConvNorm", node).shared(enlarge(project(x), below), uses[k] + (k < last))
            below = found[0]
            out.append(found[k < last :])
        return out
