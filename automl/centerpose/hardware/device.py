"""Where the network computes, in which precision, and how repeatably."""

import os
import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager

import cv2
import torch

from automl.centerpose.config.train import Cudnn
from automl.centerpose.hardware.selection import ACCELERATOR
from automl.errors import FixInput

__all__ = [
    "choose_device",
    "choose_seed",
    "has_gpus",
    "loader_threads",
    "mixed",
    "prepare_torch",
]


def has_gpus() -> bool:
    """Whether this machine has GPUs that this program may use."""
    return os.environ.get(ACCELERATOR, "") != "cpu" and torch.cuda.is_available()


def choose_device(gpu_ids: Sequence[int]) -> torch.device:
    """The first GPU that the spec names, or the CPU where there is none at all.

    Raises:
        FixInput: This machine has GPUs, but not that one.
    """
    if not has_gpus():
        return torch.device("cpu")
    index = gpu_ids[0] if gpu_ids else 0
    if index >= torch.cuda.device_count():
        raise FixInput(
            "the GPU must exist",
            got=f"index {index} of {torch.cuda.device_count()} visible GPUs",
            where="gpu_ids",
        )
    return torch.device("cuda", index)


def choose_seed(seed: int) -> int:
    """The spec's seed, or a random one in place of a negative one."""
    return seed if seed >= 0 else secrets.randbelow(1 << 31)


def prepare_torch(seed: int, cudnn: Cudnn, precision: str = "fp32") -> None:
    """Seeds torch and sets how exactly and how repeatably it computes.

    TF32 is on for every precision but ``fp32``, for products and convolutions alike; torch on its
    own would convolve in TF32 even there. A CPU computes in fp32 whatever is set here. OpenCV
    computes in the thread that calls it.
    """
    torch.manual_seed(seed)
    coarse = precision != "fp32" and has_gpus()
    torch.set_float32_matmul_precision("high" if coarse else "highest")
    torch.backends.cudnn.allow_tf32 = coarse
    torch.backends.cudnn.benchmark = cudnn.benchmark
    torch.backends.cudnn.deterministic = cudnn.deterministic
    cv2.setNumThreads(1)


def loader_threads(workers: int) -> int:
    """Threads that prepare images: as many as asked for, but no more than torch may use."""
    return max(1, min(workers, torch.get_num_threads()))


def mixed(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """The context in which the network runs at a precision of ``supported.PRECISIONS``."""
    half = torch.float16 if precision == "fp16" and device.type == "cuda" else torch.bfloat16
    return torch.autocast(device.type, dtype=half, enabled=precision in ("fp16", "bf16"))
