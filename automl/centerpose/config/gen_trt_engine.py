"""The ``gen_trt_engine`` block: building a TensorRT engine from the ONNX file."""

from dataclasses import dataclass

from automl.centerpose.config.fields import MISSING_VALUE, Facts, block, setting

__all__ = ["Calibration", "GenTrtEngine", "TensorRT"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Images and cache of INT8 calibration."""

    cal_image_dir: tuple[str, ...] = setting(
        (MISSING_VALUE,),
        Facts(
            "Calibration images",
            "Folders of images to calibrate INT8 with. The container demands a value for every "
            "precision, though only INT8 reads it.",
            required=True,
        ),
    )
    cal_cache_file: str = setting(
        MISSING_VALUE,
        Facts(
            "Calibration cache",
            "File for the ranges found by calibration; read instead of the images where it "
            "exists. Demanded for every precision.",
            required=True,
        ),
    )
    cal_batch_size: int = setting(
        1,
        Facts("Calibration batch", "Images per calibration step.", minimum=1, popular=True),
    )
    cal_batches: int = setting(
        1,
        Facts(
            "Calibration steps",
            "Batches to calibrate with. Steps times batch must not exceed the number of images; "
            "a tenth of the training images is a good amount.",
            minimum=1,
            popular=True,
        ),
    )


@dataclass(frozen=True, slots=True)
class TensorRT:
    """How the engine is built."""

    workspace_size: int = setting(
        1024,
        Facts("Workspace", "Memory that TensorRT may use while it builds, in MB.", minimum=0),
    )
    min_batch_size: int = setting(
        1,
        Facts(
            "Least batch",
            "Smallest batch that the engine accepts.",
            minimum=1,
            popular=True,
        ),
    )
    opt_batch_size: int = setting(
        4,
        Facts(
            "Usual batch",
            "Batch that the engine is tuned for; from the least to the largest one.",
            minimum=4,
            popular=True,
        ),
    )
    max_batch_size: int = setting(
        8,
        Facts(
            "Largest batch",
            "Largest batch that the engine accepts. dataset.batch_size of a later evaluation "
            "must not exceed it.",
            minimum=8,
            popular=True,
        ),
    )
    layers_precision: tuple[str, ...] = setting(
        (),
        Facts(
            "Precision per layer",
            "Layers that keep a precision of their own; empty leaves the choice to TensorRT.",
            optional=True,
        ),
    )
    data_type: str = setting(
        "FP32",
        Facts(
            "Precision",
            "Precision of the engine; INT8 needs calibration images.",
            enum=("FP32", "FP16", "INT8"),
        ),
    )
    calibration: Calibration = block(
        Calibration, Facts("Calibration", "Images, cache and amount of INT8 calibration.")
    )


@dataclass(frozen=True, slots=True)
class GenTrtEngine:
    """Which ONNX file becomes which engine. Run by the deploy container."""

    results_dir: str = setting(
        "",
        Facts(
            "Results folder",
            "Folder of the status file. Empty means a folder named gen_trt_engine below "
            "results_dir.",
            optional=True,
        ),
    )
    gpu_id: int = setting(
        0,
        Facts(
            "GPU index",
            "GPU to build on. The engine runs on GPUs of its kind only.",
            minimum=0,
            popular=True,
        ),
    )
    onnx_file: str = setting(
        MISSING_VALUE, Facts("ONNX file", "File that the export action wrote.", required=True)
    )
    trt_engine: str = setting(
        MISSING_VALUE,
        Facts("TensorRT engine", "Engine file to write.", required=True, optional=True),
    )
    timing_cache: str = setting(
        "",
        Facts(
            "Timing cache",
            "File in which TensorRT keeps its timings, to build the next engine faster. Made "
            "where it does not exist.",
            optional=True,
        ),
    )
    batch_size: int = setting(
        -1,
        Facts(
            "Batch size",
            "Batch size of the ONNX file's input; -1 for an open one.",
            minimum=-1,
            popular=True,
        ),
    )
    verbose: bool = setting(False, Facts("Verbose", "Prints TensorRT's own log."))
    tensorrt: TensorRT = block(
        TensorRT, Facts("Engine builder", "Precision, batch profile, memory and calibration.")
    )
