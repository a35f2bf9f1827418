"""Whether a map is one that this package's own GPU kernels are for, and what they share."""

from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

from automl.centerpose.models.compiler import has_compiler

__all__ = ["arrivals", "dot_precision", "has_kernels"]

_MOST_ARRIVALS = 1 << 16


_HAS_TRITON = find_spec("triton") is not None and has_compiler()


def has_kernels(x: Tensor) -> bool:
    """True on a GPU where Triton works; plain operators of torch do for all else."""
    return _HAS_TRITON and x.is_cuda


def dot_precision() -> str:
    """How matrix units may take fp32 numbers: as convolutions of torch may, or in full."""
    return "tf32" if torch.backends.cudnn.allow_tf32 else "ieee"


@cache
def arrivals(device: torch.device) -> Tensor:
    """Counts of a device for ``sums_gpu.is_last``, all zero between two kernels.

    One array serves all kernels of a device, because they run one after another.
    """
    with torch.inference_mode(False):
        return torch.zeros(_MOST_ARRIVALS, dtype=torch.int32, device=device)
