"""How a network is laid out and compiled for training on a device."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.models.attention import ClassBlock, FanBlock
from automl.centerpose.models.compiler import has_compiler
from automl.centerpose.models.convnext import ChannelNorm, ConvNeXtBlock
from automl.data.cache import cache_dir
from automl.errors import FixInput

__all__ = ["COMPILE_VARIABLE", "Tuned", "compile_blocks", "tune_network"]

COMPILE_VARIABLE: Final = "AUTOML_TRAINER_COMPILE"
"""Environment variable: ``on``, ``off``, or ``auto`` (the default) for what is worth its time."""

_COMPILER_CACHE = "TORCHINDUCTOR_CACHE_DIR"  # torch's name for where its compiler keeps its work
_BLOCKS = (FanBlock, ConvNeXtBlock, ClassBlock, ChannelNorm)
_COMPILE_S = 80.0
_SAVED_S = 2.5e-3  # an image of _SIDE x _SIDE
_SIDE = 512


@dataclass(frozen=True, slots=True)
class Tuned:
    """A network that is ready to train.

    Attributes:
        network: The same network, on its device; the names of its state are unchanged.
        said: One line for the log on what was chosen; empty if there is nothing to say.
    """

    network: nn.Module
    said: str


def tune_network(
    network: nn.Module, spec: Experiment, device: torch.device, n_steps: int
) -> Tuned:
    """Moves a network to its device in the layout that trains fastest there.

    Convolutional networks run as they are, with kernels of this package's own where Triton is
    installed and finds a C compiler. The attention blocks of a FAN consist of many small passes,
    which a compiler fuses: on one H200 fan_small trained 275 images a second in bf16 with its
    blocks compiled and 162 without (before steps were recorded), 2.5 ms an image less, and
    compiling took 80 s. So ``auto`` compiles them where the steps ahead save twice that; all
    blocks of a kind share one compilation, so larger FANs cost no more of it and save more.

    Args:
        network: As ``build_network`` made it; it is changed in place.
        spec: The whole spec.
        device: Where it is to train.
        n_steps: Optimiser steps that lie ahead.

    Raises:
        FixInput: The environment variable has none of its three values.
    """
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    choice = _choice()
    if choice == "off" or (choice == "auto" and not _pays(spec, device, n_steps)):
        return Tuned(network, _slower(device))
    if not compile_blocks(network):
        return Tuned(network, "")
    return Tuned(network, "compiling the attention blocks: the first step takes up to two minutes")


def _pays(spec: Experiment, device: torch.device, n_steps: int) -> bool:
    data = spec.dataset
    images = data.batch_size * n_steps * (data.input_res / _SIDE) ** 2
    return device.type == "cuda" and has_compiler() and images * _SAVED_S > 2.0 * _COMPILE_S


def _slower(device: torch.device) -> str:
    if device.type != "cuda" or has_compiler():
        return ""
    return "no C compiler is here: plain operators, which are slower, replace the GPU kernels"


def compile_blocks(
    network: nn.Module, backend: str | Callable[..., Callable[..., object]] = "inductor"
) -> bool:
    """Makes the training passes of a network's repeated blocks run compiled.

    All blocks of a kind and shape share one compilation. Other passes stay as they are, and so do
    batches of another size than the first: each would cost a compilation of its own. The blocks
    keep their class and the names of their state.

    Args:
        network: Changed in place.
        backend: What ``torch.compile`` compiles with.

    Returns:
        Whether the network has such blocks.
    """
    _keep_artefacts()
    blocks = [module for module in network.modules() if isinstance(module, _BLOCKS)]
    for block in blocks:
        _compile_block(block, backend)
    return bool(blocks)


def _keep_artefacts() -> None:
    """What the compiler makes outlives this process and the machine's temporary files.

    The next process on this machine that compiles the same blocks finds it.
    """
    os.environ.setdefault(_COMPILER_CACHE, str(cache_dir() / "compiled"))


def _compile_block(block: nn.Module, backend: str | Callable[..., Callable[..., object]]) -> None:
    plain: Callable[..., Tensor] = block.forward
    compiled = torch.compile(plain, dynamic=False, backend=backend)
    first: list[torch.Size] = []

    def forward(x: Tensor, *more: Tensor) -> Tensor:
        if not (block.training and torch.is_grad_enabled()):
            return plain(x, *more)
        if not first:
            first.append(x.shape)
        return compiled(x, *more) if x.shape == first[0] else plain(x, *more)

    block.forward = forward


def _choice() -> str:
    choice = os.environ.get(COMPILE_VARIABLE, "auto")
    if choice not in {"auto", "on", "off"}:
        raise FixInput(f"{COMPILE_VARIABLE} must be auto, on or off", got=choice)
    return choice
