"""Halving a map by the largest of each 2 x 2 cells."""

from torch import Tensor
from torch.nn import functional

from automl.centerpose.models.kernels import has_kernels

__all__ = ["halved"]


def halved(x: Tensor) -> Tensor:
    """(B, C, H / 2, W / 2): the largest of each 2 x 2 cells of x, whose H and W are even."""
    if has_kernels(x):
        from automl.centerpose.models.pool_gpu import pool

        return pool(x)
    return functional.max_pool2d(x, 2)
