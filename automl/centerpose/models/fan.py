"""FAN hybrids (Zhou et al., 2022): ConvNeXt stages, then attention, and a CenterPose on top.

The pyramid has maps at strides 4 and 8 from the ConvNeXt stages and at stride 16 from an attention
block: the published networks take the last one of ``fan_small`` (10 of 10) and of ``fan_base`` (16
of 16), but the 19th of 22 of ``fan_large``. The map at stride 32 is one more convolution of what
the last attention block and the class-attention blocks leave.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from automl.centerpose.models.aggregate import Aggregate
from automl.centerpose.models.attention import ClassBlock, FanBlock
from automl.centerpose.models.convnext import ChannelNorm, ConvNeXtBlock, patches
from automl.centerpose.models.gru import HEAD_STEP, ConvGRU
from automl.centerpose.models.heads import HEADS, Heads

__all__ = ["FAN", "SIZES", "FanBackbone", "FanSize"]

_STEM_WIDTHS = (128, 256)  # channels at strides 4 and 8
_LAST_WIDTH = 768  # channels at stride 32
_CLASS_BLOCKS = 2
_EPSILON_OF_MAPS = 1e-5  # of the normalisation of each map, as published
_DROP = 0.3  # stochastic depth of every attention block
_NECK_WIDTH = 128
_WEIGHT_STD = 0.02
_WAVES = 32  # sines and cosines a coordinate
_LONGEST = 10_000.0  # ratio of the longest wave to the shortest


@dataclass(frozen=True, slots=True)
class FanSize:
    """What tells the published sizes apart.

    Attributes:
        stages: ConvNeXt blocks at strides 4 and 8.
        width: Channels of a token.
        depth: Attention blocks.
        tap: Those among them that the map at stride 16 has passed.
        heads: Heads of each attention.
    """

    stages: tuple[int, int]
    width: int
    depth: int
    tap: int
    heads: int


SIZES: Mapping[str, FanSize] = MappingProxyType(
    {
        "fan_small": FanSize(stages=(3, 3), width=384, depth=10, tap=10, heads=8),
        "fan_base": FanSize(stages=(3, 3), width=448, depth=16, tap=16, heads=8),
        "fan_large": FanSize(stages=(3, 5), width=480, depth=22, tap=19, heads=10),
    }
)
"""``model_type`` -> its size."""


class FanBackbone(nn.Module):
    """ConvNeXt stages, attention blocks and a last convolution.

    Attributes:
        widths: Channels of each map.
        checkpointing: Whether training keeps only the inputs of the blocks and computes what is
            inside them once more in the backward pass: less memory, more time, equal gradients.
    """

    def __init__(self, size: FanSize) -> None:
        super().__init__()
        four, eight = _STEM_WIDTHS
        self.widths = (four, eight, size.width, _LAST_WIDTH)
        self.checkpointing = False
        self.enter = nn.Sequential(patches(3, four, 4), ChannelNorm(four, feeds_conv=False))
        self.stage4 = nn.ModuleList(ConvNeXtBlock(four) for _ in range(size.stages[0]))
        self.shrink = nn.Sequential(ChannelNorm(four), patches(four, eight, 2))
        self.stage8 = nn.ModuleList(ConvNeXtBlock(eight) for _ in range(size.stages[1]))
        self.embed = patches(eight, size.width, 2)
        self.place = _Place(size.width)
        self.tap = size.tap
        self.stage16 = nn.ModuleList(
            FanBlock(size.width, size.heads, _DROP) for _ in range(size.depth)
        )
        self.class_blocks = nn.ModuleList(ClassBlock(size.width) for _ in range(_CLASS_BLOCKS))
        self.last = nn.Conv2d(size.width, _LAST_WIDTH, 3, stride=2, padding=1)
        self.norms = nn.ModuleList(
            ChannelNorm(width, epsilon=_EPSILON_OF_MAPS) for width in self.widths
        )
        self.apply(_begin)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Image (B, 3, H, W) -> maps at strides 4, 8, 16, 32, normalised over their channels."""
        x4 = self._through(self.stage4, self.enter(image))  # (B, 128, H/4, W/4)
        x8 = self._through(self.stage8, self.shrink(x4))  # (B, 256, H/8, W/8)
        tokens = self.place(self.embed(x8).permute(0, 2, 3, 1))  # (B, H/16, W/16, C)
        tokens = self._through(islice(self.stage16, self.tap), tokens)
        x16 = tokens.permute(0, 3, 1, 2)
        tokens = self._through(islice(self.stage16, self.tap, None), tokens)
        for block in self.class_blocks:
            tokens = block(tokens)
        maps = (x4, x8, x16, self.last(tokens.permute(0, 3, 1, 2)))
        return [norm(x) for norm, x in zip(self.norms, maps, strict=True)]

    def _through(self, blocks: Iterable[nn.Module], x: Tensor) -> Tensor:
        for block in blocks:
            if self.checkpointing and self.training and torch.is_grad_enabled():
                x = checkpoint(block, x, use_reentrant=False, context_fn=_second_pass(block))
            else:
                x = block(x)
        return x


class _Place(nn.Module):
    """Adds to each token where it is: sines and cosines of its place, through a linear layer.

    Places run from 0 to 2 pi over the map's height and width, so that any input size will do.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(2 * _WAVES, width)

    def forward(self, tokens: Tensor) -> Tensor:
        _, height, width, _ = tokens.shape
        rows, columns = (self._waves(n, tokens.device) for n in (height, width))
        waves = torch.cat(
            [
                rows[:, None].expand(height, width, _WAVES),
                columns[None].expand(height, width, _WAVES),
            ],
            dim=-1,
        )
        added: Tensor = self.project(waves)
        return tokens + added

    @staticmethod
    def _waves(n: int, device: torch.device) -> Tensor:
        """The waves at each of ``n`` places along one axis, (n, _WAVES): sine, cosine by turns."""
        at = torch.arange(1, n + 1, device=device) * (2.0 * math.pi / n)
        powers = torch.arange(_WAVES // 2, device=device) * (2.0 / _WAVES)
        angles = at[:, None] / _LONGEST**powers
        return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


class FAN(nn.Module):
    """A CenterPose on a FAN backbone: neck at stride 4, ConvGRU or none, seven heads.

    Args:
        size: One of ``SIZES``.
        head_conv: Width of the heads, channels.
        use_gru: Feed the heads from three steps of a ConvGRU instead of one shared map.
    """

    def __init__(self, size: FanSize, head_conv: int, *, use_gru: bool) -> None:
        super().__init__()
        self.backbone = FanBackbone(size)
        factors = [2**k for k in range(len(self.backbone.widths))]
        self.neck = Aggregate(self.backbone.widths, _NECK_WIDTH, factors)
        self.gru = ConvGRU(_NECK_WIDTH, _NECK_WIDTH) if use_gru else None
        self.heads = Heads(_NECK_WIDTH, head_conv, normalised=use_gru)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Head maps of a normalised image (B, 3, H, W), H and W multiples of 32."""
        levels: Sequence[Tensor] = self.backbone(image)
        finest, *coarse = levels
        x = self.neck(finest, coarse, [0, 0, 1])[-1][0]  # (B, 128, H/4, W/4)
        if self.gru is None:
            return self.heads.answer([x], dict.fromkeys(HEADS, 0))
        return self.heads.answer(self.gru(x), HEAD_STEP)


def _begin(module: nn.Module) -> None:
    """Starts a layer as ConvNeXt and vision transformers do; depthwise ones as torch does."""
    dense = isinstance(module, nn.Conv2d) and module.groups == 1
    if dense or isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=_WEIGHT_STD)  # type: ignore[arg-type]
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def _second_pass(
    block: nn.Module,
) -> Callable[[], tuple[AbstractContextManager[None], AbstractContextManager[None]]]:
    """The surroundings of a block's two forward passes: only the first counts in statistics."""
    return lambda: (nullcontext(), _statistics_at_rest(block))


@contextmanager
def _statistics_at_rest(block: nn.Module) -> Iterator[None]:
    norms = [each for each in block.modules() if isinstance(each, nn.BatchNorm2d)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count
