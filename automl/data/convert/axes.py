"""From a format's axes to those of this package."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from automl.data.convert.frames import BrokenFrame
from automl.data.geometry import Array, rotation_of

__all__ = ["CV_FROM_GL", "UP_AXES", "rotation_from", "upright"]

CV_FROM_GL: Final[Array] = np.diag([1.0, -1.0, -1.0])
"""(3, 3): from the usual OpenGL camera (x right, y up, z to the viewer) to the OpenCV one."""

UP_AXES: Final[Mapping[str, Array]] = {
    "y": np.eye(3),
    "-y": np.diag([1.0, -1.0, -1.0]),
    "z": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
    "-z": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
    "x": np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    "-x": np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
}
"""Axis that points up to the (3, 3) rotation from the source's object frame to the one with y up.
Each is a rotation, so that no box becomes its mirror image."""

_SKEW: Final = 1e-3


def upright(rotation: Array, size: Array, up: str) -> tuple[Array, Array]:
    """A box's rotation and size once its y axis is the one that pointed up.

    Args:
        rotation: (3, 3) from the source's object frame to the camera.
        size: (3,) edge lengths along the source's axes.
        up: A key of ``UP_AXES``.

    Returns:
        (3, 3) and (3,).
    """
    turn = UP_AXES[up]
    turned: Array = rotation @ turn.T
    return turned, np.abs(turn) @ size


def rotation_from(values: Array, what: str) -> Array:
    """The (3, 3) rotation of a matrix or of a quaternion x, y, z, w.

    A matrix that was rounded is brought to the nearest rotation.

    Raises:
        BrokenFrame: The quaternion is zero, or the matrix mirrors, stretches or shears.
    """
    if values.size == 4:
        try:
            return rotation_of(values)
        except ValueError:
            raise BrokenFrame(f"{what} must be a rotation", "a quaternion of length 0") from None
    left, stretch, right = np.linalg.svd(values)
    nearest: Array = left @ right
    if np.linalg.det(nearest) < 0:
        raise BrokenFrame(f"{what} must be a rotation", "a matrix that mirrors")
    if np.abs(stretch - 1).max() > _SKEW:
        raise BrokenFrame(f"{what} must be a rotation", "a matrix that stretches or shears")
    return nearest
