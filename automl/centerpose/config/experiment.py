"""The whole CenterPose spec."""

from dataclasses import dataclass

from automl.centerpose.config.dataset import Dataset
from automl.centerpose.config.evaluate import Evaluate
from automl.centerpose.config.export import Export
from automl.centerpose.config.fields import Facts, block, setting
from automl.centerpose.config.gen_trt_engine import GenTrtEngine
from automl.centerpose.config.inference import Inference
from automl.centerpose.config.model import Model
from automl.centerpose.config.train import Train
from automl.centerpose.config.wandb import Wandb

__all__ = ["ACTIONS", "Experiment"]

ACTIONS = ("train", "evaluate", "inference", "export", "gen_trt_engine")
"""Actions of CenterPose; each has a block of its name in the spec."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One spec: what every action shares, and a block for each action."""

    model_name: str = setting(
        "",
        Facts(
            "Model name",
            "Name of the network, needed only where an action is started without naming it.",
            optional=True,
        ),
    )
    encryption_key: str = setting(
        "",
        Facts(
            "Encryption key",
            "Key for encrypted checkpoints (.tlt). Empty reads and writes plain ones.",
            optional=True,
        ),
    )
    results_dir: str = setting(
        "",
        Facts(
            "Results folder",
            "Folder below which each action writes into a folder of its own name. Demanded where "
            "the action's own results_dir is empty.",
            optional=True,
        ),
    )
    wandb: Wandb = block(Wandb, Facts("Weights & Biases", "Logging to Weights & Biases."))
    dataset: Dataset = block(
        Dataset,
        Facts("Data", "Where the data is, how it is loaded, and what targets are made of it."),
    )
    train: Train = block(
        Train,
        Facts("Training", "Length, optimiser, losses, checkpoints and hardware of a training."),
    )
    model: Model = block(
        Model, Facts("Model", "Backbone and architecture; most of it is fixed by the design.")
    )
    inference: Inference = block(
        Inference, Facts("Inference", "Poses for images without annotations.")
    )
    export: Export = block(Export, Facts("Export", "Writing a trained model as ONNX."))
    evaluate: Evaluate = block(
        Evaluate, Facts("Evaluation", "Scoring a model on annotated images.")
    )
    gen_trt_engine: GenTrtEngine = block(
        GenTrtEngine, Facts("TensorRT engine", "Building an engine from the ONNX file.")
    )
