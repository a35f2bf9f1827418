"""Which object each detection is compared with, and how well it does: all images at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from automl.centerpose.evaluation import measures
from automl.centerpose.evaluation.boxes import fit_boxes
from automl.centerpose.evaluation.detections import Poses
from automl.centerpose.evaluation.iou3d import symmetric_iou
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.centerpose.evaluation.truths import Truths
from automl.data.geometry import Array

__all__ = ["VISIBLE_ABOVE", "Record", "assign", "measure"]

VISIBLE_ABOVE: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """The N detections of one image that counts, each measured against an object.

    Plain arrays, so that processes can hand them to each other.

    Attributes:
        index: The image's number in its split.
        scores: (N,) detection scores.
        matched: (N,) whether there was an object to compare with; it need not be a near one, and
            several detections may share it.
        measured: (N, 7) values of ``MEASURES``; without meaning where nothing matched.
        overlaps: (N, M) 3D IoU of each detection with each object.
        nearness: (M,) of each object, by ``candidates.candidate_accuracy``; (0,) where nobody
            knows the candidates.
    """

    index: int
    scores: Array
    matched: npt.NDArray[np.bool_]
    measured: Array
    overlaps: Array
    nearness: Array = field(default_factory=lambda: np.zeros(0))


def assign(poses: Poses, image: Tensor, truths: Truths) -> tuple[Tensor, Tensor]:
    """The object nearest to each detection in its image.

    Distances are taken between the eight projected corners, in units of the image's sides; the
    nearest object has the smallest sum of squares, without regard to symmetry.

    Args:
        poses: N detections.
        image: (N,) row in ``truths`` of each one's image, which has an object at least.
        truths: The objects of the images.

    Returns:
        (N,) number of the object in its image; (N,) whether it is visible enough to be compared.
    """
    size = truths.size[image][:, None]
    true = truths.projected[image] / size[:, None]
    apart = measures.corner_distances((poses.projected / size)[:, None], true)
    total = torch.where(truths.present[image], apart.square().sum(dim=2), torch.inf)
    nearest = total.argmin(dim=1)
    return nearest, ~(truths.visibility[image, nearest] < VISIBLE_ABOVE)


def measure(
    poses: Poses,
    image: Tensor,
    truths: Truths,
    indices: Sequence[int],
    settings: EvaluationSettings,
) -> list[Record]:
    """Measures the detections of several images; waits for the device where it ends.

    Args:
        poses: N detections.
        image: (N,) row in ``truths`` of each one's image, ascending.
        truths: The objects of the images, of which each has one at least.
        indices: Number in its split of each image.
        settings: Symmetry, and whether sizes are absolute.

    Returns:
        One record per image, in order.
    """
    if not indices:
        return []
    nearest, visible = assign(poses, image, truths)
    points = poses.keypoints_3d
    if not settings.absolute_scale:
        points = measures.on_ground(points, truths.plane_center[image], truths.plane_normal[image])
    overlaps = _overlaps(points, image, truths, settings.num_symmetry)
    values = _values(poses, points, (image, nearest), truths, settings.num_symmetry)
    own = overlaps.gather(1, nearest[:, None])
    parts = [image[:, None].double(), visible[:, None].double(), poses.scores[:, None], own]
    # One transfer for everything: each would wait for the device.
    table = torch.cat([*parts, values, overlaps], dim=1).cpu().numpy()
    return _records(table, indices, truths.n_objects)


def _overlaps(points: Tensor, image: Tensor, truths: Truths, steps: int) -> Tensor:
    """(N, M) 3D IoU of every detection with every object of its image, 0 where there is none."""
    n, most = len(points), truths.present.shape[1]
    predicted, true = fit_boxes(points), fit_boxes(truths.keypoints_3d.flatten(0, 1))
    rows = torch.arange(n, device=image.device).repeat_interleave(most)
    objects = (image[:, None] * most + torch.arange(most, device=image.device)).flatten()
    values = symmetric_iou(predicted.take(rows), true.take(objects), steps).view(n, most)
    return torch.where(truths.present[image], values, 0.0)


def _values(
    poses: Poses, points: Tensor, objects: tuple[Tensor, Tensor], truths: Truths, steps: int
) -> Tensor:
    """(N, 6) all measures but the first.

    Args:
        poses: N detections.
        points: (N, 9, 3) their keypoints in metres.
        objects: (N,) image and (N,) object that each is compared with.
        truths: The objects.
        steps: Turns under which an object looks the same.
    """
    image, true = objects[0], truths.keypoints_3d[objects]
    size = truths.size[image]
    turned = measures.turned_projections(true, truths.projection[image], size, steps)
    sides = size[:, None]
    pixel = measures.corner_distances(poses.projected / sides, turned / sides).mean(dim=2)
    columns = [
        pixel.amin(dim=0),
        *measures.viewpoint_errors(points, true, steps),
        *measures.point_errors(points, true),
        measures.scale_errors(poses.scale, truths.scale[objects]),
    ]
    return torch.stack(columns, dim=1)


def _records(table: Array, indices: Sequence[int], n_objects: Sequence[int]) -> list[Record]:
    """One record per image from rows of image, visible, score, measures and overlaps."""
    ends = np.searchsorted(table[:, 0], np.arange(len(indices) + 1))
    first = 3 + len(measures.MEASURES)
    records = []
    for k, (index, objects) in enumerate(zip(indices, n_objects, strict=True)):
        rows = table[ends[k] : ends[k + 1]]
        matched, overlaps = rows[:, 1] > 0.0, rows[:, first : first + objects]
        records.append(Record(index, rows[:, 2], matched, rows[:, 3:first], overlaps))
    return records
