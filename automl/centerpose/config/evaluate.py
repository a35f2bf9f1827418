"""The ``evaluate`` block: scoring a model on annotated images."""

from dataclasses import dataclass

from automl.centerpose.config.fields import INF, MISSING_VALUE, Facts, setting

__all__ = ["Evaluate"]


@dataclass(frozen=True, slots=True)
class Evaluate:
    """What is scored, and how. Training reads part of it for its validations."""

    num_gpus: int = setting(1, Facts("GPUs", "GPUs to evaluate on.", minimum=1, popular=True))
    gpu_ids: tuple[int, ...] = setting(
        (0,),
        Facts(
            "GPU indices",
            "Which GPUs to use; as many as evaluate.num_gpus.",
            popular=True,
        ),
    )
    num_nodes: int = setting(
        1,
        Facts("Hosts", "Hosts of the evaluation. Keep 1; never read.", minimum=1, popular=True),
    )
    checkpoint: str = setting(
        MISSING_VALUE,
        Facts(
            "Checkpoint",
            "Trained model to score (.pth or .tlt). An engine is scored by the deploy container. "
            "The trainer of this package also scores an exported model (.onnx).",
            required=True,
        ),
    )
    trt_engine: str = setting(
        "",
        Facts(
            "TensorRT engine",
            "Engine to score; read by the deploy container alone.",
            optional=True,
        ),
    )
    results_dir: str = setting(
        "",
        Facts(
            "Results folder",
            "Folder of the report and the status file. Empty means a folder named evaluate below "
            "results_dir.",
            optional=True,
        ),
    )
    batch_size: int = setting(
        -1,
        Facts(
            "Batch size",
            "Never read by the training container: evaluation takes dataset.batch_size.",
            minimum=-1,
        ),
    )
    opencv: bool = setting(
        True,
        Facts(
            "OpenCV camera frame",
            "Whether poses are given in OpenCV's camera frame (x right, y down, z forward). "
            "Annotations are in the other one (y up, z backward), so true makes every 3D overlap "
            "0, also in the validations of a training. Set it to false to train or evaluate.",
        ),
    )
    eval_num_symmetry: int = setting(
        1,
        Facts(
            "Symmetry steps",
            "Rotations about the vertical axis among which the best overlap counts; 1 for none. "
            "Both ends of the full turn are included, so n steps are n - 1 different poses.",
            minimum=3,
            maximum=INF,
        ),
    )
