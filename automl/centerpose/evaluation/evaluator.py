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
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

    from automl.centerpose.evaluation.metrics import EvaluationResult
    from automl.data.objectron import Annotation

__all__ = ["EvaluationSettings", "Evaluator", "ImageMeta"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """The part of a spec that scoring reads.

    Attributes:
        score_threshold: Detections at or below this centre score are dropped, also by soft-NMS:
            ``inference.visualization_threshold``, in [0, 1].
        num_select: Peaks read from the centre map per image: ``inference.num_select``.
        opencv: ``evaluate.opencv``. With true the poses stay in OpenCV's camera frame while the
            ground truth is in the GL frame: every 3D overlap is then close to 0.
        num_symmetry: ``evaluate.eval_num_symmetry``: steps of rotation about the up axis under
            which an object looks the same; 1 for none.
        absolute_scale: ``dataset.use_absolute_scale``: sizes are metres already, so boxes are not
            rescaled to stand on the ground plane.
    """

    score_threshold: float = 0.3
    num_select: int = 100
    opencv: bool = False
    num_symmetry: int = 1
    absolute_scale: bool = False


@dataclass(frozen=True, slots=True)
class ImageMeta:
    """What scoring must know of one input image beside its head maps.

    Attributes:
        annotation: Ground truth of the stored image.
        center: (2,) pixel of the stored image that lies in the middle of the network's input.
        size: Side, in pixels of the stored image, of the square that the input covers.
        intrinsic: (3, 3) camera matrix of the stored image, pixels.
    """

    annotation: "Annotation"
    center: Array
    size: float
    intrinsic: Array


class Evaluator:
    """Collects detections and ground truth over a split and turns them into one result.

    Args:
        settings: The part of the spec that scoring reads.
    """

    def __init__(self, settings: EvaluationSettings) -> None:
        self.settings = settings

    def add(self, outputs: "Mapping[str, torch.Tensor]", metas: Sequence[ImageMeta]) -> None:
        """Adds one batch; the maps may live on any device and in any floating type.

        Args:
            outputs: Head maps of the batch, before any sigmoid: ``hm`` (B, 1, G, G), ``hps``
                (B, 16, G, G), ``wh`` and ``reg`` (B, 2, G, G), ``scale`` (B, 3, G, G); further
                heads are ignored.
            metas: One entry per image of the batch, in its order.

        Raises:
            ValueError: ``metas`` and the maps disagree about the batch size.
        """
        raise NotImplementedError

    def result(self) -> "EvaluationResult":
        """Scores everything added so far; callable at any time, also with nothing added."""
        raise NotImplementedError
