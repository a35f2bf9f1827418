"""The ``export`` block: writing a trained model as ONNX."""

from dataclasses import dataclass

from automl.centerpose.config.fields import Facts, setting

__all__ = ["Export"]


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported, where to, and with which input."""

    results_dir: str = setting(
        "",
        Facts(
            "Results folder",
            "Folder of the status file. Empty means a folder named export below results_dir.",
        ),
    )
    gpu_id: int = setting(0, Facts("GPU index", "GPU on which the model is traced."))
    checkpoint: str = setting("", Facts("Checkpoint", "Trained model to export (.pth or .tlt)."))
    onnx_file: str = setting(
        "",
        Facts(
            "ONNX file",
            "File to write. It must not exist yet; its name should end in .onnx.",
        ),
    )
    on_cpu: bool = setting(
        False, Facts("Export on the CPU", "Traces the model on the CPU instead of a GPU.")
    )
    input_channel: int = setting(
        3, Facts("Input channels", "Colour channels of the input. Fixed.", minimum=3, maximum=3)
    )
    input_width: int = setting(
        512, Facts("Input width", "Width of the input in pixels. Fixed.", minimum=512, maximum=512)
    )
    input_height: int = setting(
        512,
        Facts("Input height", "Height of the input in pixels. Fixed.", minimum=512, maximum=512),
    )
    opset_version: int = setting(
        16, Facts("ONNX opset", "Version of ONNX's operator set. Fixed.", minimum=16, maximum=16)
    )
    batch_size: int = setting(
        -1,
        Facts(
            "Batch size",
            "Images per call of the exported model; -1 leaves it open, which lets one file serve "
            "any engine profile.",
        ),
    )
    verbose: bool = setting(False, Facts("Verbose", "Prints the traced graph."))
    num_select: int = setting(
        100,
        Facts(
            "Candidates per image",
            "Highest peaks that the decoder inside the exported graph returns.",
            minimum=100,
            maximum=100,
        ),
    )
    do_constant_folding: bool = setting(
        True, Facts("Fold constants", "Computes constant parts of the graph once, at export.")
    )
