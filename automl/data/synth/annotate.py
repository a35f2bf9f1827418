"""A scene as the annotation that is stored beside its image."""

from typing import Any, Final

import numpy as np

from automl.data.geometry import apply
from automl.data.synth.bodies import Camera, LabelledBox
from automl.data.synth.scene import Scene
from automl.data.written import annotation_values, object_values

__all__ = ["annotation_of"]

_LEAST_VISIBLE: Final = 0.1
"""Objects seen less than this are not labelled, as in the format's own preparation."""
_PROVENANCE: Final = "automl-synth"


def annotation_of(scene: Scene, category: str) -> dict[str, Any]:
    """The JSON values of one image's annotation file."""
    camera = scene.camera
    labelled = [
        (box, visible)
        for box, visible in zip(scene.boxes, scene.visible, strict=True)
        if visible > _LEAST_VISIBLE
    ]
    ground = np.stack([camera.view[:3, 3], camera.view[:3, 1]])
    values = annotation_values(camera.intrinsics, camera.size, camera.view, ground)
    values["objects"] = [
        _object(camera, box, visible, f"{category}_{index}", category)
        for index, (box, visible) in enumerate(labelled)
    ]
    return values


def _object(
    camera: Camera, box: LabelledBox, visible: float, name: str, category: str
) -> dict[str, Any]:
    words = {"class": category, "name": name, "provenance": _PROVENANCE}
    rotation = camera.view[:3, :3] @ box.rotation
    location = apply(camera.view, box.middle[None])[0]
    seen = camera.intrinsics, camera.size
    values = object_values(words, rotation, location, box.scale, seen)
    values["visibility"] = float(visible)
    if category == "chair":
        values["symmetric"] = "False"
    return values
