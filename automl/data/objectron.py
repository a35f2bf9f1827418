"""Annotations of the Objectron layout, read into arrays.

One JSON file describes one image: its camera, the ground plane and the objects on it. Everything
in three dimensions is in the OpenGL camera frame of :mod:`automl.data.geometry`, in metres.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from automl.data.annotations import load_annotation
from automl.data.geometry import Array, Intrinsics
from automl.data.layout import Frame, list_frames

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
        visibility: Share of the object that can be seen, in [0, 1]; None where the file does not
            say.
        symmetric: Whether it looks the same from four sides; None where the file does not say.
    """

    category: str
    name: str
    projected_cuboid: Array
    keypoints_3d: Array
    scale: Array
    location: Array
    quaternion_xyzw: Array
    visibility: float | None
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


def read_annotation(path: Path) -> Annotation:
    """Reads one annotation file.

    Raises:
        FixData: The file cannot be read, is not JSON, or lacks a value that training needs, or
            holds one of the wrong shape; the error names file and key.
    """
    values, facts = load_annotation(path)
    if facts.problems:
        raise facts.problems[0].error()
    camera, plane = values["camera_data"], values["AR_data"]
    intrinsics = {key: float(camera["intrinsics"][key]) for key in ("fx", "fy", "cx", "cy")}
    return Annotation(
        width=int(camera["width"]),
        height=int(camera["height"]),
        **intrinsics,
        projection=_array(camera["camera_projection_matrix"]),
        view=_array(camera["camera_view_matrix"]),
        plane_center=_array(plane["plane_center"]),
        plane_normal=_array(plane["plane_normal"]),
        objects=tuple(map(_read_object, values["objects"])),
    )


def _read_object(item: Mapping[str, Any]) -> PoseObject:
    symmetric, visibility = item.get("symmetric"), item.get("visibility")
    return PoseObject(
        category=item["class"],
        name=item["name"],
        projected_cuboid=_array(item["projected_cuboid"]),
        keypoints_3d=_array(item["keypoints_3d"]),
        scale=_array(item["scale"]),
        location=_array(item["location"]),
        quaternion_xyzw=_array(item["quaternion_xyzw"]),
        visibility=None if visibility is None else float(visibility),
        symmetric=None if symmetric is None else _SYMMETRIC[symmetric],
    )


def _array(value: object) -> Array:
    return np.asarray(value, dtype=np.float64)
