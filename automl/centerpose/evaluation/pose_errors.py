"""How each detection differs from its object, axis by axis: what the file of poses holds.

Frames: keypoints come in the GL camera frame of annotations; what is said by axis is in OpenCV's,
in which a reader thinks: right, down, away.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from automl.centerpose.evaluation import measures
from automl.centerpose.evaluation.boxes import fit_boxes
from automl.centerpose.evaluation.rotations import nearest_rotation, vector_of
from automl.data.geometry import GL_FROM_CV, Array

__all__ = [
    "Pairs",
    "corner_errors",
    "in_opencv",
    "rotation_errors",
    "symmetric_distance",
    "truncation",
]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """N predicted boxes and the objects that they are compared with.

    Attributes:
        points: (N, 9, 3) predicted keypoints, metres.
        projected: (N, 9, 2) their pixels.
        true: (N, 9, 3) the objects' keypoints, metres.
        projection: (N, 4, 4) GL projection matrices.
        size: (N, 2) image width and height, pixels.
        steps: Turns about the up axis under which an object looks the same; 1 for none.
    """

    points: Tensor
    projected: Tensor
    true: Tensor
    projection: Tensor
    size: Tensor
    steps: int


def symmetric_distance(pairs: Pairs) -> Tensor:
    """(N,) maximum symmetry-aware surface distance over the corners, metres.

    ``min over turns S of max over corners x of |P^ x - P S x|`` (MSSD: Hodan et al., "BOP
    Challenge 2020", 2020, equation 2), each box with its own corners.
    """
    solids = measures.turned(pairs.true, pairs.steps)
    apart = (solids[:, :, 1:] - pairs.points[:, 1:]).norm(dim=3)
    worst: Tensor = apart.amax(dim=2).amin(dim=0)
    return worst


def corner_errors(pairs: Pairs) -> tuple[Tensor, Tensor, Tensor]:
    """Distances of the projected corners.

    Returns:
        (N, 8) distances in pixels, under the turn of the smallest mean; (N,) maximum
        symmetry-aware projection distance, pixels (MSPD: Hodan et al. 2020, equation 3); (N,) mean
        distance in image sides, the least of all turns, as ``val_2DMPE`` adds it up.
    """
    pixels = measures.turned_projections(pairs.true, pairs.projection, pairs.size, pairs.steps)
    apart = measures.corner_distances(pairs.projected, pixels)
    sides = pairs.size[:, None]
    shares = measures.corner_distances(pairs.projected / sides, pixels / sides).mean(dim=2)
    best = apart.mean(dim=2).argmin(dim=0)
    rows = torch.arange(len(best), device=best.device)
    return apart[best, rows], apart.amax(dim=2).amin(dim=0), shares.amin(dim=0)


def rotation_errors(pairs: Pairs) -> Tensor:
    """(N, 3) rotation vectors, degrees, from each object to its prediction in the object's frame.

    Of the turns that symmetry allows, that of the smallest angle counts. The vector's length is
    the angle between the two orientations; its components are how far the box is turned about the
    object's x, y (up) and z.
    """
    own = _axes(pairs.points)
    frames = [_axes(solid) for solid in measures.turned(pairs.true, pairs.steps)]
    every = torch.stack([vector_of(nearest_rotation(f.transpose(1, 2) @ own)) for f in frames])
    best = every.norm(dim=2).argmin(dim=0)
    chosen: Tensor = every[best, torch.arange(len(best), device=best.device)]
    return chosen.rad2deg()


def _axes(points: Tensor) -> Tensor:
    half = fit_boxes(points).half
    axes: Tensor = half / half.norm(dim=1, keepdim=True)
    return axes


def in_opencv(points: Array) -> Array:
    """(..., 3) points of the GL camera frame in OpenCV's."""
    return np.asarray(points @ GL_FROM_CV.T)


def truncation(corners: Array, size: Array) -> float:
    """The share, in [0, 1], of a box's projection that lies outside its image.

    Args:
        corners: (8, 2) pixels of the corners.
        size: (2,) image width and height, pixels.
    """
    hull = cv2.convexHull(corners.astype(np.float32))
    area = float(cv2.contourArea(hull))
    if area <= 0.0:
        return 0.0
    width, height = (float(side) for side in size)
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    inside, _ = cv2.intersectConvexConvex(hull, frame)
    return float(np.clip(1.0 - inside / area, 0.0, 1.0))
