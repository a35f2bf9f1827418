"""How far a predicted box is from its object: one function per measure, over rows of pairs.

All take N predicted and N true boxes row by row. Points are (N, 9, 3) keypoints in the GL camera
frame, centre first.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from automl.centerpose.evaluation.boxes import fit_boxes, keypoints_of, rotated_about_up
from automl.data.geometry import Array

__all__ = [
    "IOU_3D",
    "MEASURES",
    "PIXEL_ERROR",
    "THRESHOLDS",
    "Measure",
    "corner_distances",
    "on_ground",
    "point_errors",
    "scale_errors",
    "turned",
    "turned_projections",
    "viewpoint_errors",
    "viewpoints",
]

THRESHOLDS: Final = 21
IOU_3D: Final = "iou_3d"
PIXEL_ERROR: Final = "pixel_error_2d"
_LOWEST_CORNERS: Final = 4


@dataclass(frozen=True, slots=True)
class Measure:
    """One way to compare a detection with its object.

    Attributes:
        name: Key in results.
        title: Heading in reports, with the unit.
        limit: The last of its 21 thresholds; the first is 0.
        larger_is_better: A detection passes at or above a threshold; else at or below it.
    """

    name: str
    title: str
    limit: float
    larger_is_better: bool = False

    def thresholds(self) -> Array:
        """(21,) thresholds from 0 to the limit, both included."""
        return np.linspace(0.0, self.limit, THRESHOLDS)

    def passes(self, values: Array) -> npt.NDArray[np.bool_]:
        """(N, 21) whether each of N values passes each threshold."""
        limits = self.thresholds()
        if self.larger_is_better:
            return np.asarray(values[:, None] >= limits)
        return np.asarray(values[:, None] <= limits)


MEASURES: Final = (
    Measure(IOU_3D, "3D IoU", 1.0, larger_is_better=True),
    Measure(PIXEL_ERROR, "2D error (image sides)", 0.1),
    Measure("azimuth_deg", "azimuth (deg)", 30.0),
    Measure("polar_deg", "polar (deg)", 20.0),
    Measure("add_m", "ADD (m)", 1.0),
    Measure("add_s_m", "ADD-S (m)", 1.0),
    Measure("scale_error", "relative scale", 1.0),
)
"""What is measured, in the order of reports."""


def on_ground(points: Tensor, plane_center: Tensor, plane_normal: Tensor) -> Tensor:
    """Boxes known up to a factor, scaled about the camera until they stand on the ground plane.

    The factor is the mean, over a box's four lowest corners along the plane's normal, of what
    would bring each onto the plane. A box with a corner at the height of the camera has no such
    factor and stays as it is.

    Args:
        points: (N, 9, 3) keypoints.
        plane_center: (N, 3) a point of the plane, same frame, metres.
        plane_normal: (N, 3) its normal, pointing up.

    Returns:
        (N, 9, 3) keypoints in metres.
    """
    heights = (points[:, 1:] * plane_normal[:, None]).sum(dim=2).sort(dim=1).values
    height = (plane_center * plane_normal).sum(dim=1, keepdim=True)
    factor = (height / heights[:, :_LOWEST_CORNERS]).mean(dim=1)
    factor = torch.where(factor.isfinite(), factor, 1.0)
    return points * factor[:, None, None]


def corner_distances(first: Tensor, second: Tensor) -> Tensor:
    """(..., 8) distances between the corners of (..., 9, 2) projected boxes, centres left out."""
    apart: Tensor = (first[..., 1:, :] - second[..., 1:, :]).norm(dim=-1)
    return apart


def turned_projections(points: Tensor, projection: Tensor, size: Tensor, steps: int) -> Tensor:
    """(steps, N, 9, 2): the objects' projections under each turn that symmetry allows, pixels.

    All of them are of the keypoints in three dimensions, the first too: as in the container, the
    annotated pixels decide which object a detection is compared with, and nothing else.

    Args:
        points: (N, 9, 3) keypoints.
        projection: (N, 4, 4) GL projection matrices; they make the image's y first.
        size: (N, 2) image width and height.
        steps: Equal turns about the up axis; the first is none.
    """
    projected = []
    for solid in turned(points, steps):
        clip = solid @ projection[:, :, :3].transpose(1, 2) + projection[:, None, :, 3]
        device = clip[..., :2] / clip[..., 3:]
        projected.append((device.flip(-1) + 1.0) / 2.0 * size[:, None])
    return torch.stack(projected)


def turned(points: Tensor, steps: int) -> Tensor:
    """(steps, N, 9, 3): the objects under each turn that symmetry allows; the first is none."""
    boxes = fit_boxes(points)
    angles = [2.0 * torch.pi * step / steps for step in range(1, steps)]
    return torch.stack([points, *(keypoints_of(rotated_about_up(boxes, a)) for a in angles)])


def viewpoint_errors(predicted: Tensor, truth: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Azimuth and polar angle between the directions from which the camera sees two boxes.

    Args:
        predicted: (N, 9, 3) keypoints.
        truth: (N, 9, 3) keypoints.
        steps: Turns about the up axis under which the object looks the same: azimuth counts
            modulo 360 / ``steps``.

    Returns:
        (N,) azimuth errors in [0, 180 / steps] and (N,) polar errors in [0, 180], degrees.
    """
    apart = (viewpoints(predicted) - viewpoints(truth)).abs()
    period = 360.0 / steps
    azimuth = apart[:, 0] % period
    return torch.minimum(azimuth, period - azimuth), apart[:, 1]


def viewpoints(points: Tensor) -> Tensor:
    """(N, 2) azimuth and elevation, degrees, of the camera in each box's own frame."""
    boxes = fit_boxes(points)
    axes = boxes.half / boxes.half.norm(dim=1, keepdim=True)
    x, y, z = (-boxes.center[:, :, None] * axes).sum(dim=1).unbind(1)
    return torch.stack([torch.atan2(z, x), torch.atan2(y, torch.hypot(x, z))], dim=1).rad2deg()


def point_errors(predicted: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """ADD and ADD-S over nine keypoints.

    Args:
        predicted: (N, 9, 3) keypoints.
        truth: (N, 9, 3) keypoints.

    Returns:
        (N,) mean distances between equal keypoints, and (N,) mean distances from each predicted
        keypoint to the nearest true one, as in the evaluation of Objectron; metres.
    """
    apart = (truth[:, :, None] - predicted[:, None]).norm(dim=-1)
    same = apart.diagonal(dim1=1, dim2=2)
    return same.mean(dim=1), apart.amin(dim=1).mean(dim=1)


def scale_errors(predicted: Tensor, truth: Tensor) -> Tensor:
    """(N,) sums of relative errors of (N, 3) sizes, each size first divided by its height."""
    first, second = predicted / predicted[:, 1:2], truth / truth[:, 1:2]
    return ((first - second).abs() / second).sum(dim=1)
