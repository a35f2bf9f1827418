"""Boxes, cameras and rotations in the frames of the Objectron layout.

Three frames occur, all right-handed, all in metres:

* *object*: origin at the centre of the box, y up, the box's edges along the axes;
* *camera, OpenCV*: x to the right of the image, y down it, z into the scene;
* *camera, OpenGL*, the frame of everything stored on disk: z towards the viewer. The image is
  portrait but the sensor lies on its side, so x runs **down** the image and y to its **right**:
  ``p_gl = (y_cv, x_cv, -z_cv)``, a rotation that is its own inverse.

Normalised device coordinates inherit that swap: of a point with device coordinates (a, b) in
[-1, 1] the pixel is ``((b + 1) / 2 * width, (a + 1) / 2 * height)``.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "CORNER_SIGNS",
    "EDGES",
    "GL_FROM_CV",
    "N_CORNERS",
    "Array",
    "Intrinsics",
    "apply",
    "box_keypoints",
    "pose_matrix",
    "project",
    "projection_of",
    "quaternion_of",
    "rotation_about_y",
    "rotation_of",
]

Array: TypeAlias = npt.NDArray[np.float64]

N_CORNERS: Final = 8

CORNER_SIGNS: Final[Array] = np.array(
    [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64
)
"""(8, 3): the signs of x, y, z of corners 1 to 8, z changing fastest."""

EDGES: Final[tuple[tuple[int, int], ...]] = tuple(
    (a, b)
    for a, b in combinations(range(N_CORNERS), 2)
    if int((CORNER_SIGNS[a] != CORNER_SIGNS[b]).sum()) == 1
)
"""The twelve pairs of corners, from 0, that differ in one sign."""

GL_FROM_CV: Final[Array] = np.array(
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]], dtype=np.float64
)
"""(3, 3): takes OpenCV camera coordinates to OpenGL ones, and back."""


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """A pinhole camera, in pixels of the stored portrait image.

    Attributes:
        fx: Focal length along the image's x.
        fy: Focal length along the image's y.
        cx: x of the principal point.
        cy: y of the principal point.
    """

    fx: float
    fy: float
    cx: float
    cy: float

    def matrix(self) -> Array:
        """(3, 3): the camera matrix of the OpenCV frame."""
        rows = [[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]]
        return np.array(rows, dtype=np.float64)


def box_keypoints(scale: npt.ArrayLike) -> Array:
    """(9, 3): the centre and the eight corners of a box in its own frame.

    Args:
        scale: (3,) edge lengths along x, y, z.
    """
    keypoints = np.zeros((N_CORNERS + 1, 3))
    keypoints[1:] = CORNER_SIGNS * (np.asarray(scale, dtype=np.float64) / 2)
    return keypoints


def project(points: Array, projection: Array, width: float, height: float) -> Array:
    """(N, 2): the pixels, x then y, of points in the OpenGL camera frame.

    Args:
        points: (N, 3) metres. A point with z >= 0 lies behind the camera: its pixel means nothing.
        projection: (4, 4) OpenGL projection matrix.
        width: Of the image, in pixels.
        height: Of the image, in pixels.
    """
    clip = points @ projection[:, :3].T + projection[:, 3]
    device = clip[:, :2] / clip[:, 3:4]
    pixels: Array = (device[:, ::-1] + 1) / 2 * np.array([width, height])
    return pixels


def projection_of(
    camera: Intrinsics, size: tuple[int, int], near: float = 0.001, far: float = 1000.0
) -> Array:
    """(4, 4): the OpenGL projection matrix of a camera.

    The first row of the matrix makes the image's y and the second its x: the swap of this
    module's opening. A point (x, y, z) then lands on
    ``(fx * y / -z + cx, fy * x / -z + cy)``.

    Args:
        camera: The pinhole camera.
        size: Width and height of the image in pixels.
        near: Distance of the near plane in metres; it shapes depth only, never a pixel.
        far: Distance of the far plane in metres, likewise.
    """
    width, height = size
    matrix = np.zeros((4, 4))
    matrix[0, 0] = 2 * camera.fy / height
    matrix[0, 2] = 1 - 2 * camera.cy / height
    matrix[1, 1] = 2 * camera.fx / width
    matrix[1, 2] = 1 - 2 * camera.cx / width
    matrix[2, 2] = -(far + near) / (far - near)
    matrix[2, 3] = -2 * far * near / (far - near)
    matrix[3, 2] = -1.0
    return matrix


def rotation_about_y(angle_rad: float) -> Array:
    """(3, 3): the rotation by an angle about y; a positive one turns z towards x."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]], dtype=np.float64)


def rotation_of(quaternion_xyzw: npt.ArrayLike) -> Array:
    """(3, 3): the rotation of a quaternion, which need not be of unit length.

    Raises:
        ValueError: The quaternion is zero or not finite.
    """
    quaternion = np.asarray(quaternion_xyzw, dtype=np.float64)
    length = float(np.linalg.norm(quaternion))
    if not np.isfinite(length) or length == 0:
        raise ValueError(f"a rotation needs a finite, non-zero quaternion, got {quaternion}")
    x, y, z, w = quaternion / length
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.array(rows, dtype=np.float64)


def quaternion_of(rotation: Array) -> Array:
    """(4,): the unit quaternion x, y, z, w of a (3, 3) rotation, with w >= 0.

    The largest component is found from the diagonal first and the others divided by it, so that
    no angle loses precision.
    """
    diagonal = np.append(np.diag(rotation), np.trace(rotation))
    largest = int(np.argmax(diagonal))
    quaternion = np.empty(4)
    if largest == 3:
        quaternion[3] = 1 + diagonal[3]
        quaternion[0] = rotation[2, 1] - rotation[1, 2]
        quaternion[1] = rotation[0, 2] - rotation[2, 0]
        quaternion[2] = rotation[1, 0] - rotation[0, 1]
    else:
        i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
        quaternion[i] = 1 + 2 * rotation[i, i] - diagonal[3]
        quaternion[j] = rotation[j, i] + rotation[i, j]
        quaternion[k] = rotation[k, i] + rotation[i, k]
        quaternion[3] = rotation[k, j] - rotation[j, k]
    quaternion /= np.linalg.norm(quaternion)
    return -quaternion if quaternion[3] < 0 else quaternion


def pose_matrix(rotation: Array, translation: npt.ArrayLike) -> Array:
    """(4, 4): the rigid motion that rotates by (3, 3), then moves by (3,)."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = translation
    return matrix


def apply(matrix: Array, points: Array) -> Array:
    """(N, 3): points moved by a (4, 4) rigid motion."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]
