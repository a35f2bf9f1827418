"""Rotation vectors and matrices, many at a time."""

import torch
from torch import Tensor

__all__ = ["cross_matrix", "left_jacobian", "nearest_rotation", "rotation_of", "vector_of"]

_SMALL_RAD = 1e-5  # below it a series of two terms is exact in double precision


def cross_matrix(vectors: Tensor) -> Tensor:
    """(N, 3, 3) matrices of the cross product with vectors (N, 3) from the left."""
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return torch.stack(rows, dim=-1).view(-1, 3, 3)


def rotation_of(vectors: Tensor) -> Tensor:
    """(N, 3, 3) rotations of rotation vectors (N, 3), radians (Rodrigues' formula)."""
    return _series(vectors, 0)


def left_jacobian(vectors: Tensor) -> Tensor:
    """(N, 3, 3) how fast a rotation turns, in the outer frame, as its vector (N, 3) changes."""
    return _series(vectors, 1)


def _series(vectors: Tensor, order: int) -> Tensor:
    """The sum of ``[v]^k / (k + order)!`` over k: the exponential of ``[v]``, or its integral."""
    angle = vectors.norm(dim=1)
    small = angle < _SMALL_RAD
    safe = torch.where(small, 1.0, angle)
    square = angle.square()
    if order == 0:
        first = torch.where(small, 1.0 - square / 6.0, safe.sin() / safe)
        second = torch.where(small, 0.5 - square / 24.0, (1.0 - safe.cos()) / safe**2)
    else:
        first = torch.where(small, 0.5 - square / 24.0, (1.0 - safe.cos()) / safe**2)
        second = torch.where(small, 1.0 / 6.0 - square / 120.0, (safe - safe.sin()) / safe**3)
    cross = cross_matrix(vectors)
    eye = torch.eye(3, dtype=vectors.dtype, device=vectors.device)
    return eye + first[:, None, None] * cross + second[:, None, None] * (cross @ cross)


def nearest_rotation(matrices: Tensor) -> Tensor:
    """(N, 3, 3) the product U V^T of the singular value decompositions of matrices.

    It is the nearest rotation where the determinant is positive.
    """
    left, _, right = torch.linalg.svd(matrices)
    nearest: Tensor = left @ right
    return nearest


def vector_of(rotations: Tensor) -> Tensor:
    """(N, 3) rotation vectors of length up to pi of rotations (N, 3, 3)."""
    # The quaternion's products: its row with the largest square loses no precision to division.
    r = rotations
    xx, yy, zz = r[:, 0, 0], r[:, 1, 1], r[:, 2, 2]
    w, x, y, z = 1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz
    xy, xz, yz = r[:, 1, 0] + r[:, 0, 1], r[:, 0, 2] + r[:, 2, 0], r[:, 2, 1] + r[:, 1, 2]
    wx, wy, wz = r[:, 2, 1] - r[:, 1, 2], r[:, 0, 2] - r[:, 2, 0], r[:, 1, 0] - r[:, 0, 1]
    products = torch.stack([w, wx, wy, wz, wx, x, xy, xz, wy, xy, y, yz, wz, xz, yz, z], dim=1)
    squares = torch.stack([w, x, y, z], dim=1)
    row = squares.argmax(dim=1)[:, None, None].expand(-1, 1, 4)
    quaternion = products.view(-1, 4, 4).gather(1, row)[:, 0]
    quaternion = torch.where(quaternion[:, :1] < 0.0, -quaternion, quaternion)
    axis = quaternion[:, 1:]
    length = axis.norm(dim=1, keepdim=True)
    angle = 2.0 * torch.atan2(length, quaternion[:, :1])
    return axis * torch.where(length > 0.0, angle / length, 0.0)
