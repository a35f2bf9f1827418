"""Whether a checkpoint holds all that a training needs to go on from it.

Checkpoints of other programs hold weights that fit and little else. From one of the container's a
training goes on at the next epoch, with a fresh optimiser; of any other what lacks is named before
anything is built.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from automl.centerpose.session.checkpoints import read_checkpoint
from automl.centerpose.session.tao_checkpoint import in_own_form
from automl.centerpose.session.tao_weights import is_of_tao
from automl.centerpose.training.position import Position, Schedule
from automl.errors import FixData

__all__ = ["LoadedCheckpoint", "check_optimiser_state", "read_resumable"]

_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True)
class LoadedCheckpoint:
    """A checkpoint to go on from.

    Attributes:
        path: Its file.
        content: What ``Training.save`` wrote; of the container's, weights, epoch and step.
        is_of_tao: Whether the container wrote it.
    """

    path: Path
    content: dict[str, Any]
    is_of_tao: bool = False


def read_resumable(path: Path) -> LoadedCheckpoint:
    """A checkpoint that a training of this program or of the container wrote.

    Raises:
        FixData: It is missing or broken, or does not hold what a training goes on from; the
            message names what lacks.
    """
    content = in_own_form(read_checkpoint(path))
    foreign = is_of_tao(content["state_dict"])
    problems = list(_problems(content, _COUNTS if foreign else _PARTS))
    if problems:
        raise _refused(path, ", ".join(problems))
    return LoadedCheckpoint(path, content, foreign)


def check_optimiser_state(checkpoint: LoadedCheckpoint, network: nn.Module) -> None:
    """Checks that the optimiser's state is one of the network's weights.

    Raises:
        FixData: It is of more weights than the network has, or of weights of other shapes.
    """
    shapes = [tuple(parameter.shape) for parameter in network.parameters()]
    state = checkpoint.content["optimizer_states"][0]["state"]
    for number, kept in state.items():
        own = shapes[number] if number < len(shapes) else None
        given = tuple(kept[_MOMENTS[0]].shape)
        if own != given:
            got = f"optimizer_states of a weight {number} of shape {given} instead of {own}"
            raise _refused(checkpoint.path, got)


def _refused(path: Path, got: str) -> FixData:
    return FixData(
        "a training must go on from a checkpoint that this program wrote of it",
        got=got,
        where=str(path),
        fix="begin anew from its weights alone with train.pretrained_model_path",
    )


def _problems(
    content: Mapping[str, Any], parts: Mapping[str, Callable[[object], bool]]
) -> Iterator[str]:
    lacking = [name for name in parts if name not in content]
    if lacking:
        yield f"one without {', '.join(lacking)}"
    yield from (
        f"{name} of another form"
        for name, fits in parts.items()
        if name not in lacking and not fits(content[name])
    )
    if not _is_count(content.get("images_per_step", 1)):
        yield "images_per_step of another form"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_seed(value: object) -> bool:
    return _is_count(value) and isinstance(value, int) and value < 2**63


def _is_number(value: object) -> bool:
    is_plain = isinstance(value, int | float) and not isinstance(value, bool)
    return is_plain and math.isfinite(value)  # type: ignore[arg-type]


def _is_schedule(value: object) -> bool:
    first = value[0] if isinstance(value, list) and value else None
    return (
        isinstance(first, dict)
        and set(first) == _names(Schedule)
        and _is_number(first["lr"])
        and _is_number(first["decay"])
        and isinstance(first["steps"], Sequence)
        and all(map(_is_count, first["steps"]))
    )


def _is_position(value: object) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == _names(Position)
        and all(_is_count(value[name]) for name in ("epoch", "batch", "step"))
        and _is_number(value["loss_sum"])
    )


def _names(kind: Any) -> set[str]:
    return {member.name for member in fields(kind)}


def _is_optimiser_state(value: object) -> bool:
    first = value[0] if isinstance(value, list) and value else None
    if not isinstance(first, dict):
        return False
    state, groups = first.get("state"), first.get("param_groups")
    return (
        isinstance(state, dict)
        and all(_is_count(number) and _is_moments(kept) for number, kept in state.items())
        and isinstance(groups, list)
        and len(groups) == 1
        and isinstance(groups[0], dict)
        and _is_number(groups[0].get("lr"))
    )


def _is_moments(kept: object) -> bool:
    if not isinstance(kept, dict) or not isinstance(kept.get("step"), Tensor):
        return False
    moments = [kept.get(name) for name in _MOMENTS]
    shapes = {moment.shape for moment in moments if isinstance(moment, Tensor)}
    return all(isinstance(moment, Tensor) for moment in moments) and len(shapes) == 1


def _is_scale(value: object) -> bool:
    """What ``fp16`` keeps; every other precision keeps nothing."""
    return isinstance(value, dict) and (
        not value or (_is_number(value.get("scale")) and _is_count(value.get("_growth_tracker")))
    )


def _is_random_states(value: object) -> bool:
    if not isinstance(value, dict) or not _is_random_state(value):
        return False
    ranks = value.get("ranks", [])
    return isinstance(ranks, list) and all(map(_is_random_state, ranks))


def _is_random_state(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("cuda"), list):
        return False
    own = torch.get_rng_state()
    state = value.get("torch")
    is_own = isinstance(state, Tensor) and (state.dtype, state.shape) == (own.dtype, own.shape)
    return is_own and all(isinstance(each, Tensor) for each in value["cuda"])


_PARTS: Mapping[str, Callable[[object], bool]] = {
    "seed": _is_seed,
    "epoch": _is_count,
    "global_step": _is_count,
    "position": _is_position,
    "optimizer_states": _is_optimiser_state,
    "scaler": _is_scale,
    "lr_schedulers": _is_schedule,
    "rng": _is_random_states,
}
"""What ``Training.save`` writes beside the weights -> whether it has the form of that."""

_COUNTS: Mapping[str, Callable[[object], bool]] = {"epoch": _is_count, "global_step": _is_count}
"""The same of a checkpoint of the container's."""
