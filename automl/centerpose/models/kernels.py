"""Whether a map is one that this package's own GPU kernels are for."""

from importlib.util import find_spec

from torch import Tensor

__all__ = ["has_kernels"]

_HAS_TRITON = find_spec("triton") is not None


def has_kernels(x: Tensor) -> bool:
    """True on a GPU where Triton is installed; plain operators of torch do for all else."""
    return _HAS_TRITON and x.is_cuda
