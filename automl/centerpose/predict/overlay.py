"""Boxes and axes drawn on an image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from automl.centerpose.predict.objects import DetectedObject, ObjectPose
from automl.data.geometry import CORNER_SIGNS, EDGES, GL_FROM_CV, Array
from automl.files import write_bytes

__all__ = ["draw", "write_image"]

Pixels = npt.NDArray[np.uint8]

_EDGE_BGR: Final = (80, 220, 80)
_CORNER_BGR: Final = (0, 200, 255)
_BOX_BGR: Final = (200, 200, 200)
_AXES_BGR: Final = ((60, 60, 255), (60, 255, 60), (255, 80, 60))  # x red, y green, z blue
_LIMIT_PX: Final = 30000  # OpenCV draws within 16 bits
_PER_STROKE_PX: Final = 400  # an image of this size has lines one pixel wide


def draw(image: Pixels, objects: Sequence[DetectedObject], intrinsic: Array | None) -> Pixels:
    """A copy of an image with the objects drawn on it.

    An object with a pose shows the box of its pose and its axes from the middle to the faces in
    front, x red, y green and z blue. One without shows the corners that the network says and the
    frame around it.

    Args:
        image: (H, W, 3) blue, green, red.
        objects: Its objects.
        intrinsic: (3, 3) camera matrix of the poses; None where there are none.
    """
    canvas = image.copy()
    width = max(1, max(image.shape[:2]) // _PER_STROKE_PX)
    for detected in objects:
        if detected.pose is None or intrinsic is None:
            low, high = _whole(detected.box.reshape(2, 2))
            cv2.rectangle(canvas, low, high, _BOX_BGR, width, cv2.LINE_AA)
            _draw_box(canvas, detected.points, width)
        else:
            _draw_box(canvas, detected.pose.projected[1:], width)
            _draw_axes(canvas, detected.pose, intrinsic, width + 1)
    return canvas


def write_image(path: Path, image: Pixels) -> None:
    """Writes an image in the format of its name, whole or not at all.

    Raises:
        OSError: It cannot be encoded.
    """
    encoded, content = cv2.imencode(path.suffix.lower(), image)
    if not encoded:
        raise OSError(f"the overlay cannot be encoded: {path}")
    write_bytes(path, content.tobytes())


def _draw_box(canvas: Pixels, corners: Array, width: int) -> None:
    places = _whole(corners)
    for a, b in EDGES:
        cv2.line(canvas, places[a], places[b], _EDGE_BGR, width, cv2.LINE_AA)
    for place in places:
        cv2.circle(canvas, place, 2 * width, _CORNER_BGR, -1, cv2.LINE_AA)


def _draw_axes(canvas: Pixels, pose: ObjectPose, intrinsic: Array, width: int) -> None:
    points = pose.keypoints_3d
    tips = np.array([points[1:][CORNER_SIGNS[:, axis] > 0.0].mean(axis=0) for axis in range(3)])
    ends = np.concatenate([points[:1], tips])
    if (ends[:, 2] < 0.0).all():
        ends = ends @ GL_FROM_CV.T  # poses in the frame of annotations look along -z
    if not (ends[:, 2] > 0.0).all():
        return
    image = ends @ intrinsic.T
    middle, *places = _whole(image[:, :2] / image[:, 2:])
    for place, colour in zip(places, _AXES_BGR, strict=True):
        cv2.arrowedLine(canvas, middle, place, colour, width, cv2.LINE_AA)


def _whole(points: Array) -> list[tuple[int, int]]:
    """Points as whole pixels that OpenCV can draw."""
    near = np.clip(np.rint(points), -_LIMIT_PX, _LIMIT_PX).astype(int)
    return [(int(x), int(y)) for x, y in near]
