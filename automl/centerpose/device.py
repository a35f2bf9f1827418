"""Where the network computes, in which precision, and how repeatably."""

import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager

import cv2
import torch

from automl.centerpose.config.train import Cudnn
from automl.errors import FixInput

__all__ = ["choose_device", "choose_seed", "loader_threads", "mixed", "prepare_torch"]


def choose_device(gpu_ids: Sequence[int]) -> torch.device:
    """The first GPU that the spec names, or the CPU where there is none at all.

    Raises:
        FixInput: This machine has GPUs, but not that one.
    """
    if not torch.cuda.is_available():
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


def prepare_torch(seed: int, cudnn: Cudnn) -> None:
    """Seeds torch and sets how cuDNN chooses; OpenCV computes in the thread that calls it."""
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark = cudnn.benchmark
    torch.backends.cudnn.deterministic = cudnn.deterministic
    cv2.setNumThreads(1)


def loader_threads(workers: int) -> int:
    """Threads that prepare images: as many as asked for, but no more than torch may use."""
    return max(1, min(workers, torch.get_num_threads()))


def mixed(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """The context in which the network runs at a precision of ``supported.PRECISIONS``."""
    half = torch.float16 if precision == "fp16" and device.type == "cuda" else torch.bfloat16
    return torch.autocast(device.type, dtype=half, enabled=precision != "fp32")
