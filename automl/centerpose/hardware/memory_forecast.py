"""How much GPU memory a training will need, known without torch and without a GPU.

``footprint.py`` measures the same on the device, a moment before it trains; its constants are used
here too. What one image adds at 512 x 512 pixels was counted by its ``saved_bytes`` on a CPU, but
for DLA34: its figures make the forecast what one H200 had reserved at the peak of whole trainings
(batches of 8, 16 and 32 in bf16, of 32 in tf32, 2026-11-29). What batches need on their way to the
network is what ``nano`` took there beyond its own, at a batch of 32. An image grows with the
number of pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["MEMORY_NEEDS", "ON_THE_WAY_MIB", "MemoryNeed", "forecast_mib"]

_SIDE = 512
_PARAMETER_BYTES = 16  # a weight, its gradient and Adam's two moments, 4 bytes each
_SLACK = 1.15  # what kernels need for a moment
ON_THE_WAY_MIB = 43  # an image of a batch in the making, and what drawing its maps takes
_CONTEXT_MIB = 700  # CUDA itself, cuDNN and cuBLAS in one process
_FULL = ("fp32", "tf32")


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """What one network needs.

    Attributes:
        parameters: Weights, in millions.
        image_mib: MiB that one image keeps for the backward pass in fp32.
        half_mib: The same in fp16 or bf16.
    """

    parameters: float
    image_mib: float
    half_mib: float


MEMORY_NEEDS: Mapping[str, MemoryNeed] = {
    "nano": MemoryNeed(0.39, 12.5, 7.0),
    "DLA34": MemoryNeed(19.80, 545.0, 330.0),
    "fan_small": MemoryNeed(33.46, 1556.8, 890.3),
    "fan_base": MemoryNeed(58.27, 2053.9, 1219.0),
    "fan_large": MemoryNeed(84.88, 2655.6, 1603.9),
}


def forecast_mib(model_type: str, batch: int, side: int, precision: str) -> int | None:
    """MiB of GPU memory at the peak of a training, its data set left out.

    Args:
        model_type: ``model.backbone.model_type``.
        batch: Images a batch.
        side: Width and height of an image, in pixels.
        precision: ``train.precision``.

    Returns:
        None for a network that is not known here.
    """
    need = MEMORY_NEEDS.get(model_type)
    if need is None:
        return None
    image = need.image_mib if precision in _FULL else need.half_mib
    images = batch * (_SLACK * image + ON_THE_WAY_MIB) * (side / _SIDE) ** 2
    return round(_CONTEXT_MIB + _PARAMETER_BYTES * need.parameters * 1e6 / 2**20 + images)
