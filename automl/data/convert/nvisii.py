"""DOPE's family: NVISII, BlenderProc, NDDS and FAT, and what Isaac Sim writes for DOPE.

A JSON file beside each image gives the pose in the OpenCV camera frame and the nine points of the
box as pixels, the centre last. The edge lengths follow from both; where the pose is missing, or
does not show the points where they are, it is found from the points and a size that is given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from automl.data.convert.axes import rotation_from, upright
from automl.data.convert.cuboid_fit import (
    FACE_BY_FACE,
    MIRRORED,
    MOST_OFF_PX,
    pixels_of,
    pose_by_pixels,
    size_by_pixels,
)
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
from automl.data.geometry import Array, Intrinsics

__all__ = ["NvisiiSource", "is_nvisii"]

_SETTINGS: Final = "_object_settings.json"
_CAMERAS: Final = "_camera_settings.json"
_NDDS_METRES: Final = 0.01
"""NDDS, whose settings have ``fixed_model_transform``, counts in centimetres."""
_Placed: TypeAlias = tuple[Array, Array, Array, float]
"""Rotation, centre and size of a box in metres, and by how many pixels it misses its points: the
root mean square, infinite where there is none."""

_SIGNS: Final[Mapping[str, int]] = {"L": -1, "R": 1, "D": -1, "U": 1, "B": -1, "F": 1}
_UP: Final = "z"
_NAMED_UP: Final = "y"
"""Where the file names its corners, as Isaac Sim does, up is y."""


def is_nvisii(value: Mapping[str, Any]) -> bool:
    """Whether the JSON of a frame is one of DOPE's family."""
    first = first_object(value)
    return "projected_cuboid" in first and "class" in first and "AR_data" not in value


class NvisiiSource:
    """A folder of JSON files with images.

    Args:
        root: The folder.
        options: What the user says of it.

    Raises:
        FixData: It holds no JSON file, or its settings are broken.
    """

    def __init__(self, root: Path, options: SourceOptions) -> None:
        self._refs = json_frames(root)
        settings = _settings(root)
        is_ndds = any("fixed_model_transform" in item for item in settings.values())
        self._metres = options.metres or (_NDDS_METRES if is_ndds else 1.0)
        self._up = options.up
        self._sizes = {
            kind: numbers(item["cuboid_dimensions"], (3,), "cuboid_dimensions") * self._metres
            for kind, item in settings.items()
            if "cuboid_dimensions" in item
        }
        self._said = {kind: np.array(size) for kind, size in options.sizes.items()}
        self._middle_taken = False

    def frames(self) -> Sequence[FrameRef]:
        """Every JSON file."""
        return self._refs

    def read(self, ref: FrameRef) -> SourceFrame:
        """One image with its labels.

        Raises:
            BrokenFrame: Image, camera or a box is missing or broken, or a pose and its points
                disagree.
            FixData: The file cannot be read.
        """
        values = json_object(ref.path)
        camera, size = self._camera(values, ref.path)
        objects = objects_in(values.get("objects"), "objects")
        orders = _orders(values.get("keypoint_order"))
        up = self._up or (_NAMED_UP if "keypoint_order" in values else _UP)
        boxes = tuple(self._box(item, orders, camera, up) for item in objects)
        return SourceFrame(image_beside(ref.path), camera, boxes, size=size)

    def notes(self) -> Sequence[str]:
        """Whether the camera was complete."""
        if not self._middle_taken:
            return ()
        return ["cx and cy are 0 in the files: the middle of the image is taken for them"]

    def _camera(
        self, values: Mapping[str, Any], path: Path
    ) -> tuple[Intrinsics, tuple[int, int] | None]:
        camera = values.get("camera_data")
        camera = camera if isinstance(camera, dict) else {}
        inner: Mapping[str, Any]
        if "intrinsics" in camera:
            inner = object_in(camera, "intrinsics", "camera_data")
            sides = [camera.get("width"), camera.get("height")]
        else:
            inner, sides = _shared_camera(path)
        known = camera_of(*(inner.get(key) for key in ("fx", "fy", "cx", "cy")))
        if None in sides:
            return known, None
        width, height = numbers(sides, (2,), "width and height")
        if known.cx == known.cy == 0:
            self._middle_taken = True
            known = replace(known, cx=float(width) / 2, cy=float(height) / 2)
        return known, (int(width), int(height))

    def _box(
        self, item: Mapping[str, Any], orders: Sequence[Array], camera: Intrinsics, up: str
    ) -> SourceBox:
        kind = item.get("class")
        if not isinstance(kind, str):
            raise BrokenFrame("an object must have a class", repr(kind)[:60])
        points, stated = _points(item), _stated(item, self._metres)
        said = self._said.get(kind)
        rotation, centre, size, off = _by_pose(points, orders[0], camera, stated, said)
        known = self._sizes.get(kind) if said is None else said
        if not off <= MOST_OFF_PX and known is not None:
            rotation, centre, size, off = _by_size(points, orders, camera, known)
        if not off <= MOST_OFF_PX:
            raise _disagreement(kind, stated is None, off, known)
        seen = item.get("visibility")
        share = float(seen) if isinstance(seen, int | float) and 0 <= seen <= 1 else None
        turned, sides = upright(rotation, size, up)
        return SourceBox(kind, turned, centre, sides, share)


def _orders(names: Any) -> Sequence[Array]:
    """The numberings that a file's corners may have: what it says, or those of the family."""
    if names is None:
        return FACE_BY_FACE, MIRRORED
    if not isinstance(names, list):
        raise BrokenFrame("keypoint_order must list the corners", repr(names)[:60])
    signs = [[_SIGNS.get(letter, 0) for letter in str(name)] for name in names if name != "Center"]
    return (numbers(signs, (8, 3), "keypoint_order"),)


def _by_pose(
    points: Array,
    order: Array,
    camera: Intrinsics,
    stated: tuple[Array, Array] | None,
    said: Array | None,
) -> _Placed:
    """The box at the pose that the file says.

    Args:
        points: (9, 2) its pixels, the centre first.
        order: (8, 3) signs of the corners.
        camera: The camera.
        stated: Rotation and centre as the file says; None where it says neither.
        said: (3,) its size as the user says; None for the one that fits best.
    """
    if stated is None or not stated[1][2] > 0:
        return np.eye(3), np.zeros(3), np.zeros(3), np.inf
    found = size_by_pixels(points[1:], order, camera, stated)
    size = np.abs(found) if said is None else said
    signed = np.where(found < 0, -size, size)
    off = _off(stated, signed * order / 2, camera, points) if size.min() > 0 else np.inf
    return *stated, size, off


def _by_size(points: Array, orders: Sequence[Array], camera: Intrinsics, size: Array) -> _Placed:
    """The box of a size at the pose that fits best, with whichever numbering fits better."""
    tried = [pose_by_pixels(points[1:], order, camera, size) for order in orders]
    rotation, centre, off = min(tried, key=lambda one: one[2])
    return rotation, centre, size, off


def _off(pose: tuple[Array, Array], corners: Array, camera: Intrinsics, points: Array) -> float:
    """Root mean square distance in pixels of centre and corners from where they should show."""
    rotation, centre = pose
    placed = np.vstack([centre, corners @ rotation.T + centre])
    if (placed[:, 2] <= 0).any():
        return np.inf
    apart = pixels_of(placed, camera) - points
    return float(np.sqrt((apart**2).sum(axis=1).mean()))


def _disagreement(kind: str, is_missing: bool, off: float, size: Array | None) -> BrokenFrame:
    far = f"{off:.0f} pixels off" if np.isfinite(off) else "a pose behind the camera"
    if size is not None:
        rule = f"projected_cuboid must be the box of {kind} at some pose"
        fix = "the size may be of another object, or along other axes"
        return BrokenFrame(rule, far, fix)
    rule = "location and quaternion_xyzw must show the box where projected_cuboid is"
    fix = f"with its size, --size {kind}=X,Y,Z in metres, the pose is found from the pixels"
    return BrokenFrame(rule, "neither" if is_missing else far, fix)


def _points(item: Mapping[str, Any]) -> Array:
    """(9, 2): the pixels of the centre, then of the corners."""
    points = item.get("projected_cuboid")
    if isinstance(points, list) and len(points) == len(FACE_BY_FACE):
        middle = item.get("projected_cuboid_centroid")
        corners = numbers(points, (8, 2), "projected_cuboid")
        return np.vstack([numbers(middle, (1, 2), "projected_cuboid_centroid"), corners])
    return np.roll(numbers(points, (9, 2), "projected_cuboid"), 1, axis=0)


def _stated(item: Mapping[str, Any], metres: float) -> tuple[Array, Array] | None:
    """Rotation and centre as the file says; None where it says neither."""
    location = item.get("cuboid_centroid", item.get("location"))
    quaternion = item.get("quaternion_xyzw")
    if location is None or quaternion is None:
        return None
    rotation = rotation_from(numbers(quaternion, (4,), "quaternion_xyzw"), "quaternion_xyzw")
    return rotation, numbers(location, (3,), "location") * metres


def _settings(root: Path) -> dict[str, dict[str, Any]]:
    """Class to what the folder's settings say of it."""
    path = next(iter(sorted(root.rglob(_SETTINGS))), None)
    items = json_object(path).get("exported_objects") if path else None
    items = items if isinstance(items, list) else []
    return {
        str(item["class"]): item for item in items if isinstance(item, dict) and "class" in item
    }


def _shared_camera(path: Path) -> tuple[Mapping[str, Any], list[Any]]:
    """Intrinsics and size from the settings of the folder, as NDDS leaves them."""
    settings = path.parent / _CAMERAS
    if not settings.is_file():
        rule = f"the camera must be in camera_data.intrinsics or in {_CAMERAS}"
        raise BrokenFrame(rule, "neither")
    cameras = json_object(settings).get("camera_settings")
    first = cameras[0] if isinstance(cameras, list) and cameras else None
    inner = object_in(first if isinstance(first, dict) else {}, "intrinsic_settings", _CAMERAS)
    size = first.get("captured_image_size") if isinstance(first, dict) else None
    size = size if isinstance(size, dict) else {}
    return inner, [size.get("width"), size.get("height")]
