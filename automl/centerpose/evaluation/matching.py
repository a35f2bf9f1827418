"""Which object each detection of an image is compared with, and how well it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.centerpose.evaluation import measures
from automl.centerpose.evaluation.detections import GroundTruth, Poses
from automl.centerpose.evaluation.iou3d import Boxes, fit_boxes, symmetric_iou
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.data.geometry import Array

__all__ = ["VISIBLE_ABOVE", "ImageScores", "assign", "score_images"]

VISIBLE_ABOVE: Final = 0.1

Pair = tuple[Poses, GroundTruth]


@dataclass(frozen=True, slots=True, eq=False)
class ImageScores:
    """The N detections of one image, each measured against an object.

    Attributes:
        scores: (N,) detection scores.
        matched: (N,) whether there was an object to compare with; it need not be a near one, and
            several detections may share it.
        measured: Name of a measure to its (N,) values; without meaning where nothing matched.
        overlaps: (N, M) 3D IoU of each detection with each object.
    """

    scores: Array
    matched: npt.NDArray[np.bool_]
    measured: Mapping[str, Array]
    overlaps: Array


def assign(poses: Poses, truth: GroundTruth, turned: Array) -> tuple[npt.NDArray[np.intp], Array]:
    """The object nearest to each detection in the image, and how near it is.

    Distances are taken between the eight projected corners, in units of the image's sides; the
    nearest object has the smallest sum of squares, without regard to symmetry.

    Args:
        poses: N detections.
        truth: M objects, at least one.
        turned: (S, M, 9, 2) pixels of the objects under each symmetric turn, the first being none.

    Returns:
        (N,) index of the object, -1 where the nearest one is hidden; (N,) mean corner distance to
        it, the least over the turns.
    """
    found = (poses.projected / truth.size)[None, :, None]
    apart = measures.corner_distances(found, (turned / truth.size)[:, None])
    nearest = (apart[0] ** 2).sum(axis=2).argmin(axis=1)
    errors = apart.mean(axis=3).min(axis=0)[np.arange(len(poses)), nearest]
    hidden = truth.visibility[nearest] < VISIBLE_ABOVE
    return np.where(hidden, -1, nearest), errors


def score_images(pairs: Sequence[Pair], settings: EvaluationSettings) -> list[ImageScores]:
    """Measures the detections of several images, all overlaps in one go.

    Args:
        pairs: Detections and objects of each image that counts, so with an object each.
        settings: Symmetry, and whether sizes are absolute.

    Returns:
        One entry per image, in order.
    """
    pairs = [(_standing(poses, truth, settings), truth) for poses, truth in pairs]
    overlaps = _overlaps(pairs, settings.num_symmetry)
    return [
        _score(pair, overlap, settings.num_symmetry)
        for pair, overlap in zip(pairs, overlaps, strict=True)
    ]


def _standing(poses: Poses, truth: GroundTruth, settings: EvaluationSettings) -> Poses:
    """The detections with their keypoints in metres."""
    if settings.absolute_scale:
        return poses
    points = measures.on_ground(poses.keypoints_3d, truth.plane_center, truth.plane_normal)
    return Poses(
        poses.scores, poses.rotation, poses.translation, poses.scale, points, poses.projected
    )


def _overlaps(pairs: Sequence[Pair], steps: int) -> list[Array]:
    """(N, M) 3D IoU of every detection with every object, per image."""
    found, true = [], []
    for poses, truth in pairs:
        shape = (len(poses), len(truth))
        rows, columns = (index.ravel() for index in np.indices(shape))
        found.append(poses.keypoints_3d[rows])
        true.append(truth.keypoints_3d[columns])
    values = symmetric_iou(_boxes(found), _boxes(true), steps)
    ends = np.cumsum([len(points) for points in found])[:-1]
    parts = np.split(values, ends) if pairs else []
    return [
        part.reshape(len(poses), len(truth))
        for part, (poses, truth) in zip(parts, pairs, strict=True)
    ]


def _boxes(points: Sequence[Array]) -> Boxes:
    return fit_boxes(np.concatenate([np.zeros((0, 9, 3)), *points]))


def _score(pair: Pair, overlap: Array, steps: int) -> ImageScores:
    """All measures of one image's detections."""
    poses, truth = pair
    index, pixel = assign(poses, truth, measures.turned_projections(truth, steps))
    predicted, true = poses.keypoints_3d, truth.keypoints_3d[index]
    azimuth, polar = measures.viewpoint_errors(predicted, true, steps)
    add, add_s = measures.point_errors(predicted, true)
    measured = {
        measures.IOU_3D: overlap[np.arange(len(poses)), index],
        measures.PIXEL_ERROR: pixel,
        "azimuth_deg": azimuth,
        "polar_deg": polar,
        "add_m": add,
        "add_s_m": add_s,
        "scale_error": measures.scale_errors(poses.scale, truth.scale[index]),
    }
    return ImageScores(poses.scores, index >= 0, measured, overlap)
