"""Which weights of the container's networks are which of ours.

The container names its layers after the publications' programs; ours are named after what they do.
Some of ours are several of theirs joined along the first axis, computed as one. What stands here
are names and shapes; ``tao_weights`` converts by them.

A network of the container has weights that nothing reads: ``idle``. Its neck's convolutions have
biases in front of a batch normalisation, where a bias changes nothing but the mean that the
normalisation keeps: ``absorbed``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from automl.centerpose.session.tao_backbones import FanForm, dla_backbone, fan_backbone
from automl.centerpose.session.tao_joints import (
    LAYER,
    Joint,
    Names,
    conv_norm_joints,
    layer_joints,
)

__all__ = ["dla_names", "fan_names"]

_HEADS = ("hm", "wh", "hps", "reg", "hm_hp", "hp_offset", "scale")
_GATES = "rzn"  # reset, update, new


def dla_names(*, use_gru: bool) -> Names:
    """The whole DLA34."""
    backbone = dla_backbone("backbone.", "base.")
    up = [_Aggregation(f"neck.up.{i}", f"dla_up.ida_{i}", i + 1) for i in range(3)]
    return _whole(backbone, [*up, _Aggregation("neck.join", "ida_up", 2)], use_gru=use_gru)


def fan_names(form: FanForm, *, use_gru: bool) -> Names:
    """A whole FAN."""
    backbone = fan_backbone(form, "backbone.", "base.")
    return _whole(backbone, [_Aggregation("neck", "ida_up", 3)], use_gru=use_gru)


@dataclass(frozen=True, slots=True)
class _Aggregation:
    """One aggregation: our name, theirs, and how many maps it brings to the first one's size."""

    ours: str
    theirs: str
    n: int

    def joints(self) -> Iterator[Joint]:
        for k in range(self.n):
            yield Joint(f"{self.ours}.enlarge.{k}.weight", (f"{self.theirs}.up_{k + 1}.weight",))
            for mine, layer in self._convs(k):
                yield from conv_norm_joints(mine, f"{layer}.conv", f"{layer}.actf.0")

    def absorbed(self) -> dict[str, str]:
        return {
            f"{layer}.conv.bias": f"{mine}.1.running_mean"
            for k in range(self.n)
            for mine, layer in self._convs(k)
        }

    def _convs(self, k: int) -> tuple[tuple[str, str], tuple[str, str]]:
        number = k + 1
        return (
            (f"{self.ours}.project.{k}", f"{self.theirs}.proj_{number}"),
            (f"{self.ours}.node.{k}", f"{self.theirs}.node_{number}"),
        )


def _whole(backbone: Names, necks: Sequence[_Aggregation], *, use_gru: bool) -> Names:
    found = list(backbone.joints)
    absorbed: dict[str, str] = {}
    for neck in necks:
        found += neck.joints()
        absorbed |= neck.absorbed()
    if use_gru:
        for part, kinds, names in (("of_input", "i", LAYER), ("of_hidden", "h", ("weight",))):
            for name in names:
                gates = tuple(f"convGRU.cell0.W{kinds}{gate}.{name}" for gate in _GATES)
                found.append(Joint(f"gru.{part}.{name}", gates, shares=(1, 1, 1)))
    for head in _HEADS:
        for i in (0, 1, 3) if use_gru else (0, 2):
            found += layer_joints(f"heads.{head}.{i}", f"{head}.{i}")
    return Names(tuple(found), absorbed, backbone.idle)
