"""What an annotation file says, as its writers put it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from automl.data.geometry import (
    Array,
    Intrinsics,
    box_keypoints,
    project,
    projection_of,
    quaternion_of,
    rotation_of,
)

__all__ = ["annotation_values", "object_values"]


def annotation_values(
    camera: Intrinsics, size: tuple[int, int], view: Array, ground: Array
) -> dict[str, Any]:
    """The JSON values of one image without objects.

    Args:
        camera: Its camera.
        size: Its width and height in pixels.
        view: (4, 4) from the world to the OpenGL camera frame of :mod:`automl.data.geometry`.
        ground: (2, 3) a point of the ground and its upward normal in that frame, in metres.
    """
    intrinsics = {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy}
    return {
        "camera_data": {
            "width": size[0],
            "height": size[1],
            "intrinsics": intrinsics,
            "camera_projection_matrix": projection_of(camera, size).tolist(),
            "camera_view_matrix": view.tolist(),
        },
        "AR_data": {"plane_center": ground[0].tolist(), "plane_normal": ground[1].tolist()},
        "objects": [],
    }


def object_values(
    words: Mapping[str, str],
    rotation: Array,
    location: Array,
    scale: Array,
    camera: tuple[Intrinsics, tuple[int, int]],
) -> dict[str, Any]:
    """The JSON values of one object; its visibility is the caller's to add.

    Args:
        words: Its ``class``, ``name`` and ``provenance``.
        rotation: (3, 3) from the object, y up, to the OpenGL camera frame.
        location: (3,) metres, the box's centre there.
        scale: (3,) edge lengths in metres.
        camera: The image's camera, and its width and height.
    """
    quaternion = quaternion_of(rotation)
    keypoints = box_keypoints(scale) @ rotation_of(quaternion).T + location
    projection = projection_of(*camera)
    return {
        **words,
        "projected_cuboid": project(keypoints, projection, *camera[1]).tolist(),
        "keypoints_3d": keypoints.tolist(),
        "scale": np.asarray(scale).tolist(),
        "location": location.tolist(),
        "quaternion_xyzw": quaternion.tolist(),
    }
