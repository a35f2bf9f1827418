"""The poses of boxes from the pixels of their corners, all of them at once.

A network predicts where the corners are and how the box is proportioned. A box of those
proportions at the origin, the pixels and the camera matrix make a perspective-n-point problem; its
solution is a pose in the unit of the proportions, so with relative sizes it is right up to one
factor.
"""

from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor

from automl.centerpose.evaluation.detections import Detections, Poses
from automl.centerpose.evaluation.pnp_refine import refine
from automl.centerpose.evaluation.pnp_start import Correspondences, start
from automl.centerpose.evaluation.rotations import rotation_of
from automl.data.geometry import CORNER_SIGNS, GL_FROM_CV, Array

__all__ = ["solve_pnp", "solve_poses"]

_ABSENT: Final = -5000.0  # a corner with a coordinate below this was not found
_FEWEST: Final = 4
_FEWEST_ITERATIVE: Final = 6


def solve_pnp(points: Tensor, scale: Tensor, camera: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The poses of boxes in OpenCV's camera frame.

    Six points or more are solved by Levenberg-Marquardt from a direct linear start, as OpenCV's
    iterative solver does, so that of several minima it ends in the same one. Four or five, which
    head maps never leave, are handed to OpenCV's EPnP. There is no lens distortion.

    Args:
        points: (N, 8, 2) pixels of the corners; one with a coordinate below -5000 is left out.
        scale: (N, 3) sizes of the boxes along x, y (up) and z, in any unit.
        camera: (N, 3, 3) camera matrices, pixels; their skew is ignored, as OpenCV does.

    Returns:
        Rotations (N, 3, 3) and translations (N, 3) from object to camera, in the unit of
        ``scale``; (N,) whether there is a pose: not where fewer than four points are given, a
        number is not finite, the box is flat, or the solution lies behind the camera.
    """
    seen = (points >= _ABSENT).all(dim=2)
    count = seen.sum(dim=1)
    finite = points.isfinite().all(dim=2) | ~seen
    usable = finite.all(dim=1) & scale.isfinite().all(dim=1) & (scale != 0.0).all(dim=1)
    iterative = usable & (count >= _FEWEST_ITERATIVE)
    pairs = _pairs(points, scale, camera, torch.where(iterative[:, None], seen, True))
    pairs = pairs.replaced(~iterative)
    turn, translation = refine(pairs, *start(pairs))
    rotation = rotation_of(turn)
    few = (usable & (count >= _FEWEST) & ~iterative).nonzero()[:, 0]
    solved = iterative
    if len(few):
        turned, shifted, has_pose = _epnp(points[few], scale[few], camera[few])
        rotation, translation = rotation.clone(), translation.clone()
        rotation[few], translation[few] = turned, shifted
        solved = iterative.index_put((few,), has_pose)
    finite = rotation.isfinite().flatten(1).all(dim=1)
    return rotation, translation, solved & finite & (translation[:, 2] >= 0.0)


def solve_poses(detections: Detections, camera: Tensor, *, opencv: bool) -> tuple[Poses, Tensor]:
    """The poses of detections, without those that have none.

    Args:
        detections: N detections in pixels.
        camera: (N, 3, 3) camera matrices, pixels.
        opencv: Leave poses and keypoints in OpenCV's camera frame; else they are turned into the
            GL frame, the one of annotations.

    Returns:
        The poses, and the row in ``detections`` of each.
    """
    rotation, translation, solved = solve_pnp(detections.points, detections.scale, camera)
    local = torch.nn.functional.pad(_corners(detections.scale), (0, 0, 1, 0))
    points = local @ rotation.transpose(1, 2) + translation[:, None]
    projected = _projected(points, camera)
    if not opencv:
        swap = torch.as_tensor(GL_FROM_CV, device=points.device)
        rotation, translation, points = swap @ rotation, translation @ swap.T, points @ swap.T
    # A corner in the camera's own plane has no pixel, so the box cannot be compared with any.
    solved = solved & projected.isfinite().flatten(1).all(dim=1)
    index = solved.nonzero()[:, 0]
    poses = Poses(detections.scores, rotation, translation, detections.scale, points, projected)
    return poses.take(index), index


def _pairs(points: Tensor, scale: Tensor, camera: Tensor, seen: Tensor) -> Correspondences:
    focal = torch.stack([camera[:, 0, 0], camera[:, 1, 1]], dim=1)
    middle = camera[:, :2, 2]
    plane = (points - middle[:, None]) / focal[:, None]
    return Correspondences(_corners(scale), plane, seen.to(points.dtype), focal)


def _corners(scale: Tensor) -> Tensor:
    """(N, 8, 3) corners of boxes in their own frames."""
    signs = torch.as_tensor(CORNER_SIGNS, device=scale.device)
    return signs * (scale / 2.0)[:, None]


def _projected(points: Tensor, camera: Tensor) -> Tensor:
    """(N, 9, 2) pixels of keypoints in OpenCV's camera frame; row 0 is the corners' mean."""
    image = points[:, 1:] @ camera.transpose(1, 2)
    corners = image[..., :2] / image[..., 2:]
    return torch.cat([corners.mean(dim=1, keepdim=True), corners], dim=1)


def _epnp(points: Tensor, scale: Tensor, camera: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Poses by OpenCV's EPnP, one by one: rotations, translations, whether there is one."""
    rows = [
        _epnp_one(*(values.cpu().numpy() for values in row))
        for row in zip(points, _corners(scale), camera, strict=True)
    ]
    poses = torch.as_tensor(np.array(rows), device=points.device)
    has_pose = poses.isfinite().all(dim=2).all(dim=1)
    return poses[:, :, :3], poses[:, :, 3], has_pose


def _epnp_one(points: Array, corners: Array, camera: Array) -> Array:
    """(3, 4) rotation and translation of one box; not numbers where there is no solution."""
    seen = (points >= _ABSENT).all(axis=1)
    pixels = np.ascontiguousarray(points[seen])
    try:
        solution = cv2.solvePnP(corners[seen], pixels, camera, None, flags=cv2.SOLVEPNP_EPNP)
    except cv2.error:
        # OpenCV checks its own degenerate cases by assertion; each is a box without a pose.
        return np.full((3, 4), np.nan)
    if not solution[0]:
        return np.full((3, 4), np.nan)
    return np.column_stack([cv2.Rodrigues(solution[1])[0], np.asarray(solution[2]).reshape(3)])
