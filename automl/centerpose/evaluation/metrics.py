"""From measured detections to average precision and mean errors over a split.

``val_3DIoU`` is not a mean overlap: it is the average precision of detections whose 3D IoU reaches
0.5. Two choices are this package's own. Detections of equal score enter the precision-recall curve
together, so that the order of the images cannot matter; and a detection matched with no object
passes no threshold, not even that of 0.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.centerpose.evaluation.matching import ImageScores
from automl.centerpose.evaluation.measures import IOU_3D, MEASURES, PIXEL_ERROR, Measure
from automl.data.geometry import Array

__all__ = ["EvaluationResult", "OneToOne", "average_precision", "summarise"]

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
    n_images: int
    n_objects: int
    n_detections: int
    n_matched: int


def average_precision(scores: Array, passed: npt.NDArray[np.bool_], n_objects: int) -> Array:
    """The area under the monotone envelope of precision over recall (VOC's rule for all points).

    Args:
        scores: (N,) detection scores.
        passed: (N, T) whether each detection is right, under each of T rules.
        n_objects: Objects to be found.

    Returns:
        (T,) average precisions; 0 where there is nothing to find or nothing was detected. Above 1
        where more detections pass than there are objects.
    """
    if not n_objects or not len(scores):
        return np.zeros(passed.shape[1])
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_equals = np.append(ordered[1:] != ordered[:-1], True)
    right = np.cumsum(passed[order], axis=0)[last_of_equals]
    precision = right / (np.flatnonzero(last_of_equals) + 1)[:, None]
    envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    steps = np.diff(right / n_objects, axis=0, prepend=0.0)
    return np.asarray((steps * envelope).sum(axis=0))


def summarise(images: Sequence[ImageScores]) -> EvaluationResult:
    """The result over images, whatever their order.

    Args:
        images: Every image that counts, also those without a detection.
    """
    scores = _joined(image.scores for image in images)
    matched = _joined(image.matched for image in images).astype(bool)
    n_objects = sum(image.overlaps.shape[1] for image in images)
    values = {m.name: _joined(i.measured[m.name] for i in images) for m in MEASURES}
    curves = {m.name: _curve(m, values[m.name], scores, matched, n_objects) for m in MEASURES}
    means = {name: _mean(value[matched]) for name, value in values.items()}
    return EvaluationResult(
        ap50=curves[IOU_3D][_AT_50],
        ap75=curves[IOU_3D][_AT_75],
        mpe=means[PIXEL_ERROR],
        mean_iou=means[IOU_3D],
        means=means,
        curves=curves,
        one_to_one=_one_to_one(images, scores, n_objects),
        n_images=len(images),
        n_objects=n_objects,
        n_detections=len(scores),
        n_matched=int(matched.sum()),
    )


def _curve(
    measure: Measure,
    values: Array,
    scores: Array,
    matched: npt.NDArray[np.bool_],
    n_objects: int,
) -> tuple[float, ...]:
    """Average precision at each threshold of one measure."""
    passed = measure.passes(values) & matched[:, None]
    return tuple(average_precision(scores, passed, n_objects).tolist())


def _one_to_one(images: Sequence[ImageScores], scores: Array, n_objects: int) -> OneToOne:
    """The scores of detections that share no object."""
    precisions = []
    for threshold in (0.5, 0.75):
        passed = _joined(_claim(image, threshold)[0] for image in images).astype(bool)
        precisions.append(float(average_precision(scores, passed[:, None], n_objects)[0]))
    found = _joined(_claim(image, 0.0)[1] for image in images)
    return OneToOne(precisions[0], precisions[1], _mean(found))


def _claim(image: ImageScores, threshold: float) -> tuple[npt.NDArray[np.bool_], Array]:
    """(N,) whether each detection gets an object of its own; (M,) each object's IoU, or 0."""
    overlaps = image.overlaps
    passed = np.zeros(len(overlaps), dtype=bool)
    found = np.zeros(overlaps.shape[1])
    free = np.ones(overlaps.shape[1], dtype=bool)
    for row in np.lexsort((-overlaps.max(axis=1, initial=0.0), -image.scores)):
        candidates = np.where(free, overlaps[row], -1.0)
        best = int(candidates.argmax())
        if candidates[best] >= threshold:
            passed[row], found[best], free[best] = True, candidates[best], False
    return passed, found


def _joined(parts: Iterable[npt.NDArray[np.generic]]) -> Array:
    """One float array of all the parts, also of none."""
    return np.concatenate([np.zeros(0), *parts]).astype(np.float64)


def _mean(values: Array) -> float:
    """The mean, 0.0 of nothing; summed exactly, so that no order of images changes a bit of it."""
    return math.fsum(values.tolist()) / len(values) if len(values) else 0.0
