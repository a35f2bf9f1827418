"""The objects detected in images, with or without poses, and their JSON form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from automl.centerpose.evaluation.detections import Detections, Poses
from automl.centerpose.evaluation.pnp import solve_poses
from automl.centerpose.evaluation.suppress import detect
from automl.centerpose.predict.scale import Scale
from automl.data.geometry import Array, quaternion_of

__all__ = ["DetectedObject", "ObjectPose", "detect_objects", "to_json"]


@dataclass(frozen=True, slots=True, eq=False)
class ObjectPose:
    """The pose of one object.

    Attributes:
        rotation: (3, 3) object to camera.
        translation: (3,) object to camera, in the unit of the object's scale.
        keypoints_3d: (9, 3) centre and corners in the camera's frame.
        projected: (9, 2) their pixels; row 0 is the mean of the other eight.
    """

    rotation: Array
    translation: Array
    keypoints_3d: Array
    projected: Array


@dataclass(frozen=True, slots=True, eq=False)
class DetectedObject:
    """One object of one image.

    Attributes:
        points: (8, 2) pixels of the corners, as the network says them.
        box: (4,) left, top, right, bottom, pixels.
        scale: (3,) size along x, y (up) and z; relative to y, or metres.
        pose: Its pose; None where none was asked for.
    """

    points: Array
    box: Array
    scale: Array
    pose: ObjectPose | None


def detect_objects(
    pixels: Detections,
    threshold: float,
    cameras: Sequence[Array] | None,
    *,
    opencv: bool,
    scale: Scale,
) -> list[list[DetectedObject]]:
    """The objects of each image of a batch, best first.

    Args:
        pixels: (B, K) detections, in pixels.
        threshold: Score that a detection must exceed.
        cameras: A camera matrix (3, 3) for each image; None asks for corners without poses. With
            cameras, a detection that has no pose is left out, as the container leaves it out.
        opencv: Poses in OpenCV's camera frame; else in that of annotations.
        scale: Known edges take the place of the proportions that the network says.
    """
    detected = detect(pixels, threshold)
    finite = detected.detections.scale.isfinite().all(dim=1).nonzero()[:, 0]
    kept, image = scale.shaped(detected.detections.take(finite)), detected.image[finite]
    poses: list[ObjectPose] | list[None] = [None] * len(kept)
    if cameras is not None:
        matrices = torch.tensor([camera.tolist() for camera in cameras], dtype=torch.float64)
        solved, rows = solve_poses(kept, matrices.to(image.device)[image], opencv=opencv)
        kept, image, poses = kept.take(rows), image[rows], _poses(solved)
    boxes, points, edges = (_array(values) for values in (kept.boxes, kept.points, kept.scale))
    objects: list[list[DetectedObject]] = [[] for _ in range(len(pixels))]
    for k, number in enumerate(image.tolist()):
        objects[number].append(DetectedObject(points[k], boxes[k], edges[k], poses[k]))
    return objects


def _poses(poses: Poses) -> list[ObjectPose]:
    fields = (poses.rotation, poses.translation, poses.keypoints_3d, poses.projected)
    return [ObjectPose(*row) for row in zip(*(_array(values) for values in fields), strict=True)]


def _array(values: torch.Tensor) -> Array:
    return values.double().cpu().numpy()


def to_json(name: str, objects: Sequence[DetectedObject], scale: Scale) -> dict[str, Any]:
    """The container's JSON of one image; without poses, of each object only what needs none.

    To it come ``scale``, what the unit of lengths follows from, and where that is known
    ``size_m``, ``location_m`` and ``keypoints_3d_m`` of each object, in metres.
    """
    listed = [
        {"id": f"object_{k}", **_fields(detected), **_in_metres(detected, scale)}
        for k, detected in enumerate(objects)
    ]
    return {"image_name": name, "scale": scale.to_json(), "objects": listed}


def _in_metres(detected: DetectedObject, scale: Scale) -> dict[str, Any]:
    factor = scale.metres_per_unit(float(detected.scale[1]))
    if factor is None:
        return {}
    pose = detected.pose
    posed = (
        {}
        if pose is None
        else {
            "location_m": (factor * pose.translation).tolist(),
            "keypoints_3d_m": (factor * pose.keypoints_3d).tolist(),
        }
    )
    return {"size_m": (factor * detected.scale).tolist(), **posed}


def _fields(detected: DetectedObject) -> dict[str, Any]:
    flat = {"relative_scale": detected.scale.tolist(), "keypoints_2d": detected.points.tolist()}
    pose = detected.pose
    if pose is None:
        return flat
    return {
        "location": pose.translation.tolist(),
        "quaternion_xyzw": quaternion_of(pose.rotation).tolist(),
        "projected_keypoints_2d": pose.projected.tolist(),
        "keypoints_3d": pose.keypoints_3d.tolist(),
        **flat,
    }
