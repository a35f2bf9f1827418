"""Whether the trials that are to share a GPU fit into its memory together, known beforehand."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from automl.app.machine import Machine
from automl.app.networks import network_of
from automl.data.checks import SplitFacts
from automl.errors import PrepareMachine
from automl.gpus import Gpu
from automl.skill.model import Skill
from automl.skill.tree import Tree
from automl.space.model import SearchSpace
from automl.study.config import Resources

__all__ = ["TrialSetup", "check_sharing", "trial_values"]

_SHARE = 0.95  # of the memory that is free: the rest is lost between the pieces
_MIB_PER_GIB = 1024


@dataclass(frozen=True, slots=True)
class TrialSetup:
    """What the trials of a study are.

    Attributes:
        skill: Whose network is trained.
        base_spec: The spec of trial 0.
        space: What is searched over it.
        data: Split to what it holds.
        resources: What the trials run on.
    """

    skill: Skill
    base_spec: Tree
    space: SearchSpace
    data: Mapping[str, SplitFacts]
    resources: Resources


@dataclass(frozen=True, slots=True)
class _Largest:
    """The trial that needs most memory.

    Attributes:
        mib: How much, its data set included.
        words: What makes it so.
    """

    mib: int
    words: str


def check_sharing(asked: TrialSetup, machine: Machine) -> tuple[str, ...]:
    """What to say of trials that share a GPU; nothing where none do.

    The largest trial that the space allows counts, as many times as trials share a GPU, against
    the memory that is free on the fullest GPU now.

    Raises:
        PrepareMachine: They cannot all be on a GPU at once.
    """
    sharing = asked.resources.trials_per_gpu
    if sharing == 1:
        return ()
    ids = asked.resources.gpu_ids
    gpus = [gpu for gpu in machine.gpus if ids is None or gpu.index in ids]
    fullest = min(gpus, key=lambda gpu: gpu.memory_free_mib)
    charged = f"each trial is charged with 1/{sharing} of its wall time as GPU time"
    largest = _largest(asked)
    if largest is None or not fullest.memory_total_mib:
        return (
            f"{sharing} trials share a GPU, though the memory that one needs is not known "
            f"beforehand here; {charged}",
        )
    free = fullest.memory_free_mib
    if sharing * largest.mib > _SHARE * free:
        raise _too_many(asked, largest, fullest)
    return (
        f"{sharing} trials share a GPU: up to {_gib(largest.mib)} each ({largest.words}), "
        f"{_gib(free)} free on GPU {fullest.index}; {charged}",
    )


def _too_many(asked: TrialSetup, largest: _Largest, gpu: Gpu) -> PrepareMachine:
    fit = math.floor(_SHARE * gpu.memory_free_mib / largest.mib)
    users = ", ".join(f"{each.name} (pid {each.pid})" for each in gpu.processes)
    used = f", of which {_gib(gpu.memory_used_mib)} are in use by {users}" if users else ""
    return PrepareMachine(
        "trials that share a GPU must fit into its memory together",
        got=f"{asked.resources.trials_per_gpu} of up to {_gib(largest.mib)} ({largest.words}); "
        f"GPU {gpu.index} has {_gib(gpu.memory_total_mib)}{used}",
        where="--trials-per-gpu",
        fix=f"give {fit}" if fit > 1 else "leave it out, or lower the largest batch",
    )


def _largest(asked: TrialSetup) -> _Largest | None:
    network = network_of(asked.skill)
    needs = network.forecast(asked.base_spec, trial_values(asked.space)) if network else None
    return _Largest(needs.mib + _data_mib(asked.data.values()), needs.words) if needs else None


def trial_values(space: SearchSpace) -> dict[str, tuple[Any, ...]]:
    """Dotted key to the values that a trial may have; of a range the highest alone."""
    return {parameter.key: parameter.largest for parameter in space}


def _data_mib(splits: Iterable[SplitFacts]) -> int:
    """Decoded images, which every process may keep on the GPU: a byte for each colour."""
    sizes = (size for each in splits for size in each.sizes.items())
    pixels = sum(images * width * height for (width, height), images in sizes)
    return 3 * pixels >> 20


def _gib(mib: float) -> str:
    return f"{mib / _MIB_PER_GIB:.1f} GiB"
