"""Weights of the container's networks as ours, and ours as the container's.

Both ways are exact: a network answers as before, and trains on as before. Whose weights a file
holds is read off their names.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from automl.centerpose.session.tao_backbones import FanForm, dla_backbone, fan_backbone
from automl.centerpose.session.tao_joints import Joint, Names
from automl.centerpose.session.tao_names import dla_names, fan_names

__all__ = ["backbone_of_tao", "is_of_tao", "of_tao", "to_tao"]

_BASE = "base."
_PREFIXES = ("module.", "model.")  # of a parallel wrapper, and of the container's checkpoints
_GRU = "convGRU.cell0.Wir.weight"
_DLA = "base_layer.0.weight"
_FAN = "patch_embed.proj.weight"


def is_of_tao(weights: Mapping[str, Tensor]) -> bool:
    """Whether weights are named as the container's whole networks name them."""
    return _whole_names(_bare(weights)) is not None


def of_tao(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The container's weights of a whole network as ours; of any other, unchanged.

    What the container has and no output depends on is left out. What lacks stays lacking, and what
    is too much stays, under its own name, so that whoever puts the weights into a network can name
    it.

    Args:
        weights: By name, with or without the prefixes of wrappers.
    """
    bare = _bare(weights)
    names = _whole_names(bare)
    return dict(weights) if names is None else _converted(bare, names)


def backbone_of_tao(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a published backbone as ours, by the names within the backbone.

    Those of its classifier are left out, and of anything else all stays as it is.
    """
    bare = _bare(weights)
    if any(name.startswith(_BASE) for name in bare):
        bare = {n.removeprefix(_BASE): w for n, w in bare.items() if n.startswith(_BASE)}
    if _DLA in bare:
        names = dla_backbone()
    elif _FAN in bare:
        names = fan_backbone(_form(bare, ""))
    else:
        return dict(weights)
    known = {name for joint in names.joints for name in joint.theirs}
    return _converted({name: bare[name] for name in bare if name in known}, names)


def to_tao(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our weights of a whole network under the container's names, without a prefix.

    Args:
        weights: By our names, without a prefix; of DLA34 or a FAN.

    Raises:
        KeyError: They are of another network.
    """
    names = _names_of_ours(weights)
    found: dict[str, Tensor] = {}
    for joint in names.joints:
        value = weights[joint.ours]
        ones = (1,) * joint.n_ones
        for name, part in zip(joint.theirs, _split(value, joint), strict=True):
            found[name] = part.reshape((*part.shape, *ones)).clone()
    for bias, mean in names.absorbed.items():
        found[bias] = torch.zeros_like(weights[mean])
    for idle in names.idle:
        kind = torch.float32 if idle.shape else torch.int64
        found[idle.name] = torch.full(idle.shape, idle.value, dtype=kind)
    return found


def _converted(bare: Mapping[str, Tensor], names: Names) -> dict[str, Tensor]:
    rest = dict(bare)
    found: dict[str, Tensor] = {}
    for joint in names.joints:
        if all(name in rest for name in joint.theirs):
            parts = [_without_ones(rest.pop(name), joint.n_ones) for name in joint.theirs]
            found[joint.ours] = parts[0] if len(parts) == 1 else torch.cat(parts)
    for bias, mean in names.absorbed.items():
        if bias in rest and mean in found:
            found[mean] = found[mean] - rest.pop(bias)
    for idle in names.idle:
        rest.pop(idle.name, None)
    return found | rest


def _without_ones(value: Tensor, n: int) -> Tensor:
    ends = value.shape[value.dim() - n :]
    return value.reshape(value.shape[: value.dim() - n]) if n and set(ends) == {1} else value


def _split(value: Tensor, joint: Joint) -> tuple[Tensor, ...]:
    if len(joint.theirs) == 1:
        return (value,)
    unit = len(value) // sum(joint.shares)
    return torch.split(value, [share * unit for share in joint.shares])


def _whole_names(bare: Mapping[str, Tensor]) -> Names | None:
    if _BASE + _DLA in bare:
        return dla_names(use_gru=_GRU in bare)
    if _BASE + _FAN in bare:
        return fan_names(_form(bare, _BASE), use_gru=_GRU in bare)
    return None


def _names_of_ours(weights: Mapping[str, Tensor]) -> Names:
    use_gru = "gru.of_input.weight" in weights
    if "backbone.embed.weight" not in weights:
        return dla_names(use_gru=use_gru)
    stages = tuple(_count(weights, f"backbone.stage{k}.") for k in (4, 8))
    width = len(weights["backbone.embed.weight"])
    form = FanForm((stages[0], stages[1]), _count(weights, "backbone.stage16."), width)
    return fan_names(form, use_gru=use_gru)


def _form(bare: Mapping[str, Tensor], base: str) -> FanForm:
    stages = [_count(bare, f"{base}patch_embed.backbone.stages.{k}.blocks.") for k in (0, 1)]
    depth, width = _count(bare, f"{base}blocks."), len(bare[f"{base}{_FAN}"])
    return FanForm((stages[0], stages[1]), depth, width)


def _count(names: Mapping[str, Tensor], prefix: str) -> int:
    """How many numbered parts there are under a prefix."""
    numbered = re.compile(re.escape(prefix) + r"(\d+)\.")
    found = [int(match[1]) for match in map(numbered.match, names) if match]
    return max(found, default=-1) + 1


def _bare(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = dict(weights)
    for prefix in _PREFIXES:
        found = {name.removeprefix(prefix): value for name, value in found.items()}
    return found
