"""The objects found in one image, with or without poses, and their JSON form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from automl.centerpose.evaluation.detections import Detections, Poses
from automl.centerpose.evaluation.evaluator import detect
from automl.centerpose.evaluation.pnp import solve_poses
from automl.data.geometry import Array, quaternion_of

__all__ = ["FoundObject", "find", "to_json"]


@dataclass(frozen=True, slots=True, eq=False)
class FoundObject:
    """One object of one image.

    Attributes:
        points: (8, 2) pixels of the corners, as the network says them.
        box: (4,) left, top, right, bottom, pixels.
        scale: (3,) size along x, y (up) and z; relative to y, or metres.
        pose: Its pose, the one entry of these; None where none was asked for.
    """

    points: Array
    box: Array
    scale: Array
    pose: Poses | None


def find(
    pixels: Detections, threshold: float, intrinsic: Array | None, *, opencv: bool
) -> list[FoundObject]:
    """The objects of an image, best first.

    Args:
        pixels: Its detections, in pixels.
        threshold: Score that a detection must exceed.
        intrinsic: (3, 3) camera matrix; None asks for corners without poses. With a camera, a
            detection that has no pose is left out, as the container leaves it out.
        opencv: Poses in OpenCV's camera frame; else in that of annotations.
    """
    kept = detect(pixels, threshold)
    kept = kept.take(np.flatnonzero(np.isfinite(kept.scale).all(axis=1)))
    found = []
    for i in range(len(kept)):
        one = kept.take(np.array([i]))
        pose = None if intrinsic is None else solve_poses(one, intrinsic, opencv=opencv)
        if pose is None or len(pose):
            found.append(FoundObject(one.points[0], one.boxes[0], one.scale[0], pose))
    return found


def to_json(name: str, found: Sequence[FoundObject]) -> dict[str, Any]:
    """The container's JSON of one image; without poses, of each object only what needs none."""
    objects = [{"id": f"object_{k}", **_fields(each)} for k, each in enumerate(found)]
    return {"image_name": name, "objects": objects}


def _fields(found: FoundObject) -> dict[str, Any]:
    flat = {"relative_scale": found.scale.tolist(), "keypoints_2d": found.points.tolist()}
    pose = found.pose
    if pose is None:
        return flat
    return {
        "location": pose.translation[0].tolist(),
        "quaternion_xyzw": quaternion_of(pose.rotation[0]).tolist(),
        "projected_keypoints_2d": pose.projected[0].tolist(),
        "keypoints_3d": pose.keypoints_3d[0].tolist(),
        **flat,
    }
