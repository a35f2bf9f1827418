"""How much of each labelled box can be seen."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.data.opencv import cv2
from automl.data.synth.bodies import Body, Camera, LabelledBox, Prism

__all__ = ["outline", "visibilities"]

_STEP: Final = 4
"""Areas are counted on a grid of every fourth pixel: one per cent of a usual box."""


def outline(camera: Camera, body: Body) -> npt.NDArray[np.float32]:
    """(N, 2): pixels of the convex outline of a body that stands before the camera."""
    hull: npt.NDArray[np.float32] = cv2.convexHull(camera.pixels(body.vertices).astype(np.float32))
    return hull[:, 0]


def visibilities(
    camera: Camera, boxes: Sequence[LabelledBox], clutter: Sequence[Prism]
) -> tuple[float, ...]:
    """The share of each box's outline that lies in the image with nothing before it, in [0, 1].

    The whole outline is counted on a canvas three times the image's width and height, so that
    what the border cuts off counts as hidden.
    """
    bodies: list[Body] = [*boxes, *clutter]
    bodies.sort(key=lambda body: -body.nearness(camera))
    width, height = (side // _STEP for side in camera.size)
    image = np.zeros((height, width), dtype=np.uint8)
    marks = {id(box): mark for mark, box in enumerate(boxes, start=1)}
    outlines = {id(body): outline(camera, body) / _STEP for body in bodies}
    for body in bodies:
        mark = marks.get(id(body), 255)
        cv2.fillConvexPoly(image, outlines[id(body)].round().astype(np.int32), mark)
    shares = []
    for box in boxes:
        whole = np.zeros((3 * height, 3 * width), dtype=np.uint8)
        moved = (outlines[id(box)].round() + np.array([width, height])).astype(np.int32)
        cv2.fillConvexPoly(whole, moved, 1)
        seen = cv2.countNonZero((image == marks[id(box)]).astype(np.uint8))
        shares.append(seen / max(1, cv2.countNonZero(whole)))
    return tuple(shares)
