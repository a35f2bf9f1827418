"""Homographies between two planes, many at a time: linear first, then by least squares."""

from typing import Final

import torch
from torch import Tensor

__all__ = ["homography", "least_of"]

_REFINING: Final = 10  # steps, taken back where they raise the error


def homography(source: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """(N, 3, 3) homographies from points (N, P, 2) to points (N, P, 2), both normalised first."""
    before, after = _normalising(source, weight), _normalising(target, weight)
    ones = torch.ones_like(weight)[:, :, None]
    point = torch.cat([source, ones], dim=2) @ before.transpose(1, 2) * weight[:, :, None]
    there = torch.cat([target, ones], dim=2) @ after.transpose(1, 2)
    nothing = torch.zeros_like(point)
    rows = torch.cat(
        [
            torch.cat([point, nothing, -there[:, :, :1] * point], dim=2),
            torch.cat([nothing, point, -there[:, :, 1:2] * point], dim=2),
        ],
        dim=1,
    )
    back = torch.linalg.inv_ex(after).inverse
    matrix: Tensor = back @ least_of(rows).view(-1, 3, 3) @ before
    return _refined(matrix / matrix[:, 2:, 2:], source, target, weight)


def _refined(matrix: Tensor, source: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Homographies (N, 3, 3) of unit last entry nearer to the least error in the target."""
    error, normal, slope = _transfer(matrix, source, target, weight)
    damping = torch.full_like(error, 1e-3)
    for _ in range(_REFINING):
        diagonal = torch.diag_embed(normal.diagonal(dim1=1, dim2=2))
        damped = normal + diagonal * damping[:, None, None]
        change = torch.linalg.solve_ex(damped, slope).result
        tried = matrix - torch.nn.functional.pad(change, (0, 1)).view(-1, 3, 3)
        values = _transfer(tried, source, target, weight)
        better = values[0] < error  # not where a number is none
        damping = torch.where(better, damping / 10.0, damping * 10.0)
        matrix = torch.where(better[:, None, None], tried, matrix)
        error = torch.where(better, values[0], error)
        normal = torch.where(better[:, None, None], values[1], normal)
        slope = torch.where(better[:, None], values[2], slope)
    return matrix


def _transfer(
    matrix: Tensor, source: Tensor, target: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Squared errors (N,) of homographies, and the normal equations (N, 8, 8) and (N, 8)."""
    point = torch.cat([source, torch.ones_like(weight)[:, :, None]], dim=2)
    nothing = torch.zeros_like(point)
    u, v, w = (point @ matrix.transpose(1, 2)).unbind(2)
    u, v = (u / w)[:, :, None], (v / w)[:, :, None]
    by_u = torch.cat([point, nothing, -u * point[:, :, :2]], dim=2)
    by_v = torch.cat([nothing, point, -v * point[:, :, :2]], dim=2)
    rates = torch.cat([by_u, by_v], dim=1) * (weight / w).repeat(1, 2)[:, :, None]
    apart = (torch.cat([u, v], dim=2) - target) * weight[:, :, None]
    errors = apart.transpose(1, 2).flatten(1)
    slope = (rates * errors[:, :, None]).sum(dim=1)
    return errors.square().sum(dim=1), rates.transpose(1, 2) @ rates, slope


def _normalising(points: Tensor, weight: Tensor) -> Tensor:
    """(N, 3, 3) what moves points' means to the origin and their mean distances to 1 per axis."""
    total = weight.sum(dim=1)[:, None]
    middle = (points * weight[:, :, None]).sum(dim=1) / total
    apart = ((points - middle[:, None]).abs() * weight[:, :, None]).sum(dim=1) / total
    factor = 1.0 / apart.clamp(min=1e-300)
    matrix = torch.diag_embed(torch.cat([factor, torch.ones_like(factor[:, :1])], dim=1))
    matrix[:, :2, 2] = -middle * factor
    return matrix


def least_of(rows: Tensor) -> Tensor:
    """(N, C) unit vectors that matrices (N, R, C) make shortest."""
    vectors: Tensor = torch.linalg.eigh(rows.transpose(1, 2) @ rows).eigenvectors
    return vectors[:, :, 0].contiguous()
