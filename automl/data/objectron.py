"""Annotations of the Objectron layout, read into arrays.

One JSON file describes one image: its camera, the ground plane and the objects on it. Everything
in three dimensions is in the OpenGL camera frame of :mod:`automl.data.geometry`, in metres.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from automl.data.geometry import Array, Intrinsics
from automl.data.layout import Frame, list_frames
from automl.errors import FixInput
from automl.jsontext import read_json

__all__ = ["Annotation", "Frame", "PoseObject", "list_frames", "read_annotation"]

_SYMMETRIC: Final[Mapping[Any, bool]] = {"True": True, "False": False, True: True, False: False}


@dataclass(frozen=True, slots=True, eq=False)
class PoseObject:
    """One annotated object.

    Attributes:
        category: The class it belongs to, such as ``cereal_box``.
        name: Its name within the sequence.
        projected_cuboid: (9, 2) pixels, centre first, then the corners in their order.
        keypoints_3d: (9, 3) metres, likewise; z is negative in front of the camera.
        scale: (3,) edge lengths in metres along x, y (up) and z.
        location: (3,) metres, the centre of the box.
        quaternion_xyzw: (4,) the rotation from the object's frame to the camera's.
        visibility: Share of the object that can be seen, in [0, 1].
        symmetric: Whether it looks the same from four sides; None where the file does not say.
    """

    category: str
    name: str
    projected_cuboid: Array
    keypoints_3d: Array
    scale: Array
    location: Array
    quaternion_xyzw: Array
    visibility: float
    symmetric: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """What is known of one image.

    Attributes:
        width: Of the image, in pixels.
        height: Of the image, in pixels.
        fx: Focal length along x, in pixels.
        fy: Focal length along y, in pixels.
        cx: x of the principal point, in pixels.
        cy: y of the principal point, in pixels.
        projection: (4, 4) OpenGL projection matrix.
        view: (4, 4) world to camera.
        plane_center: (3,) a point of the ground plane, in metres.
        plane_normal: (3,) its upward normal.
        objects: The objects, in the order of the file; possibly none.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    projection: Array
    view: Array
    plane_center: Array
    plane_normal: Array
    objects: tuple[PoseObject, ...]

    @property
    def intrinsics(self) -> Intrinsics:
        """The camera, for the functions of :mod:`automl.data.geometry`."""
        return Intrinsics(self.fx, self.fy, self.cx, self.cy)


class _Fields:
    """Reads checked values out of one file's JSON, so that each error names file and key."""

    def __init__(self, path: Path, values: object, prefix: str = "") -> None:
        if not isinstance(values, dict):
            raise FixInput(
                "an annotation is a JSON object with camera_data, AR_data and objects",
                got=f"{type(values).__name__} at {prefix or 'the top'}",
                where=str(path),
            )
        self._path = path
        self._values: dict[str, Any] = values
        self._prefix = prefix

    def inner(self, key: str) -> "_Fields":
        return _Fields(self._path, self._get(key), f"{self._prefix}{key}.")

    def each(self, key: str) -> "list[_Fields]":
        values = self._get(key)
        if not isinstance(values, list):
            raise self._broken(key, "a list", type(values).__name__)
        place = f"{self._prefix}{key}"
        return [_Fields(self._path, value, f"{place}[{i}].") for i, value in enumerate(values)]

    def array(self, key: str, *shape: int) -> Array:
        values = self._get(key)
        try:
            array = np.asarray(values, dtype=np.float64)
        except (ValueError, TypeError):
            raise self._broken(key, f"numbers of shape {shape}", "something else") from None
        if array.shape != shape:
            raise self._broken(key, f"of shape {shape}", f"shape {array.shape}")
        if not np.isfinite(array).all():
            raise self._broken(key, "finite", "a value that is NaN or infinite")
        return array

    def number(self, key: str) -> float:
        return float(self.array(key))

    def text(self, key: str) -> str:
        return str(self._get(key))

    def optional_flag(self, key: str) -> bool | None:
        value = self._values.get(key)
        if value is None:
            return None
        if value not in _SYMMETRIC:
            raise self._broken(key, "'True' or 'False'", repr(value))
        return _SYMMETRIC[value]

    def _get(self, key: str) -> Any:
        if key not in self._values:
            raise self._broken(key, "present", "no such key")
        return self._values[key]

    def _broken(self, key: str, rule: str, got: str) -> FixInput:
        return FixInput(f"{self._prefix}{key} must be {rule}", got=got, where=str(self._path))


def read_annotation(path: Path) -> Annotation:
    """Reads one annotation file.

    Raises:
        FixInput: The file cannot be read, is not JSON, or lacks a value that training or
            evaluation needs, or holds one of the wrong shape; the error names file and key.
    """
    top = _Fields(path, _load(path))
    camera = top.inner("camera_data")
    intrinsics = camera.inner("intrinsics")
    plane = top.inner("AR_data")
    return Annotation(
        width=int(camera.number("width")),
        height=int(camera.number("height")),
        fx=intrinsics.number("fx"),
        fy=intrinsics.number("fy"),
        cx=intrinsics.number("cx"),
        cy=intrinsics.number("cy"),
        projection=camera.array("camera_projection_matrix", 4, 4),
        view=camera.array("camera_view_matrix", 4, 4),
        plane_center=plane.array("plane_center", 3),
        plane_normal=plane.array("plane_normal", 3),
        objects=tuple(_read_object(fields) for fields in top.each("objects")),
    )


def _load(path: Path) -> object:
    try:
        return read_json(path)
    except OSError as error:
        raise FixInput(
            "an annotation can be read", got=str(error.strerror), where=str(path)
        ) from error
    except ValueError as error:
        raise FixInput("an annotation is JSON", got=str(error), where=str(path)) from error


def _read_object(fields: _Fields) -> PoseObject:
    return PoseObject(
        category=fields.text("class"),
        name=fields.text("name"),
        projected_cuboid=fields.array("projected_cuboid", 9, 2),
        keypoints_3d=fields.array("keypoints_3d", 9, 3),
        scale=fields.array("scale", 3),
        location=fields.array("location", 3),
        quaternion_xyzw=fields.array("quaternion_xyzw", 4),
        visibility=fields.number("visibility"),
        symmetric=fields.optional_flag("symmetric"),
    )
