"""How far a predicted box is from its object: one function per measure, over arrays of pairs.

All take N predicted and N true boxes row by row. Points are (N, 9, 3) keypoints in the GL camera
frame, centre first.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from automl.centerpose.evaluation.detections import GroundTruth
from automl.centerpose.evaluation.iou3d import Boxes, fit_boxes, rotated_about_up
from automl.data.geometry import CORNER_SIGNS, Array, project

__all__ = [
    "IOU_3D",
    "MEASURES",
    "PIXEL_ERROR",
    "THRESHOLDS",
    "Measure",
    "corner_distances",
    "keypoints_of",
    "on_ground",
    "point_errors",
    "scale_errors",
    "turned_projections",
    "viewpoint_errors",
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

    def passes(self, values: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
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


def on_ground(points: Array, plane_center: Array, plane_normal: Array) -> Array:
    """Boxes known up to a factor, scaled about the camera until they stand on the ground plane.

    The factor is the mean, over a box's four lowest corners along the plane's normal, of what
    would bring each onto the plane. A box with a corner at the height of the camera has no such
    factor and stays as it is.

    Args:
        points: (N, 9, 3) keypoints.
        plane_center: (3,) a point of the plane, same frame, metres.
        plane_normal: (3,) its normal, pointing up.

    Returns:
        (N, 9, 3) keypoints in metres.
    """
    heights = np.sort(points[:, 1:] @ plane_normal, axis=1)[:, :_LOWEST_CORNERS]
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = ((plane_center @ plane_normal) / heights).mean(axis=1)
    factor = np.where(np.isfinite(factor), factor, 1.0)
    return np.asarray(points * factor[:, None, None])


def corner_distances(first: Array, second: Array) -> Array:
    """(..., 8) distances between the corners of (..., 9, 2) projected boxes, centres left out."""
    return np.asarray(np.linalg.norm(first[..., 1:, :] - second[..., 1:, :], axis=-1))


def keypoints_of(boxes: Boxes) -> Array:
    """(N, 9, 3) keypoints of boxes."""
    corners = boxes.center[:, None, :] + np.einsum("nij,cj->nci", boxes.half, CORNER_SIGNS)
    return np.concatenate([boxes.center[:, None, :], corners], axis=1)


def turned_projections(truth: GroundTruth, steps: int) -> Array:
    """(steps, M, 9, 2): the objects' projections under each turn that symmetry allows.

    Args:
        truth: M objects.
        steps: Equal turns about the up axis; the first is none and gives the annotated pixels.
    """
    width, height = truth.size
    turned = [truth.projected]
    boxes = fit_boxes(truth.keypoints_3d)
    for angle in 2.0 * np.pi * np.arange(1, steps) / steps:
        points = keypoints_of(rotated_about_up(boxes, float(angle))).reshape(-1, 3)
        turned.append(project(points, truth.projection, width, height).reshape(-1, 9, 2))
    return np.stack(turned)


def viewpoint_errors(predicted: Array, truth: Array, steps: int) -> tuple[Array, Array]:
    """Azimuth and polar angle between the directions from which the camera sees two boxes.

    Args:
        predicted: (N, 9, 3) keypoints.
        truth: (N, 9, 3) keypoints.
        steps: Turns about the up axis under which the object looks the same: azimuth counts
            modulo 360 / ``steps``.

    Returns:
        (N,) azimuth errors in [0, 180 / steps] and (N,) polar errors in [0, 180], degrees.
    """
    first, second = _viewpoints(predicted), _viewpoints(truth)
    period = 360.0 / steps
    azimuth = np.abs(first[:, 0] - second[:, 0]) % period
    polar = np.abs(first[:, 1] - second[:, 1])
    return np.minimum(azimuth, period - azimuth), polar


def _viewpoints(points: Array) -> Array:
    """(N, 2) azimuth and elevation, degrees, of the camera in each box's own frame."""
    boxes = fit_boxes(points)
    axes = boxes.half / np.linalg.norm(boxes.half, axis=1, keepdims=True)
    camera = np.einsum("nij,ni->nj", axes, -boxes.center)
    azimuth = np.arctan2(camera[:, 2], camera[:, 0])
    elevation = np.arctan2(camera[:, 1], np.hypot(camera[:, 0], camera[:, 2]))
    return np.asarray(np.degrees(np.stack([azimuth, elevation], axis=1)))


def point_errors(predicted: Array, truth: Array) -> tuple[Array, Array]:
    """ADD and ADD-S over nine keypoints.

    Args:
        predicted: (N, 9, 3) keypoints.
        truth: (N, 9, 3) keypoints.

    Returns:
        (N,) mean distances between equal keypoints, and (N,) mean distances from each true
        keypoint to the nearest predicted one; metres.
    """
    apart = np.linalg.norm(truth[:, :, None, :] - predicted[:, None, :, :], axis=-1)
    same = np.diagonal(apart, axis1=1, axis2=2)
    return np.asarray(same.mean(axis=1)), np.asarray(apart.min(axis=2).mean(axis=1))


def scale_errors(predicted: Array, truth: Array) -> Array:
    """(N,) sums of relative errors of (N, 3) sizes, each size first divided by its height."""
    first, second = predicted / predicted[:, 1:2], truth / truth[:, 1:2]
    return np.asarray((np.abs(first - second) / second).sum(axis=1))
