"""A scene as the annotation that is stored beside its image."""

from typing import Any, Final

import numpy as np

from automl.data.geometry import apply, box_keypoints, project, quaternion_of, rotation_of
from automl.data.synth.bodies import Camera, LabelledBox
from automl.data.synth.scene import Scene

__all__ = ["annotation_of"]

_LEAST_VISIBLE: Final = 0.1
"""Objects seen less than this are not labelled, as in the format's own preparation."""
_PROVENANCE: Final = "automl-synth"


def annotation_of(scene: Scene, category: str) -> dict[str, Any]:
    """The JSON values of one image's annotation file."""
    camera = scene.camera
    intrinsics = camera.intrinsics
    width, height = camera.size
    up = camera.view[:3, 1]
    labelled = [
        (box, visible)
        for box, visible in zip(scene.boxes, scene.visible, strict=True)
        if visible > _LEAST_VISIBLE
    ]
    return {
        "camera_data": {
            "width": width,
            "height": height,
            "intrinsics": {
                "fx": intrinsics.fx,
                "fy": intrinsics.fy,
                "cx": intrinsics.cx,
                "cy": intrinsics.cy,
            },
            "camera_projection_matrix": camera.projection.tolist(),
            "camera_view_matrix": camera.view.tolist(),
        },
        "AR_data": {
            "plane_center": camera.view[:3, 3].tolist(),
            "plane_normal": up.tolist(),
        },
        "objects": [
            _object(camera, box, visible, f"{category}_{index}", category)
            for index, (box, visible) in enumerate(labelled)
        ],
    }


def _object(
    camera: Camera, box: LabelledBox, visible: float, name: str, category: str
) -> dict[str, Any]:
    quaternion = quaternion_of(camera.view[:3, :3] @ box.rotation)
    location = apply(camera.view, box.middle[None])[0]
    keypoints = box_keypoints(box.scale) @ rotation_of(quaternion).T + location
    values: dict[str, Any] = {
        "class": category,
        "name": name,
        "provenance": _PROVENANCE,
        "projected_cuboid": project(keypoints, camera.projection, *camera.size).tolist(),
        "keypoints_3d": keypoints.tolist(),
        "scale": np.asarray(box.scale).tolist(),
        "location": location.tolist(),
        "quaternion_xyzw": quaternion.tolist(),
        "visibility": float(visible),
    }
    if category == "chair":
        values["symmetric"] = "False"
    return values
