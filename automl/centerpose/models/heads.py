"""The seven heads that every network answers with, and the start of their biases.

All maps have a quarter of the input's width and height (the *grid*). ``hm`` and ``hm_hp`` are
logits; the decoder and the losses take the sigmoid.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

__all__ = ["HEADS", "HEATMAPS", "Heads", "start_heatmap_bias"]

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

_RARE = 0.1  # a heatmap starts by calling every cell a peak with this probability
_GROUPS = 32


def start_heatmap_bias(layer: nn.Conv2d, channels: slice = slice(None)) -> None:
    """Sets the bias of heatmap logits to -log(9) = -2.19, so that peaks start out rare."""
    if layer.bias is None:
        raise TypeError("a heatmap's last layer needs a bias")
    with torch.no_grad():
        layer.bias[channels] = -math.log((1.0 - _RARE) / _RARE)


class Heads(nn.ModuleDict):
    """One small network a head: 3x3 convolution, ReLU, 1x1 convolution.

    Args:
        inputs: Channels of the feature map.
        width: Channels between the two convolutions (``model.head_conv``).
        normalised: Group normalisation before the ReLU, as the container does with its GRU.
    """

    def __init__(self, inputs: int, width: int, *, normalised: bool) -> None:
        super().__init__({name: _head(inputs, width, n, normalised) for name, n in HEADS.items()})
        for name in HEATMAPS:
            head = self[name]
            if isinstance(head, nn.Sequential) and isinstance(head[-1], nn.Conv2d):
                start_heatmap_bias(head[-1])

    def answer(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The head maps, each from the feature map that ``features`` names for it."""
        return {name: head(features[name]) for name, head in self.items()}


def _head(inputs: int, width: int, outputs: int, normalised: bool) -> nn.Sequential:
    last = nn.Conv2d(width, outputs, 1)
    nn.init.zeros_(last.bias) if last.bias is not None else None
    middle = [nn.GroupNorm(_GROUPS, width)] if normalised else []
    return nn.Sequential(nn.Conv2d(inputs, width, 3, padding=1), *middle, nn.ReLU(True), last)
