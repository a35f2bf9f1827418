"""What is known of an image's objects at each stage, as arrays over the objects."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automl.data.geometry import Array
from automl.data.objectron import Annotation

__all__ = ["Detections", "GroundTruth", "Poses"]


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N detections of one image, as read from the head maps.

    Attributes:
        scores: (N,) centre scores in [0, 1].
        boxes: (N, 4) left, top, right, bottom of the 2D boxes.
        centers: (N, 2) centres of the 2D boxes, refined by the offset head.
        points: (N, 8, 2) corners by displacement from the centre.
        scale: (N, 3) size along x, y (up) and z; relative to y, or metres.
    """

    scores: Array
    boxes: Array
    centers: Array
    points: Array
    scale: Array

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Detections":
        """The detections at ``index`` or under a mask, in its order."""
        return Detections(
            self.scores[index],
            self.boxes[index],
            self.centers[index],
            self.points[index],
            self.scale[index],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Poses:
    """N detections of one image for which a pose was found.

    Attributes:
        scores: (N,) scores.
        rotation: (N, 3, 3) object to camera.
        translation: (N, 3) object to camera, in the unit of ``scale``.
        scale: (N, 3) size along x, y (up) and z.
        keypoints_3d: (N, 9, 3) centre and corners in the camera's frame.
        projected: (N, 9, 2) their pixels; row 0 is the mean of the other eight.
    """

    scores: Array
    rotation: Array
    translation: Array
    scale: Array
    keypoints_3d: Array
    projected: Array

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Poses":
        """The poses at ``index`` or under a mask, in its order."""
        return Poses(
            self.scores[index],
            self.rotation[index],
            self.translation[index],
            self.scale[index],
            self.keypoints_3d[index],
            self.projected[index],
        )


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
