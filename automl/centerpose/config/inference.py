"""The ``inference`` block: poses for images without annotations."""

from dataclasses import dataclass

from automl.centerpose.config.fields import INF, MISSING_VALUE, Facts, setting

__all__ = ["Inference"]


@dataclass(frozen=True, slots=True)
class Inference:
    """What is predicted, with which camera, and what is saved."""

    num_gpus: int = setting(1, Facts("GPUs", "GPUs to predict on.", minimum=1, popular=True))
    gpu_ids: tuple[int, ...] = setting(
        (0,),
        Facts(
            "GPU indices",
            "Which GPUs to use; as many as inference.num_gpus.",
            popular=True,
        ),
    )
    num_nodes: int = setting(
        1,
        Facts("Hosts", "Hosts of the inference. Keep 1; never read.", minimum=1, popular=True),
    )
    checkpoint: str = setting(
        MISSING_VALUE,
        Facts(
            "Checkpoint",
            "Trained model to predict with (.pth or .tlt). An engine is run by the deploy "
            "container. The trainer of this package also runs an exported model (.onnx).",
            required=True,
        ),
    )
    trt_engine: str = setting(
        "",
        Facts(
            "TensorRT engine",
            "Engine to predict with; read by the deploy container alone.",
            optional=True,
        ),
    )
    results_dir: str = setting(
        "",
        Facts(
            "Results folder",
            "Folder of overlays and pose files. Empty means a folder named inference below "
            "results_dir. It is flat: images of one name in two source folders overwrite each "
            "other. The trainer of this package then keeps the source folders.",
            optional=True,
        ),
    )
    batch_size: int = setting(
        -1,
        Facts(
            "Batch size",
            "Never read by the training container: inference takes dataset.batch_size.",
            minimum=-1,
        ),
    )
    visualization_threshold: float = setting(
        0.3,
        Facts(
            "Score threshold",
            "Least confidence of a detection that is kept. Validation and evaluation read it "
            "too: early in a training most detections are below it and the metric stays 0.",
            minimum=0.3,
            maximum=0.3,
        ),
    )
    num_select: int = setting(
        100,
        Facts(
            "Candidates per image",
            "Highest peaks of the centre heatmap that are decoded.",
            minimum=100,
            maximum=100,
        ),
    )
    use_pnp: bool = setting(
        True,
        Facts(
            "Solve the pose",
            "Computes the 6-DoF pose from the keypoints. Needs the camera's intrinsics below. "
            "Leave it on in the container: without it nothing can be saved there. The trainer of "
            "this package then saves the corners alone.",
        ),
    )
    save_json: bool = setting(
        True, Facts("Save poses", "Writes one JSON per image with poses and keypoints.")
    )
    save_visualization: bool = setting(
        True, Facts("Save overlays", "Writes each image with the boxes and axes drawn on it.")
    )
    opencv: bool = setting(
        True,
        Facts(
            "OpenCV camera frame",
            "Whether poses are given in OpenCV's camera frame (x right, y down, z forward); off "
            "gives the frame of the annotations (y up, z backward).",
        ),
    )
    principle_point_x: float = setting(
        0.0,
        Facts(
            "Principal point, x",
            "Column of the optical axis in the original image, in pixels.",
            minimum=0.0,
            maximum=INF,
        ),
    )
    principle_point_y: float = setting(
        0.0,
        Facts(
            "Principal point, y",
            "Row of the optical axis in the original image, in pixels.",
            minimum=0.0,
            maximum=INF,
        ),
    )
    focal_length_x: float = setting(
        0.0,
        Facts(
            "Focal length, x",
            "Horizontal focal length of the original image, in pixels. 0 gives no valid pose; "
            "the trainer of this package then reads the camera from a JSON beside each image.",
            minimum=0.0,
            maximum=INF,
        ),
    )
    focal_length_y: float = setting(
        0.0,
        Facts(
            "Focal length, y",
            "Vertical focal length of the original image, in pixels. 0 gives no valid pose; "
            "the trainer of this package then reads the camera from a JSON beside each image.",
            minimum=0.0,
            maximum=INF,
        ),
    )
    skew: float = setting(
        0.0,
        Facts(
            "Skew",
            "Skew of the camera matrix, in pixels; 0 for nearly every camera.",
            minimum=0.0,
            maximum=INF,
        ),
    )
    axis_size: float = setting(
        0.5,
        Facts(
            "Axis length",
            "Length of the drawn axes relative to the object. Read by the deploy container alone.",
            minimum=0.1,
            maximum=INF,
        ),
    )
    known_size: str = setting(
        "",
        Facts(
            "Known size",
            "True size of the object in metres, with which poses are given in metres too: its "
            "height (0.30), or its edges along x, y (up) and z (0.19x0.30x0.06). With the name of "
            "the category in front, several may stand in a row: shoe=0.11, bottle=0.24. "
            "Empty leaves poses up to scale. Known to the trainer of this package alone.",
            optional=True,
            own=True,
        ),
    )
