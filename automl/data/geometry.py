"""The geometry that every reader and writer of the Objectron layout shares.

Two right-handed camera frames occur. Annotations use the *GL frame*: the camera looks along -z,
and the image of a portrait phone lies on its side in it, so GL x runs along the image's rows and
GL y along its columns. The *CV frame* is OpenCV's: x right, y down, z forward. One rotation takes
either into the other: ``p_gl = (y_cv, x_cv, -z_cv)``. Lengths are metres, images are in pixels
with x first.

A box has nine keypoints: row 0 is its centre, rows 1 to 8 its corners in the order of
``CORNER_SIGNS``; the object's y axis points up.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "CORNER_SIGNS",
    "FLIP_PAIRS",
    "FRAME_SWAP",
    "box_keypoints",
    "project",
    "projection_matrix",
]

Array = npt.NDArray[np.float64]

CORNER_SIGNS: Array = np.array(
    [[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]
)
"""(8, 3) signs of the corners' x, y, z, in the order in which annotations list them."""

FLIP_PAIRS = ((0, 4), (2, 6), (1, 5), (3, 7))
"""Zero-based corners that change places when the image is mirrored left to right."""

FRAME_SWAP: Array = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
"""(3, 3) rotation from the CV frame to the GL frame; its own inverse."""


def box_keypoints(scale: npt.ArrayLike) -> Array:
    """Keypoints of a box at the origin of its own frame.

    Args:
        scale: (..., 3) edge lengths along x, y (up) and z.

    Returns:
        (..., 9, 3): the centre, then the eight corners; in the unit of ``scale``.
    """
    half = np.asarray(scale, dtype=np.float64)[..., None, :] / 2.0
    corners = half * CORNER_SIGNS
    return np.concatenate([np.zeros_like(half), corners], axis=-2)


def project(points_gl: npt.ArrayLike, projection: npt.ArrayLike, width: int, height: int) -> Array:
    """Pixels of points in the GL frame, through a GL projection matrix.

    The first device coordinate of the projection runs down the image and the second to the right.
    A point in the camera's plane gives infinities; one behind it gives the pixel of its mirror
    point, so callers look at z first.

    Args:
        points_gl: (..., 3) points in the GL camera frame, metres.
        projection: (4, 4) ``camera_projection_matrix`` of the annotation.
        width: Image width, pixels.
        height: Image height, pixels.

    Returns:
        (..., 2) pixels, x then y.
    """
    points = np.asarray(points_gl, dtype=np.float64)
    matrix = np.asarray(projection, dtype=np.float64)
    clip = points @ matrix[:, :3].T + matrix[:, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        device = clip[..., :2] / clip[..., 3:4]
    return (device[..., ::-1] + 1.0) / 2.0 * np.array([width, height], dtype=np.float64)


def projection_matrix(intrinsic: npt.ArrayLike, width: int, height: int) -> Array:
    """The GL projection matrix that agrees with a pinhole camera.

    Args:
        intrinsic: (3, 3) camera matrix of the stored image, pixels.
        width: Image width, pixels.
        height: Image height, pixels.

    Returns:
        (4, 4) matrix for ``project``; near plane 0.001 m, far plane 1000 m.
    """
    camera: npt.NDArray[Any] = np.asarray(intrinsic, dtype=np.float64)
    near, far = 0.001, 1000.0
    matrix = np.zeros((4, 4))
    matrix[0, 0] = 2.0 * camera[1, 1] / height
    matrix[0, 2] = 1.0 - 2.0 * camera[1, 2] / height
    matrix[1, 1] = 2.0 * camera[0, 0] / width
    matrix[1, 2] = 1.0 - 2.0 * camera[0, 2] / width
    matrix[2, 2] = -(far + near) / (far - near)
    matrix[2, 3] = -2.0 * far * near / (far - near)
    matrix[3, 2] = -1.0
    return matrix
