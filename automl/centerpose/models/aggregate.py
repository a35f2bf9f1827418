"""Iterative aggregation: how both necks bring the maps of a pyramid together."""

from collections.abc import Sequence

from torch import Tensor, nn

from automl.centerpose.models.blocks import conv_bn_relu
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

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """The first map unchanged, then each stage's result, all of one size."""
        out = [maps[0]]
        stages = zip(self.project, self.enlarge, self.node, maps[1:], strict=True)
        for project, enlarge, node, coarse in stages:
            out.append(node(enlarge(project(coarse), out[-1])))
        return out
