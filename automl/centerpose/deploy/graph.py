"""The network and its decoder as one module: what ``export`` writes down.

A program that runs the file gets detections, not maps, under the names and shapes of the TAO
container's own export. The decoder says the same as
:mod:`automl.centerpose.evaluation.decode`, in operators that every ONNX runtime and TensorRT have;
a test holds the two together.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ABSENT", "INPUT", "OUTPUTS", "DecodingNetwork"]

INPUT: Final = "input"

OUTPUTS: Mapping[str, int] = MappingProxyType(
    {
        "bboxes": 4,  # left, top, right, bottom
        "scores": 1,
        "kps": 16,  # corners, each drawn to a near peak of its own heatmap
        "clses": 1,  # always 0: one model a category
        "obj_scale": 3,
        "kps_displacement_mean": 16,  # corners by displacement from the centre
        "kps_heatmap_mean": 16,  # always ABSENT
    }
)
"""Name -> last dimension; each output is (B, K, dimension) in cells of the maps, best first."""

ABSENT: Final = -10000.0
"""Stands for a point that was not found. The container's export intends corner peaks in
``kps_heatmap_mean`` but never finds enough of them, so its poses come from the displacements
alone; here they do so by design, and a deployed model is the one that was scored."""

_CORNERS: Final = 8
_FOUND: Final = 0.1  # least score of a corner's peak
_REACH: Final = 0.3  # of the box's longer side: how far a corner may be drawn
_FAR: Final = 10000.0  # farther than any cell from any other


class DecodingNetwork(nn.Module):
    """From normalised images to the seven outputs.

    Args:
        network: Maps images to head maps.
        side: Width and height of the maps, cells.
        num_select: Detections an image (K), at most the number of cells.
    """

    def __init__(self, network: nn.Module, side: int, num_select: int) -> None:
        super().__init__()
        self.network = network
        self.side = side
        self.num_select = num_select

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """The tensors of ``OUTPUTS`` in its order, for images (B, 3, H, W)."""
        maps: dict[str, Tensor] = self.network(image)
        scores, cells = (values[:, 0] for values in self._strongest(maps["hm"]))  # (B, K)
        peaks = self._places(cells)  # (B, K, 2)
        corners = _read(maps["hps"], cells) + peaks.repeat(1, 1, _CORNERS)
        centers, half = _read(maps["reg"], cells) + peaks, _read(maps["wh"], cells) / 2.0
        boxes = torch.cat([centers - half, centers + half], dim=2)
        refined = self._refined(maps, corners, boxes)
        score = scores.unsqueeze(2)
        scale = _read(maps["scale"], cells)
        absent = torch.full_like(corners, ABSENT)
        return boxes, score, refined, torch.zeros_like(score), scale, corners, absent

    def _strongest(self, heat: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, K) scores and cells of the highest local maxima of logits (B, C, H, W)."""
        summit = functional.max_pool2d(heat, kernel_size=3, stride=1, padding=1)
        score = torch.where(heat == summit, heat.sigmoid(), torch.zeros_like(heat))
        values, cells = score.flatten(2).topk(self.num_select, dim=2)
        return values, cells

    def _places(self, cells: Tensor) -> Tensor:
        """(..., 2) column and row of cells (...)."""
        rows = torch.div(cells, self.side, rounding_mode="trunc")
        return torch.stack([cells - rows * self.side, rows], dim=-1).float()

    def _refined(self, maps: Mapping[str, Tensor], corners: Tensor, boxes: Tensor) -> Tensor:
        """(B, K, 16): the corners, each moved onto the nearest peak of its heatmap.

        Only a peak inside the object's box and within reach counts; without one a corner stays.
        """
        k = self.num_select
        scores, cells = self._strongest(maps["hm_hp"])  # (B, 8, K)
        offset = _read(maps["hp_offset"], cells.flatten(1)).view(-1, _CORNERS, k, 2)
        peaks = self._places(cells) + offset  # (B, 8, K, 2)
        wanted = corners.view(-1, k, _CORNERS, 2).transpose(1, 2)  # (B, 8, K, 2)
        apart = (wanted.unsqueeze(3) - peaks.unsqueeze(2)).square().sum(dim=4).sqrt()
        is_corner = (scores > _FOUND).unsqueeze(2)
        distance, index = torch.where(is_corner, apart, torch.full_like(apart, _FAR)).min(dim=3)
        nearest = peaks.gather(2, index.unsqueeze(3).expand(-1, -1, -1, 2))
        low, high = boxes[:, None, :, :2], boxes[:, None, :, 2:]
        inside = torch.minimum(nearest - low, high - nearest).amin(dim=3) >= 0.0
        reached = distance <= _REACH * (high - low).amax(dim=3)
        moved = torch.where((inside & reached).unsqueeze(3), nearest, wanted)
        return moved.transpose(1, 2).flatten(2)


def _read(maps: Tensor, cells: Tensor) -> Tensor:
    """(B, K, C): the values of maps (B, C, H, W) at cells (B, K)."""
    index = cells.unsqueeze(1).expand(-1, maps.shape[1], -1)
    return maps.flatten(2).gather(2, index).transpose(1, 2)
