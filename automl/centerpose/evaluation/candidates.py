"""How near a network's best candidate comes to each object, whatever score it has.

Average precision is 0 until detections pass both a score threshold and half an overlap: for the
first third of a training it says nothing. What is measured here moves from the first epoch on. A
candidate is any peak that was decoded; each object is compared with the one whose corners lie
nearest to its own in the image, and only those get a pose.
"""

from typing import Final

import torch
from torch import Tensor

from automl.centerpose.evaluation import measures
from automl.centerpose.evaluation.boxes import fit_boxes
from automl.centerpose.evaluation.detections import Detections
from automl.centerpose.evaluation.iou3d import symmetric_iou
from automl.centerpose.evaluation.pnp import solve_poses
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.centerpose.evaluation.truths import Truths
from automl.data.geometry import Array

__all__ = ["N_CLOSENESS", "closeness", "nearest_candidates"]

N_CLOSENESS: Final = 2
"""Numbers per object: 3D IoU, and corner accuracy."""


def nearest_candidates(
    detections: Detections, truths: Truths, steps: int
) -> tuple[Tensor, Tensor]:
    """The candidate nearest to each object, and how far off its corners are.

    The distance is the mean over the eight corners between predicted and projected pixels, in
    units of the diagonal of the object's own 2D box; the least of the turns that symmetry allows.

    Args:
        detections: (B, K) candidates in pixels; one with a score of 0 is none.
        truths: The objects of the B images.
        steps: Turns about the up axis under which an object looks the same.

    Returns:
        (B, M) columns of the candidates, and (B, M) distances; infinity where there is none.
    """
    image, item = truths.present.nonzero(as_tuple=True)
    size = truths.size[image]
    points = truths.keypoints_3d[image, item]
    turned = measures.turned_projections(points, truths.projection[image], size, steps)
    corners = turned[0, :, 1:]
    diagonal = (corners.amax(dim=1) - corners.amin(dim=1)).norm(dim=1)
    scored = detections.scores > 0.0
    nearest = torch.zeros_like(truths.present, dtype=torch.long)
    distance = torch.full_like(nearest, torch.inf, dtype=torch.float64)
    for column in range(truths.present.shape[1]):  # a column at a time, for the sake of memory
        rows = (item == column).nonzero()[:, 0]
        found = detections.points[image[rows]]  # (R, K, 8, 2)
        apart = torch.stack(
            [(found - turn[rows, None, 1:]).norm(dim=3).mean(dim=2) for turn in turned]
        ).amin(dim=0)
        apart = torch.where(apart.isfinite() & scored[image[rows]], apart, torch.inf)
        least = apart.min(dim=1)
        nearest[image[rows], column] = least.indices
        distance[image[rows], column] = least.values / diagonal[rows]
    return nearest, distance.nan_to_num(nan=torch.inf, posinf=torch.inf)


def closeness(
    detections: Detections, camera: Tensor, truths: Truths, settings: EvaluationSettings
) -> list[Array]:
    """What is measured of each object's nearest candidate; waits for the device where it ends.

    Args:
        detections: (B, K) candidates in pixels.
        camera: (B, 3, 3) camera matrices, pixels.
        truths: The objects of the B images.
        settings: Camera frame, symmetry, and whether sizes are absolute.

    Returns:
        For each image an (M, 2) array over its objects: the 3D IoU, 0 where there is no candidate
        or it has no pose; and 1 minus the distance of ``nearest_candidates``, at least 0.
    """
    steps = settings.num_symmetry
    nearest, distance = nearest_candidates(detections, truths, steps)
    image, item = (truths.present & distance.isfinite()).nonzero(as_tuple=True)
    chosen = detections.take(image, nearest[image, item])
    poses, rows = solve_poses(chosen, camera[image], opencv=settings.opencv)
    image, item = image[rows], item[rows]
    points = poses.keypoints_3d
    if not settings.absolute_scale:
        points = measures.on_ground(points, truths.plane_center[image], truths.plane_normal[image])
    overlap = torch.zeros_like(distance)
    true = fit_boxes(truths.keypoints_3d[image, item])
    overlap[image, item] = symmetric_iou(fit_boxes(points), true, steps)
    accuracy = (1.0 - distance).clamp(min=0.0)
    table = torch.stack([overlap, accuracy], dim=2).cpu().numpy()
    return [row[:n] for row, n in zip(table, truths.n_objects, strict=True)]
