"""What is made of what: a weight of ours, and those of the container's networks in it."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "LAYER",
    "NORM",
    "Idle",
    "Joint",
    "Names",
    "conv_norm_joints",
    "layer_joints",
    "norm_joints",
]

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
LAYER = ("weight", "bias")


@dataclass(frozen=True, slots=True)
class Joint:
    """A weight of ours and those of the container's that it is made of.

    Attributes:
        ours: Its name.
        theirs: Theirs, in order along the first axis.
        shares: How long each of theirs is along that axis, relative to the others.
        n_ones: Axes of length 1 that theirs have more, at the end.
    """

    ours: str
    theirs: tuple[str, ...]
    shares: tuple[int, ...] = (1,)
    n_ones: int = 0


@dataclass(frozen=True, slots=True)
class Idle:
    """A weight of the container's that no output depends on.

    Attributes:
        name: Its name there.
        shape: Its shape; empty for a count.
        value: What it is filled with where a file is written.
    """

    name: str
    shape: tuple[int, ...]
    value: int


@dataclass(frozen=True, slots=True)
class Names:
    """All weights of a network or of its backbone.

    Attributes:
        joints: Those that both have.
        absorbed: A bias of theirs -> the running mean of ours that it is subtracted from.
        idle: Those that only theirs has.
    """

    joints: tuple[Joint, ...]
    absorbed: Mapping[str, str]
    idle: tuple[Idle, ...]


def layer_joints(ours: str, theirs: str, *, n_ones: int = 0) -> list[Joint]:
    """A layer with weight and bias; ``n_ones`` is of the weight."""
    ones = dict(zip(LAYER, (n_ones, 0), strict=True))
    return [Joint(f"{ours}.{n}", (f"{theirs}.{n}",), n_ones=ones[n]) for n in LAYER]


def norm_joints(ours: str, theirs: str) -> list[Joint]:
    """A batch normalisation with its statistics."""
    return [Joint(f"{ours}.{name}", (f"{theirs}.{name}",)) for name in NORM]


def conv_norm_joints(ours: str, conv: str, norm: str) -> list[Joint]:
    """A convolution without bias, and its batch normalisation."""
    return [Joint(f"{ours}.0.weight", (f"{conv}.weight",)), *norm_joints(f"{ours}.1", norm)]
