"""Boxes from their corners, in three dimensions or as pixels, in whatever order they come.

All formats of DOPE's family number the corners round two opposite faces. They differ in which
face is first and where it begins, so in the signs of the axes, and some number a mirror image. The
object's pose settles the signs: the edge lengths along its axes follow from the pixels by linear
least squares, and a sign that comes out negative is one of the order's.
"""

from typing import Any, Final

import numpy as np

from automl.data.convert.frames import BrokenFrame
from automl.data.geometry import CORNER_SIGNS, Array, Intrinsics
from automl.data.opencv import cv2

__all__ = [
    "FACE_BY_FACE",
    "MIRRORED",
    "MOST_OFF_PX",
    "box_of_corners",
    "pixels_of",
    "pose_by_pixels",
    "size_by_pixels",
]

FACE_BY_FACE: Final[Array] = np.array(
    [[1, -1, 1], [-1, -1, 1], [-1, 1, 1], [1, 1, 1],
     [1, -1, -1], [-1, -1, -1], [-1, 1, -1], [1, 1, -1]], dtype=np.float64
)  # fmt: skip
"""(8, 3): signs of x, y, z of the corners as NVISII's scripts of DOPE number them from 0."""
MIRRORED: Final[Array] = FACE_BY_FACE * [1, -1, 1]
"""The same as BlenderProc's script numbers them: its mirror image."""

MOST_OFF_PX: Final = 2.0
"""Root mean square by which corners may miss the pixels that a source says."""
_LEAST_EDGE: Final = 1e-6
_NOT_SQUARE: Final = 0.02


def pixels_of(points: Array, camera: Intrinsics) -> Array:
    """(N, 2): pixels of (N, 3) points before the camera, in the OpenCV camera frame."""
    projected = points @ camera.matrix().T
    pixels: Array = projected[:, :2] / projected[:, 2:]
    return pixels


def box_of_corners(points: Array) -> tuple[Array, Array, Array]:
    """Rotation (3, 3), centre (3,) and edge lengths (3,) of a box.

    Args:
        points: (9, 3) the centre and the corners in this package's order.

    Raises:
        BrokenFrame: They are no right-angled box, or its mirror image.
    """
    corners = points[1:]
    edges = corners.T @ CORNER_SIGNS / 4.0  # (3, 3), the columns are the box's edges
    size: Array = np.linalg.norm(edges, axis=0)
    rule = "corners must be those of a right-angled box with three edges"
    if size.min() < _LEAST_EDGE:
        raise BrokenFrame(rule, "a box without depth")
    axes = edges / size
    left, _, right = np.linalg.svd(axes)
    rotation: Array = left @ right
    if np.linalg.det(rotation) < 0:
        raise BrokenFrame(rule, "its mirror image: the corners are in another order")
    centre: Array = corners.mean(axis=0)
    ideal = CORNER_SIGNS * (size / 2) @ rotation.T + centre
    if np.abs(ideal - corners).max() > _NOT_SQUARE * size.max():
        raise BrokenFrame(rule, "corners that form none")
    return rotation, centre, size


def size_by_pixels(
    pixels: Array, order: Array, camera: Intrinsics, pose: tuple[Array, Array]
) -> Array:
    """(3,): signed edge lengths of the box at a known pose whose corners show at given pixels.

    The pixel (u, v) of a corner ``centre + rotation @ (signs * size / 2)`` gives two equations
    that are linear in the size, such as ``(u - cx) / fx * z = x``.

    Args:
        pixels: (8, 2) of the corners.
        order: (8, 3) their signs, or those of a numbering that runs against some of the axes.
        camera: The camera.
        pose: (3, 3) rotation from the object to the OpenCV camera frame and (3,) centre there.

    Returns:
        In the unit of ``centre``; negative along an axis that the numbering runs against.
    """
    rotation, centre = pose
    offset = np.array([camera.cx, camera.cy])
    rays = (pixels - offset) / [camera.fx, camera.fy]
    halves = order[:, None, :] * rotation[None] / 2  # (8, 3, 3): the camera's x, y, z
    left = rays[:, :, None] * halves[:, 2:] - halves[:, :2]
    right = centre[:2] - rays * centre[2]
    size, *_ = np.linalg.lstsq(left.reshape(16, 3), right.reshape(16), rcond=None)
    found: Array = size
    return found


def pose_by_pixels(
    pixels: Array, order: Array, camera: Intrinsics, size: Array
) -> tuple[Array, Array, float]:
    """Rotation (3, 3) and centre (3,) of a box of known size, and how far its corners miss.

    Args:
        pixels: (8, 2) of the corners.
        order: (8, 3) their signs.
        camera: The camera.
        size: (3,) edge lengths.

    Returns:
        In the unit of ``size``; the distance is the root mean square over corners, in pixels, and
        infinite where the corners give no pose.
    """
    corners = order * size / 2
    done, turn, centre = _solved(corners, pixels, camera)
    if not done:
        return np.eye(3), np.zeros(3), np.inf
    rotation: Array = np.asarray(cv2.Rodrigues(turn)[0], dtype=np.float64)
    middle: Array = np.asarray(centre, dtype=np.float64).reshape(3)
    shown = pixels_of(corners @ rotation.T + middle, camera)
    return rotation, middle, float(np.sqrt(((shown - pixels) ** 2).sum(axis=1).mean()))


def _solved(corners: Array, pixels: Array, camera: Intrinsics) -> tuple[bool, Any, Any]:
    try:
        way = cv2.SOLVEPNP_SQPNP
        done, turn, centre = cv2.solvePnP(corners, pixels, camera.matrix(), None, flags=way)
    except cv2.error:
        return False, None, None
    return bool(done), turn, centre
