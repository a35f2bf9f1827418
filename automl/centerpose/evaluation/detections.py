"""What is known of the objects of images at each stage.

What was found lives in tensors, so that a whole split is treated at once on whatever device the
head maps came from: all of double precision, one row a detection.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from automl.data.geometry import Array
from automl.data.objectron import Annotation

__all__ = ["Detections", "GroundTruth", "Poses"]


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Detections as read from head maps: N of them, or K for each of B images.

    Attributes:
        scores: (N,) or (B, K) centre scores in [0, 1].
        boxes: (..., 4) left, top, right, bottom of the 2D boxes.
        centers: (..., 2) centres of the 2D boxes, refined by the offset head.
        points: (..., 8, 2) corners by displacement from the centre.
        scale: (..., 3) size along x, y (up) and z; relative to y, or metres.
    """

    scores: Tensor
    boxes: Tensor
    centers: Tensor
    points: Tensor
    scale: Tensor

    def __len__(self) -> int:
        return len(self.scores)

    def fields(self) -> tuple[Tensor, ...]:
        """All tensors, in the order of the constructor."""
        return self.scores, self.boxes, self.centers, self.points, self.scale

    def take(self, *index: Tensor) -> "Detections":
        """The detections at an index for each leading dimension, or under a mask."""
        return Detections(*(values[index] for values in self.fields()))

    @classmethod
    def joined(cls, parts: Sequence["Detections"]) -> "Detections":
        """One of several, at least one, row after row."""
        return cls(*(torch.cat(same) for same in zip(*(p.fields() for p in parts), strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class Poses:
    """N detections for which a pose was found.

    Attributes:
        scores: (N,) scores.
        rotation: (N, 3, 3) object to camera.
        translation: (N, 3) object to camera, in the unit of ``scale``.
        scale: (N, 3) size along x, y (up) and z.
        keypoints_3d: (N, 9, 3) centre and corners in the camera's frame.
        projected: (N, 9, 2) their pixels; row 0 is the mean of the other eight.
    """

    scores: Tensor
    rotation: Tensor
    translation: Tensor
    scale: Tensor
    keypoints_3d: Tensor
    projected: Tensor

    def __len__(self) -> int:
        return len(self.scores)

    def fields(self) -> tuple[Tensor, ...]:
        """All tensors, in the order of the constructor."""
        return (
            self.scores,
            self.rotation,
            self.translation,
            self.scale,
            self.keypoints_3d,
            self.projected,
        )

    def take(self, index: Tensor) -> "Poses":
        """The poses at ``index`` or under a mask, in its order."""
        return Poses(*(values[index] for values in self.fields()))

    @classmethod
    def joined(cls, parts: Sequence["Poses"]) -> "Poses":
        """One of several, at least one, row after row."""
        return cls(*(torch.cat(same) for same in zip(*(p.fields() for p in parts), strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """The M annotated objects of one image, in the GL camera frame and metres.

    Attributes:
        size: (2,) image width and height, pixels.
        projection: (4, 4) GL projection matrix.
        plane_center: (3,) a point of the ground plane.
        plane_normal: (3,) its normal.
        projected: (M, 9, 2) pixels of centre and corners.
        keypoints_3d: (M, 9, 3) centre and corners.
        scale: (M, 3) size along x, y (up) and z.
        visibility: (M,) visible share of the object, 0 to 1.
    """

    size: Array
    projection: Array
    plane_center: Array
    plane_normal: Array
    projected: Array
    keypoints_3d: Array
    scale: Array
    visibility: Array

    def __len__(self) -> int:
        return len(self.visibility)

    @classmethod
    def of(cls, annotation: Annotation) -> "GroundTruth":
        """The arrays of an annotation."""
        objects = annotation.objects
        return cls(
            size=np.array([annotation.width, annotation.height], dtype=np.float64),
            projection=annotation.projection,
            plane_center=annotation.plane_center,
            plane_normal=annotation.plane_normal,
            projected=np.array([o.projected_cuboid for o in objects]).reshape(-1, 9, 2),
            keypoints_3d=np.array([o.keypoints_3d for o in objects]).reshape(-1, 9, 3),
            scale=np.array([o.scale for o in objects]).reshape(-1, 3),
            visibility=np.array([o.visibility for o in objects], dtype=np.float64),
        )

    def counts(self, visible_above: float) -> bool:
        """Whether the image is scored at all.

        It is if some object is visible by more than ``visible_above``, has its centre strictly
        inside the image and lies in front of the camera; then all its objects count.
        """
        centers = self.projected[:, 0]
        inside = ((centers > 0.0) & (centers < self.size)).all(axis=1)
        ahead = self.keypoints_3d[:, 0, 2] < 0.0
        return bool((inside & ahead & (self.visibility > visible_above)).any())
