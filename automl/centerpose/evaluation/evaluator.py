"""Scores a network on a split, batch by batch; what validation and ``evaluate`` both call.

::

    evaluator = Evaluator(EvaluationSettings(score_threshold=0.3, opencv=False))
    for batch in loader:
        evaluator.add(network(batch.images), batch.metas)
    result = evaluator.result()
    result.ap50, result.mpe     # val_3DIoU, val_2DMPE

Adding a batch only queues work on its device. Poses, overlaps and all that must wait for the
device follow for a thousand images at once, so that the device never waits for this program
between two batches.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import torch
from torch import Tensor

from automl.centerpose.evaluation.candidates import candidate_accuracy
from automl.centerpose.evaluation.decode import decode, to_pixels
from automl.centerpose.evaluation.detections import Detections, GroundTruth, Poses
from automl.centerpose.evaluation.matching import VISIBLE_ABOVE, Record, measure
from automl.centerpose.evaluation.metrics import EvaluationResult, summarise
from automl.centerpose.evaluation.pnp import solve_poses
from automl.centerpose.evaluation.pose_rows import PoseRows, ScoredImages
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.centerpose.evaluation.suppress import detect
from automl.centerpose.evaluation.truths import Truths
from automl.data.geometry import Array
from automl.data.objectron import Annotation

__all__ = ["EvaluationResult", "EvaluationSettings", "Evaluator", "Gather", "ImageMeta"]

Gather: TypeAlias = Callable[[list[Record]], list[Record]]
"""Takes one process's records and returns those of all processes."""

_AT_ONCE: Final = 1024  # images whose detections wait in memory: some 30 MiB


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


@dataclass(frozen=True, slots=True, eq=False)
class _DecodedBatch:
    """A batch that is decoded: detections in cells, images, and the side of the maps."""

    detections: Detections
    metas: Sequence[ImageMeta]
    cells: int


class Evaluator:
    """Collects detections and ground truth over a split and turns them into one result.

    Args:
        settings: The part of the spec that scoring reads.
        rows: Takes every pose with its errors; None where scores are all that is wanted.
    """

    def __init__(self, settings: EvaluationSettings, rows: PoseRows | None = None) -> None:
        self.settings = settings
        self.rows = rows
        self._pending: list[_DecodedBatch] = []
        self._records: list[Record] = []

    def add(self, outputs: Mapping[str, Tensor], metas: Sequence[ImageMeta]) -> None:
        """Adds one batch; the maps may live on any device and in any floating type.

        Args:
            outputs: Head maps of the batch, before any sigmoid: ``hm`` (B, 1, G, G), ``hps``
                (B, 16, G, G), ``wh`` and ``reg`` (B, 2, G, G), ``scale`` (B, 3, G, G); further
                heads are ignored.
            metas: One entry per image of the batch, in its order.

        Raises:
            ValueError: A head is missing, or ``metas`` and the maps disagree about the batch size.
        """
        detections = decode(outputs, self.settings.num_select)
        self.add_detections(detections, metas, outputs["hm"].shape[-1])

    def add_detections(
        self, detections: Detections, metas: Sequence[ImageMeta], cells: int
    ) -> None:
        """Adds one batch that is decoded already.

        Args:
            detections: (B, K) detections in cells of the maps, best first.
            metas: One entry per image of the batch, in its order.
            cells: Side of the maps in cells.

        Raises:
            ValueError: ``metas`` and the detections disagree about the batch size.
        """
        if len(detections) != len(metas):
            raise ValueError(
                f"{len(detections)} images were predicted, but {len(metas)} are described"
            )
        self._pending.append(_DecodedBatch(detections, metas, cells))
        if sum(len(batch.metas) for batch in self._pending) >= _AT_ONCE:
            self._measure_pending()

    def add_poses(self, poses: Sequence[Poses], truths: Sequence[GroundTruth]) -> None:
        """Adds images of which the poses are known already; they are numbered on.

        Args:
            poses: The detections of each image, on the CPU.
            truths: The objects of each image, in the same order.
        """
        first = len(self._records)
        pairs = enumerate(zip(poses, truths, strict=True), start=first)
        counted = [(k, *pair) for k, pair in pairs if pair[1].counts(VISIBLE_ABOVE)]
        if counted:
            indices, posed, objects = zip(*counted, strict=True)
            image = [torch.full((len(poses),), row) for row, poses in enumerate(posed)]
            known = Truths.of(objects, torch.device("cpu"))
            joined = Poses.joined(posed)
            self._records += measure(joined, torch.cat(image), known, indices, self.settings)

    def records(self) -> list[Record]:
        """One record for each image added so far that counts."""
        self._measure_pending()
        return list(self._records)

    def result(self, gather: Gather | None = None) -> EvaluationResult:
        """Scores everything added so far; callable at any time, also with nothing added.

        Args:
            gather: Collects the records of all processes that share the split. Their images'
                numbers order them, so every process gets the result that one alone would get.
        """
        records = self.records()
        return summarise(records if gather is None else gather(records))

    def _measure_pending(self) -> None:
        """Turns what waits into records."""
        for cells in {batch.cells for batch in self._pending}:
            self._measure([batch for batch in self._pending if batch.cells == cells], cells)
        self._pending = []

    def _measure(self, batches: Sequence[_DecodedBatch], cells: int) -> None:
        metas = [meta for batch in batches for meta in batch.metas]
        truths = [GroundTruth.of(meta.annotation) for meta in metas]
        rows = [k for k, truth in enumerate(truths) if truth.counts(VISIBLE_ABOVE)]
        if not rows:
            return
        detections = Detections.joined([batch.detections for batch in batches])
        device = detections.scores.device
        if len(rows) < len(metas):
            detections = detections.take(torch.tensor(rows, device=device))
        counted = [metas[row] for row in rows]
        center, size, camera = views_of(counted, device)
        pixels = to_pixels(detections, center, size, cells)
        kept = detect(pixels, self.settings.score_threshold)
        poses, left = solve_poses(kept.detections, camera[kept.image], opencv=self.settings.opencv)
        known = Truths.of([truths[row] for row in rows], device)
        indices = [meta.index for meta in counted]
        image = kept.image[left]
        records = measure(poses, image, known, indices, self.settings)
        near = candidate_accuracy(pixels, known, self.settings.num_symmetry)
        self._records += [
            replace(record, nearness=each) for record, each in zip(records, near, strict=True)
        ]
        if self.rows is not None:
            sheets = [meta.annotation for meta in counted]
            self.rows.add(ScoredImages(poses, image, known, indices, sheets))


def views_of(metas: Sequence[ImageMeta], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Centres (B, 2), sides (B,) and camera matrices (B, 3, 3) of images, on a device."""
    center = torch.as_tensor(np.stack([meta.center for meta in metas]), device=device)
    size = torch.tensor([meta.size for meta in metas], dtype=torch.float64, device=device)
    camera = torch.as_tensor(np.stack([meta.intrinsic for meta in metas]), device=device)
    return center.double(), size, camera.double()
