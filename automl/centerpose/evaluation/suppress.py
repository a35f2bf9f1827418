"""Which detections are worth a pose: score threshold and soft-NMS, over all images at once."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from automl.centerpose.evaluation.detections import Detections

__all__ = ["SIGMA", "Detected", "detect"]

SIGMA: Final = 0.5  # of the Gaussian that soft-NMS lowers scores by


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """What is left of the detections of B images.

    Attributes:
        image: (N,) number of the image of each, from 0 and ascending.
        detections: N detections; those of one image stand best first.
    """

    image: Tensor
    detections: Detections


def detect(detections: Detections, threshold: float) -> Detected:
    """The detections that are finite, above the threshold, and left by soft-NMS.

    Gaussian soft-NMS: the best detection of an image is taken, the scores of all its others are
    multiplied by ``exp(-iou^2 / 0.5)``, those that fall below ``threshold`` are dropped, and so on
    with the rest. Boxes count their border pixels: a box from 3 to 5 is three pixels wide.

    Args:
        detections: (B, K) detections in pixels; not changed.
        threshold: Score that a detection must exceed, in [0, 1].

    Returns:
        What is left, with the lowered scores.
    """
    finite = detections.boxes.isfinite().all(2) & detections.points.isfinite().all(3).all(2)
    candidate = finite & (detections.scores > threshold)
    most = int(candidate.sum(1).max()) if candidate.numel() else 0
    # A stable order among equal scores: the first one wins.
    ranked = torch.where(candidate, detections.scores, -1.0).sort(
        dim=1, descending=True, stable=True
    )
    columns, scores = ranked.indices[:, :most], ranked.values[:, :most]
    boxes = detections.boxes.gather(1, columns[:, :, None].expand(-1, -1, 4))
    lowered, place = _suppressed(scores, boxes, threshold)
    order = place.argsort(dim=1)
    image, rank = (place.gather(1, order) < most).nonzero(as_tuple=True)
    slot = order[image, rank]
    left = detections.take(image, columns[image, slot])
    scores = lowered[image, slot]
    return Detected(image, Detections(scores, left.boxes, left.centers, left.points, left.scale))


def _suppressed(scores: Tensor, boxes: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """(B, n) lowered scores, and each detection's place in the order of taking, n if dropped.

    Args:
        scores: (B, n) scores, highest first; below 0 for no detection.
        boxes: (B, n, 4) their boxes, pixels.
        threshold: Scores below it are dropped.
    """
    n = scores.shape[1]
    factor = torch.exp(-(_overlaps(boxes) ** 2) / SIGMA)
    live = scores >= threshold
    place = torch.full_like(scores, n, dtype=torch.long)
    for step in range(n):
        best = torch.where(live, scores, -1.0).argmax(dim=1, keepdim=True)
        taken = live.gather(1, best)
        place.scatter_(1, best, torch.where(taken, step, place.gather(1, best)))
        live = live.scatter(1, best, value=False)
        lowering = factor.gather(1, best[:, :, None].expand(-1, -1, n))[:, 0]
        scores = torch.where(live, scores * lowering, scores)
        live &= scores >= threshold
    return scores, place


def _overlaps(boxes: Tensor) -> Tensor:
    """(B, n, n) 2D intersection over union of boxes (B, n, 4), borders included."""
    low, high = boxes[..., :2], boxes[..., 2:]
    sides = torch.minimum(high[:, :, None], high[:, None]) - torch.maximum(
        low[:, :, None], low[:, None]
    )
    sides = (sides + 1.0).clamp(min=0.0)
    common = sides[..., 0] * sides[..., 1]
    area = (high - low + 1.0).prod(dim=2)
    return (common / (area[:, :, None] + area[:, None] - common)).nan_to_num()
