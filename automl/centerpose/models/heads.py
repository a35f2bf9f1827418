"""The seven heads that every network answers with.

All maps have a quarter of the input's width and height (the *grid*). ``hm`` and ``hm_hp`` are
logits; the decoder and the losses take the sigmoid.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.centerpose.models.kernels import has_kernels
from automl.centerpose.models.wide import block_pointwise, wide_conv, wide_norm_relu

__all__ = ["HEADS", "HEATMAPS", "HEATMAP_BIAS", "Heads"]

HEADS: Mapping[str, int] = MappingProxyType(
    {
        "hm": 1,  # centre heatmap
        "wh": 2,  # width and height of the 2D box, grid cells
        "hps": 16,  # eight corners minus the centre's cell, x and y interleaved, grid cells
        "reg": 2,  # centre minus its cell, grid cells
        "hm_hp": 8,  # corner heatmaps
        "hp_offset": 2,  # corner minus its cell, grid cells
        "scale": 3,  # edge lengths of the 3D box
    }
)
"""Head name -> number of maps."""

HEATMAPS = ("hm", "hm_hp")

HEATMAP_BIAS = -2.19
"""Start of a heatmap's last bias: every cell is called a peak with a probability of 0.1."""

_GROUPS = 32


class Heads(nn.ModuleDict):
    """One small network a head: 3x3 convolution, ReLU, 1x1 convolution.

    Args:
        inputs: Channels of the feature map.
        width: Channels between the two convolutions (``model.head_conv``).
        normalised: Group normalisation before the ReLU, as the container does with its GRU.
    """

    def __init__(self, inputs: int, width: int, *, normalised: bool) -> None:
        super().__init__()
        for name, outputs in HEADS.items():
            last = nn.Conv2d(width, outputs, 1)
            start = HEATMAP_BIAS if name in HEATMAPS else 0.0
            nn.init.constant_(last.bias, start)  # type: ignore[arg-type]
            middle = [nn.GroupNorm(_GROUPS, width)] if normalised else []
            first = nn.Conv2d(inputs, width, 3, padding=1)
            self[name] = nn.Sequential(first, *middle, nn.ReLU(inplace=True), last)

    def answer(self, maps: Sequence[Tensor], place: Mapping[str, int]) -> dict[str, Tensor]:
        """The head maps; heads that read the same feature map are computed together.

        Args:
            maps: Feature maps, each (B, C, H, W).
            place: Head name -> which of ``maps`` it reads.
        """
        found: dict[str, Tensor] = {}
        for index, x in enumerate(maps):
            found |= self._joint(x, [name for name in HEADS if place[name] == index])
        return {name: found[name] for name in HEADS}

    def _joint(self, x: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        """The maps of some heads from the one feature map (B, C, H, W) that they all read."""
        first, *norm, _, last = (list(layers) for layers in zip(*self._parts(names), strict=True))
        if norm and has_kernels(x):
            from automl.centerpose.models.answer_gpu import Head, answers, can_answer

            heads = [Head(*layers) for layers in zip(first, *norm, last, strict=True)]
            if can_answer(heads):
                wide = wide_conv(x, first, with_bias=False)
                return dict(zip(names, answers(wide, heads), strict=True))
        wide = wide_conv(x, first)
        wide = wide_norm_relu(wide, norm[0]) if norm else functional.relu(wide)
        joint = block_pointwise(wide, last)
        counts = [HEADS[name] for name in names]
        parts = torch.split(joint[:, : sum(counts)], counts, dim=1)
        return dict(zip(names, parts, strict=True))

    def _parts(self, names: Sequence[str]) -> list[list[Any]]:
        """The layers of some heads, head by head."""
        return [list(self[name].children()) for name in names]
