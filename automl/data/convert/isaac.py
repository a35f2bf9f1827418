"""Isaac Sim's pose writer of Replicator: its own format, and what it writes for CenterPose.

Both hold the corners in the camera frame (the usual OpenGL one: x right, y up, z to the viewer) in
the stage's unit. The box is taken from them. ``location`` and the quaternions are not read:
versions of the writer multiply row-major matrices in the order of column-major ones there. What it
writes for DOPE has no corners in three dimensions and is read as such.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from automl.data.convert.axes import CV_FROM_GL, upright
from automl.data.convert.cuboid_fit import MOST_OFF_PX, box_of_corners, pixels_of
from automl.data.convert.frames import (
    BrokenFrame,
    FrameRef,
    SourceBox,
    SourceFrame,
    SourceOptions,
    camera_of,
    numbers,
)
from automl.data.convert.reading import (
    first_object,
    image_beside,
    json_frames,
    json_object,
    object_in,
    objects_in,
)
from automl.data.geometry import Array, Intrinsics, pose_matrix

__all__ = ["IsaacSource", "is_isaac"]

_CORNERS: Final = ("cuboid_keypoints_camera_frame", "keypoints_3d")
_PIXELS: Final = ("cuboid_keypoints_projected", "projected_cuboid")
_NAMES: Final = ("Center", "LDB", "LDF", "LUB", "LUF", "RDB", "RDF", "RUB", "RUF")
"""The writer's words for the centre and the corners in this package's order: left to right is x,
down to up is y, back to front is z."""
_UP: Final = "y"


def is_isaac(value: Mapping[str, Any]) -> bool:
    """Whether the JSON of a frame is the pose writer's, with corners in three dimensions."""
    first = first_object(value)
    return any(key in first for key in _CORNERS) and "AR_data" not in value


class IsaacSource:
    """A folder that the pose writer wrote.

    Args:
        root: The folder.
        options: What the user says of it.

    Raises:
        FixData: It holds no JSON file.
    """

    def __init__(self, root: Path, options: SourceOptions) -> None:
        self._refs = json_frames(root)
        self._up = options.up or _UP
        self._metres = options.metres

    def frames(self) -> Sequence[FrameRef]:
        """Every JSON file."""
        return self._refs

    def read(self, ref: FrameRef) -> SourceFrame:
        """One image with its labels.

        Raises:
            BrokenFrame: Image, camera or a box is missing or broken.
            FixData: The file cannot be read.
        """
        values = json_object(ref.path)
        camera = object_in(values, "camera_data", ref.path.name)
        inner = object_in(camera, "intrinsics", "camera_data")
        intrinsics = camera_of(*(inner.get(key) for key in ("fx", "fy", "cx", "cy")))
        metres = self._metres or _metres(camera)
        objects = objects_in(values.get("objects"), "objects")
        order = _order(values.get("keypoint_order"))
        boxes = tuple(self._box(item, order, intrinsics, metres) for item in objects)
        view = _view(camera, metres)
        return SourceFrame(image_beside(ref.path), intrinsics, boxes, view, size=_size(camera))

    def notes(self) -> Sequence[str]:
        """Nothing: the writer says all that is needed."""
        return ()

    def _box(
        self, item: Mapping[str, Any], order: list[int], camera: Intrinsics, metres: float
    ) -> SourceBox:
        key = next((key for key in _CORNERS if key in item), _CORNERS[0])
        corners = numbers(item.get(key), (9, 3), key)[order] @ CV_FROM_GL
        rotation, centre, size = box_of_corners(corners)
        stated = next((item[key] for key in _PIXELS if key in item), None)
        if stated is not None and (corners[:, 2] > 0).all():
            _compare(
                pixels_of(corners, camera), numbers(stated, (9, 2), "projected cuboid")[order]
            )
        kind = item.get("label", item.get("class"))
        if not isinstance(kind, str):
            raise BrokenFrame("an object must have a label", repr(kind)[:60])
        seen = item.get("visibility")
        share = float(seen) if isinstance(seen, int | float) and 0 <= seen <= 1 else None
        turned, sides = upright(rotation, size, self._up)
        return SourceBox(kind, turned, centre * metres, sides * metres, share)


def _metres(camera: Mapping[str, Any]) -> float:
    unit = "meters_per_scene_unit"
    metres = numbers(camera.get(unit, 1.0), (), unit).item()
    if not metres > 0:
        raise BrokenFrame(f"{unit} must be positive", f"{metres:g}")
    return float(metres)


def _order(names: Any) -> list[int]:
    """Where the writer put each of this package's corners."""
    if names is None:
        return list(range(len(_NAMES)))
    if not isinstance(names, list) or sorted(map(str, names)) != sorted(_NAMES):
        raise BrokenFrame("keypoint_order must name the nine keypoints", repr(names)[:60])
    return [names.index(name) for name in _NAMES]


def _compare(found: Array, stated: Array) -> None:
    off = float(np.sqrt(((found - stated) ** 2).sum(axis=1).mean()))
    if off > MOST_OFF_PX:
        raise BrokenFrame(
            "corners must show where the file says",
            f"{off:.0f} pixels off",
            "camera_data may be of another image",
        )


def _size(camera: Mapping[str, Any]) -> tuple[int, int] | None:
    stated = camera.get("resolution", [camera.get("width"), camera.get("height")])
    if stated == [None, None]:
        return None
    width, height = numbers(stated, (2,), "the resolution")
    return int(width), int(height)


def _view(camera: Mapping[str, Any], metres: float) -> Array | None:
    """World to camera; the file's matrix is for row vectors."""
    if "camera_view_matrix" not in camera:
        return None
    matrix = numbers(camera["camera_view_matrix"], (4, 4), "camera_view_matrix").T
    return pose_matrix(CV_FROM_GL @ matrix[:3, :3], CV_FROM_GL @ matrix[:3, 3] * metres)
