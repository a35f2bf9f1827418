"""From measured detections to average precision and mean errors over a split.

``val_3DIoU`` is not a mean overlap: it is the average precision of detections whose 3D IoU reaches
0.5. As in the container, a detection whose nearest object is hardly visible counts with a score of
0: it comes last, and costs no precision. Two choices are this package's own. Detections of equal
score enter the precision-recall curve together, so that the order of the images cannot matter; and
a detection that is compared with no object passes no threshold, not even that of 0.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.centerpose.evaluation.matching import Record
from automl.centerpose.evaluation.measures import IOU_3D, MEASURES, PIXEL_ERROR
from automl.data.geometry import Array
from automl.poses.precision import average_precision

__all__ = ["EvaluationResult", "OneToOne", "one_to_one", "summarise"]

_AT_50: Final = 10  # of the 21 thresholds of 3D IoU, that of 0.50
_AT_75: Final = 15


@dataclass(frozen=True, slots=True)
class OneToOne:
    """Scores in which an object can be found once only; ours, the container has none.

    Detections choose in the order of their scores, each the free object that it overlaps most.

    Attributes:
        ap50: Average precision at 3D IoU 0.5, in [0, 1].
        ap75: The same at 0.75.
        mean_iou: Mean 3D IoU over all ground-truth objects, 0 for an object not found.
    """

    ap50: float
    ap75: float
    mean_iou: float


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """The scores of one split.

    Attributes:
        ap50: Average precision of 3D IoU at 0.5: ``val_3DIoU``. Several detections of one object
            all count as found, so it can exceed 1.
        ap75: The same at 0.75.
        mpe: Mean pixel error of the eight corners over matched detections, in units of the image's
            sides: ``val_2DMPE``. 0.0 where nothing was matched.
        mean_iou: Mean 3D IoU over matched detections; 0.0 where nothing was matched.
        means: Name of a measure to its mean over matched detections, in the measure's unit; 0.0
            where nothing was matched.
        curves: Name of a measure to its average precision at each of its 21 thresholds.
        one_to_one: Scores under one-to-one matching.
        candidate_accuracy: Mean over all ground-truth objects of 1 minus the corner error of the
            candidate nearest to each, whatever its score, in units of the object's diagonal, in
            [0, 1]; ours. 0.0 where no candidates are known.
        n_images: Images that counted: at least one visible object in front of the camera.
        n_objects: Ground-truth objects on those images.
        n_detections: Detections with a pose on those images.
        n_matched: Detections that were compared with an object.
    """

    ap50: float
    ap75: float
    mpe: float
    mean_iou: float
    means: Mapping[str, float]
    curves: Mapping[str, tuple[float, ...]]
    one_to_one: OneToOne
    candidate_accuracy: float
    n_images: int
    n_objects: int
    n_detections: int
    n_matched: int


def summarise(records: Iterable[Record]) -> EvaluationResult:
    """The result over images, whatever their order.

    Args:
        records: Every image that counts, also those without a detection.
    """
    images = sorted(records, key=lambda record: record.index)
    scores = _joined(image.scores for image in images)
    matched = _joined(image.matched for image in images).astype(bool)
    n_objects = sum(image.overlaps.shape[1] for image in images)
    table = np.concatenate([np.zeros((0, len(MEASURES))), *(image.measured for image in images)])
    values = {m.name: table[:, k] for k, m in enumerate(MEASURES)}
    curves = _curves(values, scores, matched, n_objects)
    means = {name: _mean(value[matched]) for name, value in values.items()}
    return EvaluationResult(
        ap50=curves[IOU_3D][_AT_50],
        ap75=curves[IOU_3D][_AT_75],
        mpe=means[PIXEL_ERROR],
        mean_iou=means[IOU_3D],
        means=means,
        curves=curves,
        one_to_one=one_to_one(images),
        candidate_accuracy=_mean(_joined(image.nearness for image in images)),
        n_images=len(images),
        n_objects=n_objects,
        n_detections=len(scores),
        n_matched=int(matched.sum()),
    )


def _curves(
    values: Mapping[str, Array], scores: Array, matched: npt.NDArray[np.bool_], n_objects: int
) -> dict[str, tuple[float, ...]]:
    """Average precision at each threshold of each measure."""
    passed = np.concatenate([m.passes(values[m.name]) for m in MEASURES], axis=1)
    ranked = np.where(matched, scores, 0.0)
    areas = average_precision(ranked, passed & matched[:, None], n_objects)
    parts = np.split(areas, len(MEASURES))
    return {m.name: tuple(part.tolist()) for m, part in zip(MEASURES, parts, strict=True)}


def one_to_one(images: Sequence[Record]) -> OneToOne:
    """The scores of detections that share no object; an image may stand there several times."""
    n_objects = sum(image.overlaps.shape[1] for image in images)
    ranked = _RankedDetections.of(images)
    precisions = []
    for threshold in (0.5, 0.75):
        passed = ranked.claimed(threshold)[0]
        area = average_precision(ranked.scores[ranked.real], passed[ranked.real, None], n_objects)
        precisions.append(float(area[0]))
    overlaps = ranked.claimed(0.0)[1]
    return OneToOne(precisions[0], precisions[1], _mean(overlaps[ranked.objects]))


@dataclass(frozen=True, slots=True, eq=False)
class _RankedDetections:
    """The detections of B images, padded to the N of the image that has most, best first.

    Attributes:
        scores: (B, N) scores; minus infinity where there is no detection.
        overlaps: (B, N, M) 3D IoU with the objects; -1 where there is no such pair.
        real: (B, N) whether there is a detection.
        objects: (B, M) whether there is an object.
    """

    scores: Array
    overlaps: Array
    real: npt.NDArray[np.bool_]
    objects: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, images: Sequence[Record]) -> "_RankedDetections":
        shapes = np.array([i.overlaps.shape for i in images], dtype=np.intp).reshape(-1, 2)
        most = shapes.max(axis=0, initial=0)
        real = np.arange(most[0]) < shapes[:, :1]
        objects = np.arange(most[1]) < shapes[:, 1:]
        scores = np.full(real.shape, -np.inf)
        scores[real] = _joined(image.scores for image in images)
        overlaps = np.full((len(images), most[0], most[1]), -1.0)
        flat = _joined(image.overlaps.ravel() for image in images)
        overlaps[real[:, :, None] & objects[:, None]] = flat
        order = np.lexsort((-overlaps.max(axis=2, initial=-1.0), -scores), axis=1)
        rows = np.arange(len(order))[:, None]
        return cls(scores[rows, order], overlaps[rows, order], real, objects)

    def claimed(self, threshold: float) -> tuple[npt.NDArray[np.bool_], Array]:
        """(B, N) whether each detection gets an object of its own; (B, M) objects' IoU, or 0."""
        passed = np.zeros(self.real.shape, dtype=bool)
        best_overlap = np.zeros(self.objects.shape)
        free = self.objects.copy()
        rows = np.arange(len(free))
        for rank in range(self.real.shape[1] if self.objects.size else 0):
            candidates = np.where(free, self.overlaps[:, rank], -1.0)
            best = candidates.argmax(axis=1)
            gets = candidates[rows, best] >= threshold
            passed[:, rank] = gets
            best_overlap[rows[gets], best[gets]] = candidates[rows, best][gets]
            free[rows[gets], best[gets]] = False
        return passed, best_overlap


def _joined(parts: Iterable[npt.NDArray[np.generic]]) -> Array:
    """One float array of all the parts, also of none."""
    return np.concatenate([np.zeros(0), *parts]).astype(np.float64)


def _mean(values: Array) -> float:
    """The mean, 0.0 of nothing; summed exactly, so that no order of images changes a bit of it."""
    return math.fsum(values.tolist()) / len(values) if len(values) else 0.0
