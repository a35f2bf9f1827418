from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from automl.data.geometry import (
    Array,
    Intrinsics,
    box_keypoints,
    project,
    projection_of,
    quaternion_of,
    rotation_about_y,
)
from automl.data.objectron import Annotation, PoseObject

if TYPE_CHECKING:
    from automl.centerpose.evaluation.detections import Detections

WIDTH, HEIGHT = 600, 800
CAMERA = Intrinsics(fx=640.0, fy=640.0, cx=305.0, cy=396.0)

MakeScene = Callable[..., Annotation]


def _object(rotation: Array, location: Array, scale: Array, visibility: float) -> PoseObject:
    points = box_keypoints(scale) @ rotation.T + location
    return PoseObject(
        category="cereal_box",
        name="cereal_box_0",
        projected_cuboid=project(points, projection_of(CAMERA, (WIDTH, HEIGHT)), WIDTH, HEIGHT),
        keypoints_3d=points,
        scale=scale,
        location=location,
        quaternion_xyzw=quaternion_of(rotation),
        visibility=visibility,
        symmetric=None,
    )


@pytest.fixture
def make_scene() -> MakeScene:
    """Scenes of boxes that stand on a plane before a camera which looks down on it."""

    def make(seed: int, n_objects: int = 1, visibility: float = 1.0) -> Annotation:
        rng = np.random.default_rng(seed)
        pitch = rng.uniform(0.3, 0.8)
        up = np.array([-np.cos(pitch), 0.0, np.sin(pitch)])
        right = np.array([0.0, 1.0, 0.0])
        frame = np.stack([right, up, np.cross(right, up)], axis=1)
        ground = np.array([0.0, 0.0, -rng.uniform(0.8, 1.1)])
        objects = []
        for place in range(n_objects):
            scale = rng.uniform(0.12, 0.32, size=3)
            offset = np.array([0.35 * (place - (n_objects - 1) / 2), 0.0, rng.uniform(-0.1, 0.1)])
            location = ground + frame @ offset + up * scale[1] / 2.0
            rotation = frame @ rotation_about_y(rng.uniform(-np.pi, np.pi))
            objects.append(_object(rotation, location, scale, visibility))
        return Annotation(
            width=WIDTH,
            height=HEIGHT,
            fx=CAMERA.fx,
            fy=CAMERA.fy,
            cx=CAMERA.cx,
            cy=CAMERA.cy,
            projection=projection_of(CAMERA, (WIDTH, HEIGHT)),
            view=np.eye(4),
            plane_center=ground,
            plane_normal=up,
            objects=tuple(objects),
        )

    return make


@pytest.fixture
def read_off() -> Callable[..., "Detections"]:
    """Detections that a network would give which knows the corners up to some pixels."""
    torch = pytest.importorskip("torch", reason="detections are tensors")
    from automl.centerpose.evaluation.detections import Detections, GroundTruth

    def read(
        scene: Annotation, rng: np.random.Generator | None = None, noise_px: float = 0.0
    ) -> Detections:
        truth = GroundTruth.of(scene)
        corners = truth.projected[:, 1:]
        rng = np.random.default_rng(0) if rng is None else rng
        points = corners + rng.normal(size=corners.shape) * noise_px
        boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        values = (
            rng.uniform(0.5, 1.0, size=len(truth)),
            boxes,
            (boxes[:, :2] + boxes[:, 2:]) / 2.0,
            points,
            truth.scale / truth.scale[:, 1:2],
        )
        return Detections(*(torch.from_numpy(value) for value in values))

    return read


@pytest.fixture
def camera() -> Intrinsics:
    """The camera of all scenes."""
    return CAMERA
