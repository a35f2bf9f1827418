"""What every reader of a format gives: frames with boxes, in the conventions of this package.

A box is in the OpenCV camera frame (x right, y down, z into the scene), in metres, with the
object's y axis up; see ``docs/data.md`` for how each format gets there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from automl.data.geometry import Array, Intrinsics

__all__ = [
    "BrokenFrame",
    "FrameRef",
    "FrameSource",
    "Pixels",
    "SourceBox",
    "SourceFrame",
    "SourceOptions",
    "camera_of",
    "numbers",
]

Pixels: TypeAlias = npt.NDArray[np.uint8]

LARGEST: Final = 1e9
"""Pixels, lengths and matrices stay far below; beyond it, products of them overflow."""


class BrokenFrame(ValueError):
    """A frame that cannot be converted; the others go on.

    Args:
        rule: What must hold.
        got: What was found instead.
        fix: What to do; empty where the rule says it.
    """

    def __init__(self, rule: str, got: str, fix: str = "") -> None:
        self.rule = rule
        self.got = got
        self.fix = fix
        super().__init__(f"{rule}, but got {got}" + (f"; {fix}" if fix else ""))


@dataclass(frozen=True, slots=True, eq=False)
class SourceBox:
    """One labelled object.

    Attributes:
        kind: What the source calls its class or its model.
        rotation: (3, 3) from the object's frame, y up, to the OpenCV camera frame.
        centre: (3,) metres, the box's centre in the OpenCV camera frame.
        size: (3,) edge lengths in metres along the object's x, y (up) and z.
        visibility: Share that can be seen, in [0, 1]; None where the source does not say.
        turns: How many turns about its up axis look the same, 1 for one alone; None where the
            source does not say.
    """

    kind: str
    rotation: Array
    centre: Array
    size: Array
    visibility: float | None = None
    turns: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SourceFrame:
    """One image with its labels.

    Attributes:
        image: Its file, or its pixels (H, W, 3) in blue, green, red where it has no file.
        intrinsics: Its camera.
        boxes: Its objects, possibly none.
        view: (4, 4) from the world to the OpenCV camera frame; None where nobody says.
        ground: A point of the ground and its upward normal, (2, 3), in the OpenCV camera frame, in
            metres; None where nobody says.
        size: Width and height that the source says; None where it does not.
    """

    image: Path | Pixels
    intrinsics: Intrinsics
    boxes: tuple[SourceBox, ...]
    view: Array | None = None
    ground: Array | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class FrameRef:
    """Where a frame is, and what it will be called.

    Attributes:
        sequence: Name of the folder that it is written to.
        name: Stem of its image and its annotation there.
        path: The file that holds its labels.
        number: Which of the file's frames it is.
    """

    sequence: str
    name: str
    path: Path
    number: int = 0


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What the user says of a source beyond its files.

    Attributes:
        up: Axis of its objects that points up, such as ``z`` or ``-y``; None for the format's.
        metres: Metres in one of its units of length; None for the format's.
        sizes: Kind to edge lengths in metres along the source's own axes.
        models: File or folder of its models; None to look for it.
    """

    up: str | None = None
    metres: float | None = None
    sizes: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    models: Path | None = None


class FrameSource(Protocol):
    """A data set of some format."""

    def frames(self) -> Sequence[FrameRef]:
        """Its frames in their order; cheap, nothing is read of a single frame."""

    def read(self, ref: FrameRef) -> SourceFrame:
        """One of them.

        Raises:
            BrokenFrame: It cannot be read.
        """

    def notes(self) -> Sequence[str]:
        """What the user should know of what was read, as sentences."""


def numbers(value: Any, shape: tuple[int, ...], what: str) -> Array:
    """An array of a value that should be one, flat or nested.

    Args:
        value: Lists of numbers.
        shape: The array's.
        what: What it is called, for the error.

    Raises:
        BrokenFrame: It is something else, or not finite.
    """
    count = int(np.prod(shape))
    rule = f"{what} must be {count} finite numbers" if count > 1 else f"{what} must be a number"
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise BrokenFrame(rule, repr(value)[:60]) from None
    if value is None or array.size != count:
        raise BrokenFrame(rule, "nothing" if value is None else f"{array.size}")
    if not (np.abs(array) <= LARGEST).all():  # which NaN is not either
        raise BrokenFrame(rule, "one that is no measure")
    return array.reshape(shape)


def camera_of(fx: Any, fy: Any, cx: Any, cy: Any) -> Intrinsics:
    """A camera from numbers of a file, in pixels.

    Raises:
        BrokenFrame: One is none, or a focal length is not positive.
    """
    named = zip(("fx", "fy", "cx", "cy"), (fx, fy, cx, cy), strict=True)
    camera = Intrinsics(*(numbers(value, (), name).item() for name, value in named))
    if min(camera.fx, camera.fy) <= 0:
        raise BrokenFrame("focal lengths must be positive", f"{camera.fx:g} and {camera.fy:g}")
    return camera
