"""From scored detections to average precision and mean errors over a split."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["EvaluationResult", "OneToOne"]


@dataclass(frozen=True, slots=True)
class OneToOne:
    """Scores in which an object can be found once only; ours, the container has none.

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
        means: Name of a measure to its mean over matched detections, in the measure's unit.
        curves: Name of a measure to its average precision at each of its thresholds.
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
