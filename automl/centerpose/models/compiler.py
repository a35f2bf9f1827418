"""Whether there is what Triton needs to build kernels."""

import os
import shutil

__all__ = ["has_compiler"]


def has_compiler() -> bool:
    """Whether there is a C compiler: Triton builds with it what launches a kernel."""
    return bool(os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang"))
