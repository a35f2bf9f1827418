"""Whether a map is one that this package's own GPU kernels are for."""

import os
import shutil
from importlib.util import find_spec

from torch import Tensor

__all__ = ["has_compiler", "has_kernels"]


def has_compiler() -> bool:
    """Whether there is a C compiler: Triton builds with it what launches a kernel."""
    return bool(os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang"))


_HAS_TRITON = find_spec("triton") is not None and has_compiler()


def has_kernels(x: Tensor) -> bool:
    """True on a GPU where Triton works; plain operators of torch do for all else."""
    return _HAS_TRITON and x.is_cuda
