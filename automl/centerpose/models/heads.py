"""The seven heads that every network answers with.

All maps have a quarter of the input's width and height (the *grid*). ``hm`` and ``hm_hp`` are
logits; the decoder and the losses take the sigmoid.
"""

from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor, nn

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

    def answer(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The head maps, each from the feature map that ``features`` names for it."""
        return {name: head(features[name]) for name, head in self.items()}
