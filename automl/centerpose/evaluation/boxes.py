"""Boxes of any orientation as tensors: fitted to points, turned, and their points again."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from automl.data.geometry import CORNER_SIGNS

__all__ = ["Boxes", "corners_of", "fit_boxes", "keypoints_of", "rotated_about_up"]


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """N boxes, each the affine image of the cube [-1, 1]^3.

    Attributes:
        center: (N, 3) centres, in any one unit.
        half: (N, 3, 3); column j is half the edge along the object's axis j, same unit.
    """

    center: Tensor
    half: Tensor

    def __len__(self) -> int:
        return len(self.center)

    def take(self, index: Tensor) -> "Boxes":
        """The boxes at ``index``, repeated as often as it names them."""
        return Boxes(self.center[index], self.half[index])

    def volume(self) -> Tensor:
        """(N,) volumes."""
        volume: Tensor = 8.0 * torch.linalg.det(self.half).abs()
        return volume

    def radius(self) -> Tensor:
        """(N,) no less than the distance from the centre to the farthest corner."""
        corners = self.half @ _signs(self.half).T
        radius: Tensor = corners.norm(dim=1).amax(dim=1)
        return radius * (1.0 + 1e-9)

    @classmethod
    def joined(cls, parts: Sequence["Boxes"]) -> "Boxes":
        """One of several, at least one, row after row."""
        return cls(torch.cat([p.center for p in parts]), torch.cat([p.half for p in parts]))


def fit_boxes(keypoints: Tensor) -> Boxes:
    """The boxes that fit sets of nine keypoints best.

    The affine least-squares fit onto an upright box with the mean edge lengths of the points has
    a closed form, in which the lengths cancel: the columns of the corner signs are orthogonal.

    Args:
        keypoints: (N, 9, 3) centre and corners, in the order of ``box_keypoints``.
    """
    half = keypoints[:, 1:].transpose(1, 2) @ _signs(keypoints) / 8.0
    return Boxes(keypoints.mean(dim=1), half)


def corners_of(boxes: Boxes) -> Tensor:
    """(N, 8, 3) corners of boxes."""
    return boxes.center[:, None] + _signs(boxes.half) @ boxes.half.transpose(1, 2)


def keypoints_of(boxes: Boxes) -> Tensor:
    """(N, 9, 3) keypoints of boxes: centres, then corners."""
    return torch.cat([boxes.center[:, None], corners_of(boxes)], dim=1)


def rotated_about_up(boxes: Boxes, angle: float) -> Boxes:
    """The boxes turned about their own up edges, through their centres.

    Args:
        boxes: N boxes; the up edge of a box is its second.
        angle: Radians, counter-clockwise seen from above.
    """
    up = boxes.half[:, :, 1]
    axis = (up / up.norm(dim=1, keepdim=True))[:, :, None]
    along = axis * (axis * boxes.half).sum(dim=1, keepdim=True)
    across = torch.linalg.cross(axis.expand_as(boxes.half), boxes.half, dim=1)
    turn = torch.tensor(angle, dtype=torch.float64)
    cos, sin = float(turn.cos()), float(turn.sin())
    return Boxes(boxes.center, boxes.half * cos + across * sin + along * (1.0 - cos))


def _signs(like: Tensor) -> Tensor:
    return torch.as_tensor(CORNER_SIGNS, device=like.device)
