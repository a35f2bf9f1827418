"""The ``train`` block: length, optimiser, checkpoints and hardware of a training."""

from dataclasses import dataclass

from automl.centerpose.config.fields import INF, Facts, block, setting
from automl.centerpose.config.loss import LossConfig

__all__ = ["Cudnn", "Optim", "Train"]


@dataclass(frozen=True, slots=True)
class Cudnn:
    """How cuDNN chooses its algorithms."""

    benchmark: bool = setting(
        False,
        Facts(
            "Time the algorithms",
            "Lets cuDNN time its algorithms and keep the fastest: faster steps, but two "
            "trainings with one seed differ.",
        ),
    )
    deterministic: bool = setting(
        True,
        Facts(
            "Deterministic algorithms",
            "Restricts cuDNN to algorithms that give equal results every time.",
        ),
    )


@dataclass(frozen=True, slots=True)
class Optim:
    """Adam and its learning-rate schedule."""

    lr: float = setting(
        6e-5,
        Facts(
            "Learning rate",
            "Step size of Adam, without warm-up. The default suits fan_small at batch 4; raise it "
            "with the batch size. The setting that matters most; search it on a log scale.",
            minimum=0.0,
            maximum=INF,
            automl=True,
        ),
    )
    lr_scheduler: str = setting(
        "MultiStep",
        Facts(
            "Schedule",
            "Name of the learning-rate schedule. Never read: the rate always falls at "
            "train.optim.lr_steps.",
        ),
    )
    lr_steps: tuple[int, ...] = setting(
        (90, 120),
        Facts(
            "Milestones",
            "Epochs at which the learning rate is multiplied by train.optim.lr_decay, "
            "increasing. Milestones at or beyond train.num_epochs do nothing: the default ones "
            "have no effect in a training of 10 or 30 epochs.",
        ),
    )
    lr_decay: float = setting(
        0.1,
        Facts(
            "Decay factor",
            "Factor applied to the learning rate at each milestone, between 0 and 1. Without "
            "effect while every entry of train.optim.lr_steps is at or beyond train.num_epochs.",
            minimum=0.0,
            maximum=INF,
            automl=True,
        ),
    )


@dataclass(frozen=True, slots=True)
class Train:
    """How a model is trained."""

    num_gpus: int = setting(
        1,
        Facts(
            "GPUs",
            "GPUs of this host that share the training, each with dataset.batch_size images a "
            "step. In the container every GPU validates the whole set; the trainer of this "
            "package shares it out. One GPU per trial is the efficient layout of a search.",
            minimum=1,
            popular=True,
        ),
    )
    gpu_ids: tuple[int, ...] = setting(
        (0,),
        Facts(
            "GPU indices",
            "Which GPUs to use; as many as train.num_gpus. Where the two disagree the larger "
            "count wins and the indices are numbered from 0.",
            popular=True,
        ),
    )
    num_nodes: int = setting(
        1,
        Facts(
            "Hosts",
            "Hosts of the training. Keep 1: CenterPose trains on a single host and never reads "
            "this.",
            minimum=1,
            popular=True,
        ),
    )
    seed: int = setting(
        1234,
        Facts(
            "Seed",
            "Seed of every random generator; a negative one leaves them unseeded.",
            minimum=-1,
            maximum=INF,
        ),
    )
    cudnn: Cudnn = block(Cudnn, Facts("cuDNN", "Speed against repeatability on a GPU."))
    num_epochs: int = setting(
        10,
        Facts(
            "Epochs",
            "Passes over the training data. 30 is usual for fine-tuning, 140 for training from "
            "nothing. A learning rate is only comparable at equal epochs.",
            minimum=1,
            maximum=INF,
            popular=True,
        ),
    )
    checkpoint_interval: int = setting(
        1,
        Facts(
            "Checkpoint interval",
            "Epochs (or steps, see train.checkpoint_interval_unit) between two checkpoints. A "
            "checkpoint of fan_small takes about 0.4 GB with its optimiser state.",
            minimum=1,
            popular=True,
        ),
    )
    checkpoint_interval_unit: str = setting(
        "epoch",
        Facts(
            "Unit of the checkpoint interval",
            "Whether train.checkpoint_interval counts epochs or optimiser steps.",
            enum=("epoch", "step"),
        ),
    )
    checkpoint_format: str = setting(
        "own",
        Facts(
            "Form of checkpoints",
            "own, or tao for checkpoints with the container's key names, which it evaluates, "
            "exports and starts from. This program resumes from either, bit for bit.",
            enum=("own", "tao"),
            own=True,
        ),
    )
    validation_interval: int = setting(
        1,
        Facts(
            "Validation interval",
            "Epochs between two validations. Choose one that divides train.num_epochs, or the "
            "last epochs are never scored; at or below it, or no trial has a result.",
            minimum=1,
            popular=True,
        ),
    )
    resume_training_checkpoint_path: str = setting(
        "",
        Facts(
            "Checkpoint to resume",
            "Checkpoint whose weights, optimiser and epoch the training goes on from. Empty "
            "starts anew, unless the results folder already holds a checkpoint.",
            optional=True,
        ),
    )
    results_dir: str = setting(
        "",
        Facts(
            "Results folder",
            "Folder of this action's files, used as it is. Empty means a folder named train "
            "below results_dir.",
            optional=True,
        ),
    )
    pretrained_model_path: str = setting(
        "",
        Facts(
            "Model to start from",
            "Checkpoint whose weights the whole model starts from, with a fresh optimiser and "
            "epoch 0.",
        ),
    )
    clip_grad_val: float = setting(
        100.0,
        Facts(
            "Gradient norm limit",
            "Largest norm of the gradient over all weights; a longer one is scaled down to it.",
            minimum=1.0,
            maximum=INF,
        ),
    )
    is_dry_run: bool = setting(
        False,
        Facts("Dry run", "Runs one batch of training and validation and saves nothing."),
    )
    precision: str = setting(
        "fp32",
        Facts(
            "Precision",
            "fp32, or fp16 for mixed precision; the trainer of this package also takes bf16, and "
            "tf32 for fp32 numbers multiplied in TF32. fp16 hardly speeds the container up, and "
            "there a confident heatmap makes its loss NaN and its validation may stop with an "
            "error.",
        ),
    )
    optim: Optim = block(Optim, Facts("Optimiser", "Adam and its learning-rate schedule."))
    loss_config: LossConfig = block(
        LossConfig,
        Facts(
            "Loss",
            "Terms of the loss and their weights. Most switches work only as they stand; each "
            "says so.",
        ),
    )
