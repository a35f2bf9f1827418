"""Heatmaps of a whole batch, drawn in one pass on any device.

Each peak raises its map to a Gaussian; where Gaussians meet, the higher value stands. All windows
of all peaks are written by one scatter with a maximum, whose result is the same in any order.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor

__all__ = ["splat"]

# Cells of windows that are drawn at once. On a GPU that bounds memory. A CPU draws little enough
# to stay within its cache and in the calling thread: torch shares out work from 32768 numbers on,
# and a loader's thread that did so would stand in the way of the training's own.
_MOST_CELLS = {"cpu": 1 << 15}
_MOST_CELLS_ELSEWHERE = 1 << 24


def splat(peaks: Tensor, n_maps: int, cells: int, largest: int) -> Tensor:
    """(n_maps, cells, cells) fp32 in [0, 1], exactly 1 at each peak's cell and there alone.

    A Gaussian has deviation (2r + 1) / 6 and ends r cells from its peak along either axis.

    Args:
        peaks: (4, K) int64: map, column, row and radius r of each.
        n_maps: How many maps there are.
        cells: Side of a map.
        largest: The largest radius, below ``cells``: known beforehand, so that nothing waits for
            the device.
    """
    maps = _black(n_maps * cells * cells, peaks.device)
    reach = torch.arange(-largest, largest + 1, device=peaks.device)
    table = _bells(cells, peaks.device)
    most = _MOST_CELLS.get(peaks.device.type, _MOST_CELLS_ELSEWHERE)
    for some in torch.split(peaks, max(1, most // len(reach) ** 2), dim=1):
        place, column, row, radius = some.unsqueeze(-1)  # (K, 1) each
        bell = table[radius, reach.abs()]  # (K, D) fp64
        x, across = _clipped(column + reach, bell, cells)
        y, along = _clipped(row + reach, bell, cells)
        where = ((place * cells + y).unsqueeze(-1) * cells + x.unsqueeze(1)).flatten()
        value = (along.unsqueeze(-1) * across.unsqueeze(1)).float().flatten()
        maps.scatter_reduce_(0, where, value, "amax")
    return maps.view(n_maps, cells, cells)


def _black(size: int, device: torch.device) -> Tensor:
    if device.type == "cpu":
        return torch.from_numpy(np.zeros(size, np.float32))  # nothing is written, by no thread
    return torch.zeros(size, device=device)


def _clipped(at: Tensor, bell: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Cells within the map, and 0 in place of the bell's value where they had lain outside."""
    held = at.clamp(0, cells - 1)
    return held, bell * (held == at)


@cache
def _bells(cells: int, device: torch.device) -> Tensor:
    """(G, G) fp64: the bell of radius r (row) at each distance from its peak (column)."""
    radius, distance = np.arange(cells)[:, None], np.arange(cells)
    deviation = (2 * radius + 1) / 6.0
    bell = np.exp(-(distance**2) / (2.0 * deviation * deviation)) * (distance <= radius)
    with torch.inference_mode(False):  # it outlives the mode that it may be made in
        return torch.from_numpy(bell).to(device)
