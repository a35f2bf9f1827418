"""Many small arrays to a device in one copy that nothing waits for."""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["PackedArrays"]

_ALIGNED = 16  # bytes: any type may start there


class PackedArrays:
    """Arrays side by side in one buffer of host memory, page-locked where a GPU is to fetch it.

    Args:
        arrays: Numbers by name.
        pinned: Whether a GPU will fetch it.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], *, pinned: bool) -> None:
        self._places: dict[str, tuple[int, torch.dtype, tuple[int, ...]]] = {}
        end = 0
        for name, array in arrays.items():
            self._places[name] = end, torch.from_numpy(array[:0]).dtype, array.shape
            end += -(-array.nbytes // _ALIGNED) * _ALIGNED
        self._buffer = torch.empty(end, dtype=torch.uint8, pin_memory=pinned)
        for name, array in arrays.items():
            np.copyto(self._open(self._buffer, name).numpy(), array)

    def to(self, device: torch.device) -> dict[str, Tensor]:
        """The arrays on a device; from page-locked memory without waiting for the copy."""
        buffer = self._buffer.to(device, non_blocking=True)
        return {name: self._open(buffer, name) for name in self._places}

    def _open(self, buffer: Tensor, name: str) -> Tensor:
        start, dtype, shape = self._places[name]
        return buffer[start : start + prod(shape) * dtype.itemsize].view(dtype).view(shape)
