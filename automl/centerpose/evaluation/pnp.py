"""The pose of a box from the pixels of its corners.

A network predicts where the corners are and how the box is proportioned. A box of those
proportions at the origin, the pixels and the camera matrix make a perspective-n-point problem; its
solution is a pose in the unit of the proportions, so with relative sizes it is right up to one
factor.
"""

from typing import Final

import cv2
import numpy as np

from automl.centerpose.evaluation.detections import Detections, Poses
from automl.data.geometry import GL_FROM_CV, N_CORNERS, Array, box_keypoints

__all__ = ["solve_pose", "solve_poses"]

_ABSENT: Final = -5000.0  # a corner with a coordinate below this was not found
_FEWEST: Final = 4
_FEWEST_ITERATIVE: Final = 6


def solve_pose(points: Array, scale: Array, intrinsic: Array) -> tuple[Array, Array] | None:
    """The pose of one box in OpenCV's camera frame.

    Six points or more are solved by Levenberg-Marquardt from a direct linear start, four or five
    by EPnP; there is no lens distortion.

    Args:
        points: (8, 2) pixels of the corners; one with a coordinate below -5000 is left out.
        scale: (3,) size of the box along x, y (up) and z, in any unit.
        intrinsic: (3, 3) camera matrix, pixels.

    Returns:
        Rotation (3, 3) and translation (3,) from object to camera, in the unit of ``scale``; None
        where there are fewer than four points, no solution, or one behind the camera.
    """
    seen = (points >= _ABSENT).all(axis=1)
    if seen.sum() < _FEWEST or not _solvable(points[seen], scale):
        return None
    iterative = seen.sum() >= _FEWEST_ITERATIVE
    try:
        found, turns, shifts, _ = cv2.solvePnPGeneric(
            box_keypoints(scale)[1:][seen],
            np.ascontiguousarray(points[seen]),
            intrinsic,
            None,
            flags=cv2.SOLVEPNP_ITERATIVE if iterative else cv2.SOLVEPNP_EPNP,
        )
    except cv2.error:
        # OpenCV checks its own degenerate cases by assertion; each is a box without a pose.
        return None
    if not found:
        return None
    translation = np.asarray(shifts[0], dtype=np.float64).reshape(3)
    rotation = np.asarray(cv2.Rodrigues(turns[0])[0], dtype=np.float64)
    if not np.isfinite(rotation).all() or not translation[2] >= 0.0:
        return None
    return rotation, translation


def solve_poses(found: Detections, intrinsic: Array, *, opencv: bool) -> Poses:
    """The poses of an image's detections, without those that have none.

    Args:
        found: Detections in pixels.
        intrinsic: (3, 3) camera matrix, pixels.
        opencv: Leave poses and keypoints in OpenCV's camera frame; else they are turned into the
            GL frame, the one of annotations.
    """
    solved = [solve_pose(found.points[i], found.scale[i], intrinsic) for i in range(len(found))]
    index = np.array([i for i, pose in enumerate(solved) if pose is not None], dtype=np.intp)
    kept = [pose for pose in solved if pose is not None]
    rotation = np.array([pose[0] for pose in kept]).reshape(-1, 3, 3)
    translation = np.array([pose[1] for pose in kept]).reshape(-1, 3)
    scale = found.scale[index]
    local = np.array([box_keypoints(size) for size in scale]).reshape(-1, N_CORNERS + 1, 3)
    points = local @ rotation.transpose(0, 2, 1) + translation[:, None, :]
    projected = _projected(points, intrinsic)
    if not opencv:
        rotation = GL_FROM_CV @ rotation
        translation = translation @ GL_FROM_CV.T
        points = points @ GL_FROM_CV.T
    poses = Poses(found.scores[index], rotation, translation, scale, points, projected)
    # A corner in the camera's own plane has no pixel, so the box cannot be compared with any.
    return poses.take(np.flatnonzero(np.isfinite(projected).all(axis=(1, 2))))


def _solvable(points: Array, scale: Array) -> bool:
    """Whether the numbers are finite and the box is solid."""
    finite = np.isfinite(points).all() and np.isfinite(scale).all()
    return bool(finite and (scale != 0.0).all())


def _projected(points: Array, intrinsic: Array) -> Array:
    """(N, 9, 2) pixels of keypoints in OpenCV's camera frame; row 0 is the corners' mean."""
    image = points[:, 1:] @ intrinsic.T
    with np.errstate(divide="ignore", invalid="ignore"):
        corners = image[..., :2] / image[..., 2:]
    return np.concatenate([corners.mean(axis=1, keepdims=True), corners], axis=1)
