"""The score to beat: a predictor that looks at no image and always answers the same pose.

Whatever a network scores above it, it has learnt from the images. It is scored by the same code,
on the same split.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from automl.centerpose.evaluation.boxes import fit_boxes
from automl.centerpose.evaluation.detections import GroundTruth, Poses
from automl.centerpose.evaluation.evaluator import Evaluator
from automl.centerpose.evaluation.matching import VISIBLE_ABOVE
from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.data.geometry import Array, box_keypoints
from automl.data.objectron import Annotation

__all__ = ["MeanPose", "mean_pose", "score_mean_pose"]


@dataclass(frozen=True, slots=True, eq=False)
class MeanPose:
    """One pose that stands for all objects of a split, in the GL camera frame and metres.

    Attributes:
        rotation: (3, 3) the rotation nearest to the mean of the objects' rotation matrices.
        location: (3,) mean centre.
        scale: (3,) mean size.
        projected: (9, 2) mean projection, in units of the image's sides.
    """

    rotation: Array
    location: Array
    scale: Array
    projected: Array

    def poses(self, truth: GroundTruth) -> Poses:
        """The answer for an image: this pose once, with score 1."""
        points = box_keypoints(self.scale) @ self.rotation.T + self.location
        pixels = self.projected * truth.size
        values = (np.ones(()), self.rotation, self.location, self.scale, points, pixels)
        return Poses(*(torch.from_numpy(value[None]) for value in values))


def mean_pose(annotations: Iterable[Annotation]) -> MeanPose:
    """The mean pose of the visible objects in front of the camera.

    Location, size and projection are plain means. Rotations are not: the mean of their matrices is
    taken to the nearest rotation, which keeps the box a box where a mean of its corners would
    shrink it.

    Raises:
        ValueError: There is no such object.
    """
    truths = [GroundTruth.of(annotation) for annotation in annotations]
    seen = [(t.visibility > VISIBLE_ABOVE) & (t.keypoints_3d[:, 0, 2] < 0.0) for t in truths]
    if not any(mask.any() for mask in seen):
        raise ValueError("the mean pose needs at least one visible object in front of the camera")
    points = np.concatenate([t.keypoints_3d[mask] for t, mask in zip(truths, seen, strict=True)])
    sizes = np.concatenate([t.scale[mask] for t, mask in zip(truths, seen, strict=True)])
    flat = np.concatenate(
        [t.projected[mask] / t.size for t, mask in zip(truths, seen, strict=True)]
    )
    boxes = fit_boxes(torch.from_numpy(points))
    axes = boxes.half / boxes.half.norm(dim=1, keepdim=True)
    return MeanPose(
        rotation=_nearest_rotation(axes.mean(dim=0).numpy()),
        location=boxes.center.mean(dim=0).numpy(),
        scale=sizes.mean(axis=0),
        projected=flat.mean(axis=0),
    )


def score_mean_pose(
    train: Iterable[Annotation], validation: Sequence[Annotation], settings: EvaluationSettings
) -> EvaluationResult:
    """The scores, on one split, of always answering the mean pose of another.

    Args:
        train: Annotations that the mean is taken over.
        validation: Annotations of the images to score.
        settings: As for the network; its threshold and frame do not matter here.

    Raises:
        ValueError: No object of ``train`` is visible.
    """
    answer = mean_pose(train)
    truths = [GroundTruth.of(annotation) for annotation in validation]
    evaluator = Evaluator(settings)
    evaluator.add_poses([answer.poses(truth) for truth in truths], truths)
    return evaluator.result()


def _nearest_rotation(matrix: Array) -> Array:
    """The rotation (3, 3) with the least squared distance to a matrix (Kabsch)."""
    left, _, right = np.linalg.svd(matrix)
    sign = np.sign(np.linalg.det(left @ right))
    return np.asarray(left @ np.diag([1.0, 1.0, sign]) @ right)
