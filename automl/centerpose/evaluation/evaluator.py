"""Scores a network on a split, batch by batch; what validation and ``evaluate`` both call.

::

    evaluator = Evaluator(EvaluationSettings(score_threshold=0.3, opencv=False))
    for batch in loader:
        evaluator.add(network(batch.images), batch.metas)
    result = evaluator.result()
    result.ap50, result.mpe     # val_3DIoU, val_2DMPE
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from automl.centerpose.evaluation.decode import decode, soft_nms, to_pixels
from automl.centerpose.evaluation.detections import Detections, GroundTruth, Poses
from automl.centerpose.evaluation.matching import VISIBLE_ABOVE, ImageScores, score_images
from automl.centerpose.evaluation.metrics import EvaluationResult, summarise
from automl.centerpose.evaluation.pnp import solve_poses
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.data.geometry import Array
from automl.data.objectron import Annotation

__all__ = ["EvaluationResult", "EvaluationSettings", "Evaluator", "ImageMeta", "detect"]


@dataclass(frozen=True, slots=True, eq=False)
class ImageMeta:
    """What scoring must know of one input image beside its head maps.

    Attributes:
        annotation: Ground truth of the stored image.
        center: (2,) pixel of the stored image that lies in the middle of the network's input.
        size: Side, in pixels of the stored image, of the square that the input covers.
        intrinsic: (3, 3) camera matrix of the stored image, pixels.
        index: The image's number in its split.
    """

    annotation: Annotation
    center: Array
    size: float
    intrinsic: Array
    index: int = 0


class Evaluator:
    """Collects detections and ground truth over a split and turns them into one result.

    Args:
        settings: The part of the spec that scoring reads.
    """

    def __init__(self, settings: EvaluationSettings) -> None:
        self.settings = settings
        self._images: list[ImageScores] = []

    def add(self, outputs: Mapping[str, torch.Tensor], metas: Sequence[ImageMeta]) -> None:
        """Adds one batch; the maps may live on any device and in any floating type.

        Args:
            outputs: Head maps of the batch, before any sigmoid: ``hm`` (B, 1, G, G), ``hps``
                (B, 16, G, G), ``wh`` and ``reg`` (B, 2, G, G), ``scale`` (B, 3, G, G); further
                heads are ignored.
            metas: One entry per image of the batch, in its order.

        Raises:
            ValueError: A head is missing, or ``metas`` and the maps disagree about the batch size.
        """
        batch = decode(outputs, self.settings.num_select)
        cells = outputs["hm"].shape[-1]
        self.add_poses(
            [self._poses(found, meta, cells) for found, meta in zip(batch, metas, strict=True)],
            [GroundTruth.of(meta.annotation) for meta in metas],
        )

    def add_poses(self, poses: Sequence[Poses], truths: Sequence[GroundTruth]) -> None:
        """Adds images of which the poses are known already.

        Args:
            poses: The detections of each image.
            truths: The objects of each image, in the same order.
        """
        pairs = zip(poses, truths, strict=True)
        counted = [(found, truth) for found, truth in pairs if truth.counts(VISIBLE_ABOVE)]
        self._images += score_images(counted, self.settings)

    def result(self) -> EvaluationResult:
        """Scores everything added so far; callable at any time, also with nothing added."""
        return summarise(self._images)

    def _poses(self, found: Detections, meta: ImageMeta, cells: int) -> Poses:
        pixels = to_pixels(found, meta.center, meta.size, cells)
        kept = detect(pixels, self.settings.score_threshold)
        return solve_poses(kept, meta.intrinsic, opencv=self.settings.opencv)


def detect(found: Detections, threshold: float) -> Detections:
    """The detections worth a pose: finite, above the threshold, and left by soft-NMS.

    Args:
        found: Detections in pixels.
        threshold: Score that a detection must exceed, in [0, 1].
    """
    finite = np.isfinite(found.boxes).all(axis=1) & np.isfinite(found.points).all(axis=(1, 2))
    return soft_nms(found.take(finite & (found.scores > threshold)), threshold)
