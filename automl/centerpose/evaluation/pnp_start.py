"""Where the search for a pose starts: direct linear solutions, many at a time.

The starts are those of OpenCV's iterative solver, because of the several minima that noisy points
may have the start chooses one: the direct linear transform for a solid arrangement of points, a
homography for one that is flat or nearly so.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from automl.centerpose.evaluation.homography import homography, least_of
from automl.centerpose.evaluation.rotations import nearest_rotation, vector_of

__all__ = ["Correspondences", "start"]

_FLAT: Final = 1e-3  # ratio of the two smaller principal moments below which points count as flat


@dataclass(frozen=True, slots=True, eq=False)
class Correspondences:
    """N arrangements of P points, each seen by a camera.

    Attributes:
        solid: (N, P, 3) points in their own frame.
        plane: (N, P, 2) where they are seen, in units of the focal lengths from the optical axis.
        weight: (N, P) 1 for a point that was seen, 0 for one that is to be ignored.
        focal: (N, 2) focal lengths along x and y, pixels.
    """

    solid: Tensor
    plane: Tensor
    weight: Tensor
    focal: Tensor

    def take(self, rows: Tensor) -> "Correspondences":
        """The pairs at ``rows``."""
        return Correspondences(
            self.solid[rows], self.plane[rows], self.weight[rows], self.focal[rows]
        )

    def replaced(self, mask: Tensor) -> "Correspondences":
        """The same with a harmless view, a unit cube straight ahead, under a mask (N,)."""
        cube = torch.tensor([-0.5, 0.5], dtype=self.solid.dtype, device=self.solid.device)
        cube = torch.cartesian_prod(cube, cube, cube)
        seen = cube[:, :2] / (cube[:, 2:] + 4.0)
        away, missing = mask[:, None, None], self.weight[:, :, None] == 0.0
        plane = torch.where(missing, 0.0, self.plane)
        return Correspondences(
            torch.where(away, cube, self.solid),
            torch.where(away, seen, plane),
            torch.where(mask[:, None], 1.0, self.weight),
            self.focal,
        )


def start(pairs: Correspondences) -> tuple[Tensor, Tensor]:
    """First guesses of the poses: rotation vectors (N, 3) and translations (N, 3)."""
    weight = pairs.weight[:, :, None]
    middle = (pairs.solid * weight).sum(dim=1) / weight.sum(dim=1)
    spread = (pairs.solid - middle[:, None]) * weight
    moments, axes = torch.linalg.eigh(spread.transpose(1, 2) @ spread)
    flat = moments[:, 0] < _FLAT * moments[:, 1]
    rotation, translation = _solid_start(pairs)
    if bool(flat.any()):
        other = _flat_start(pairs, middle, axes.flip(2).transpose(1, 2))
        rotation = torch.where(flat[:, None, None], other[0], rotation)
        translation = torch.where(flat[:, None], other[1], translation)
    return vector_of(rotation), translation


def _solid_start(pairs: Correspondences) -> tuple[Tensor, Tensor]:
    """Poses by the direct linear transform: the projection with the least algebraic error."""
    ones = torch.ones_like(pairs.weight)[:, :, None]
    point = torch.cat([pairs.solid, ones], dim=2) * pairs.weight[:, :, None]
    nothing = torch.zeros_like(point)
    x, y = pairs.plane[:, :, :1], pairs.plane[:, :, 1:]
    rows = torch.cat(
        [
            torch.cat([point, nothing, -x * point], dim=2),
            torch.cat([nothing, point, -y * point], dim=2),
        ],
        dim=1,
    )
    least = least_of(rows).view(-1, 3, 4)
    least = torch.where(torch.linalg.det(least[:, :, :3])[:, None, None] < 0.0, -least, least)
    length = least[:, :, :3].flatten(1).norm(dim=1, keepdim=True)
    rotation = nearest_rotation(least[:, :, :3])
    return rotation, least[:, :, 3] * (3.0**0.5 / length)


def _flat_start(pairs: Correspondences, middle: Tensor, axes: Tensor) -> tuple[Tensor, Tensor]:
    """Poses by the homography between the points' own plane and the image.

    Args:
        pairs: N pairs.
        middle: (N, 3) mean point.
        axes: (N, 3, 3) the points' principal axes as rows, the longest first.
    """
    upright = axes[:, 2, :2].square().sum(dim=1) < 1e-10
    eye = torch.eye(3, dtype=axes.dtype, device=axes.device)
    axes = torch.where(upright[:, None, None], eye, axes)
    axes = torch.where(torch.linalg.det(axes)[:, None, None] < 0.0, -axes, axes)
    shift = -(axes @ middle[:, :, None])[:, :, 0]
    local = (pairs.solid @ axes.transpose(1, 2) + shift[:, None])[:, :, :2]
    columns = homography(local, pairs.plane, pairs.weight)
    lengths = columns[:, :, :2].norm(dim=1, keepdim=True).clamp(min=1e-300)
    first, second = (columns[:, :, :2] / lengths).unbind(2)
    frame = torch.stack([first, second, torch.linalg.cross(first, second)], dim=2)
    rotation = nearest_rotation(frame.nan_to_num())
    translation = columns[:, :, 2] * (2.0 / lengths.sum(dim=2))
    translation = translation + (rotation @ shift[:, :, None])[:, :, 0]
    return rotation @ axes, translation
