"""What of a spec the scoring of a split reads."""

from dataclasses import dataclass

__all__ = ["EvaluationSettings"]


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

    def __post_init__(self) -> None:
        if self.num_symmetry < 1:
            raise ValueError(f"num_symmetry must be at least 1, got {self.num_symmetry}")
        if self.num_select < 1:
            raise ValueError(f"num_select must be at least 1, got {self.num_select}")
