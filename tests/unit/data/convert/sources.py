"""One synthetic scene, written in every format that can be converted."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from scipy.io import savemat

from automl.data.convert.axes import UP_AXES
from automl.data.convert.cuboid_fit import FACE_BY_FACE, pixels_of
from automl.data.convert.objectron_messages import sequence_message
from automl.data.geometry import (
    CORNER_SIGNS,
    GL_FROM_CV,
    Array,
    Intrinsics,
    pose_matrix,
    quaternion_of,
    rotation_of,
)
from automl.data.layout import list_frames
from automl.data.objectron import Annotation, read_annotation

__all__ = ["WRITERS", "KnownBox", "KnownFrame", "known_frames"]

#: Where a model's origin lies from the middle of its box, in metres, in formats that allow it.
_OFF_CENTRE: Final = np.array([0.013, -0.02, 0.031])
_NAME: Final = "003_cracker_box"


@dataclass(frozen=True, slots=True, eq=False)
class KnownBox:
    """An object in the OpenCV camera frame, y up, in metres."""

    rotation: Array
    centre: Array
    size: Array
    visibility: float

    def in_frame(self, up: str) -> tuple[Array, Array]:
        """Rotation and size in an object frame in which another axis points up."""
        turn = UP_AXES[up]
        return self.rotation @ turn, np.abs(turn.T) @ self.size

    def points(self, up: str, order: Array) -> Array:
        """(9, 3): the centre, then the corners with these signs in that frame."""
        rotation, size = self.in_frame(up)
        return np.vstack([self.centre, order * size / 2 @ rotation.T + self.centre])


@dataclass(frozen=True, slots=True, eq=False)
class KnownFrame:
    """An image with its truth."""

    image: Path
    truth: Annotation
    boxes: tuple[KnownBox, ...]

    @property
    def camera(self) -> Intrinsics:
        return self.truth.intrinsics

    @property
    def view(self) -> Array:
        """(4, 4): from the world to the OpenCV camera frame."""
        return pose_matrix(GL_FROM_CV, np.zeros(3)) @ self.truth.view

    @property
    def size(self) -> tuple[int, int]:
        return self.truth.width, self.truth.height


def known_frames(split: Path) -> list[KnownFrame]:
    """The frames of a synthetic split."""
    frames = []
    for frame in list_frames(split):
        truth = read_annotation(frame.annotation)
        boxes = [
            KnownBox(
                GL_FROM_CV @ rotation_of(item.quaternion_xyzw),
                GL_FROM_CV @ item.location,
                item.scale,
                float(item.visibility or 0.0),
            )
            for item in truth.objects
        ]
        frames.append(KnownFrame(frame.image, truth, tuple(boxes)))
    return frames


def write_bop(
    root: Path, frames: list[KnownFrame], models: Mapping[str, Any] | None = None
) -> Path:
    """A data set with one scene in a split ``train_pbr``."""
    scene = root / "train_pbr" / "000001"
    (scene / "rgb").mkdir(parents=True)
    cameras, poses, infos = {}, {}, {}
    for number, frame in enumerate(frames):
        shutil.copy(frame.image, scene / "rgb" / f"{number:06d}.jpg")
        cameras[str(number)] = {
            "cam_K": frame.camera.matrix().ravel().tolist(),
            "cam_R_w2c": frame.view[:3, :3].ravel().tolist(),
            "cam_t_w2c": (1000 * frame.view[:3, 3]).tolist(),
        }
        poses[str(number)] = [_bop_pose(box) for box in frame.boxes]
        infos[str(number)] = [{"visib_fract": box.visibility} for box in frame.boxes]
    for name, value in (("gt", poses), ("camera", cameras), ("gt_info", infos)):
        (scene / f"scene_{name}.json").write_text(json.dumps(value))
    (root / "models").mkdir()
    size = 1000 * frames[0].boxes[0].in_frame("z")[1]
    low = 1000 * _OFF_CENTRE - size / 2
    entry = {f"min_{axis}": value for axis, value in zip("xyz", low.tolist(), strict=True)}
    entry |= {f"size_{axis}": value for axis, value in zip("xyz", size.tolist(), strict=True)}
    info = {"5": {"diameter": 1.0, **entry, **(models or {})}}
    (root / "models" / "models_info.json").write_text(json.dumps(info))
    return root / "train_pbr"


def _bop_pose(box: KnownBox) -> dict[str, Any]:
    rotation, _ = box.in_frame("z")
    moved = 1000 * (box.centre - rotation @ _OFF_CENTRE)
    return {"cam_R_m2c": rotation.ravel().tolist(), "cam_t_m2c": moved.tolist(), "obj_id": 5}


def write_dope(root: Path, frames: list[KnownFrame]) -> Path:
    """What NVISII's scripts write."""
    return _write_dope(root, frames, FACE_BY_FACE, 1.0)


def write_blenderproc(root: Path, frames: list[KnownFrame]) -> Path:
    """The mirrored numbering of BlenderProc's script."""
    return _write_dope(root, frames, FACE_BY_FACE * [1, -1, 1], 1.0)


def write_ndds(root: Path, frames: list[KnownFrame]) -> Path:
    """Centimetres, eight corners and a camera for the whole folder, as NDDS leaves them."""
    _write_dope(root, frames, FACE_BY_FACE, 100.0)
    for path in sorted(root.glob("0*")):
        path = path.rename(path.with_name(f"{path.stem}.left{path.suffix}"))
        if path.suffix != ".json":
            continue
        value = json.loads(path.read_text())
        del value["camera_data"]
        for item in value["objects"]:
            item["projected_cuboid_centroid"] = item["projected_cuboid"].pop()
        path.write_text(json.dumps(value))
    camera, (width, height) = frames[0].camera, frames[0].size
    inner = {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy}
    size = {"width": width, "height": height}
    settings = [{"name": "left", "intrinsic_settings": inner, "captured_image_size": size}]
    (root / "_camera_settings.json").write_text(json.dumps({"camera_settings": settings}))
    kinds = [{"class": _NAME, "fixed_model_transform": np.eye(4).tolist()}]
    (root / "_object_settings.json").write_text(json.dumps({"exported_objects": kinds}))
    return root


def _write_dope(root: Path, frames: list[KnownFrame], order: Array, unit: float) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        shutil.copy(frame.image, root / f"{number:06d}.jpg")
        objects = []
        for box in frame.boxes:
            pixels = pixels_of(box.points("z", order), frame.camera)
            objects.append({
                "class": _NAME,
                "name": f"{_NAME}_0",
                "location": (unit * box.centre).tolist(),
                "quaternion_xyzw": quaternion_of(box.in_frame("z")[0]).tolist(),
                "projected_cuboid": [*pixels[1:].tolist(), pixels[0].tolist()],
                "visibility": box.visibility,
            })  # fmt: skip
        value = {"camera_data": _camera_data(frame), "objects": objects}
        (root / f"{number:06d}.json").write_text(json.dumps(value))
    return root


def _camera_data(frame: KnownFrame) -> dict[str, Any]:
    camera = frame.camera
    inner = {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy}
    return {"width": frame.size[0], "height": frame.size[1], "intrinsics": inner}


def write_isaac(root: Path, frames: list[KnownFrame]) -> Path:
    """The pose writer's own format, on a stage in centimetres."""
    return _write_isaac(root, frames, 100.0)


def write_isaac_centerpose(root: Path, frames: list[KnownFrame]) -> Path:
    """What the pose writer writes for CenterPose."""
    return _write_isaac(root, frames, None)


def _write_isaac(root: Path, frames: list[KnownFrame], unit: float | None) -> Path:
    root.mkdir(parents=True)
    names = ["Center", "LDB", "LDF", "LUB", "LUF", "RDB", "RDF", "RUB", "RUF"]
    for number, frame in enumerate(frames):
        shutil.copy(frame.image, root / f"{number:04d}.jpg")
        camera = _camera_data(frame)
        view = pose_matrix(np.diag([1.0, -1.0, -1.0]), np.zeros(3)) @ frame.view
        view[:3, 3] *= unit or 1.0
        camera["camera_view_matrix"] = view.T.tolist()  # for row vectors
        if unit is not None:
            camera["meters_per_scene_unit"] = 1 / unit
            camera["resolution"] = [camera.pop("width"), camera.pop("height")]
        objects = []
        for box in frame.boxes:
            points = box.points("y", CORNER_SIGNS)
            corners = (unit or 1.0) * points * [1, -1, -1]
            pixels = pixels_of(points, frame.camera).tolist()
            item: dict[str, Any] = {"label": _NAME, "visibility": box.visibility}
            if unit is None:
                item |= {"keypoints_3d": corners.tolist(), "projected_cuboid": pixels}
                item |= {"location": [9.0, 9.0, 9.0], "quaternion_xyzw": [0.0, 0.0, 0.0, 1.0]}
            else:
                item["cuboid_keypoints_camera_frame"] = corners.tolist()
                item["cuboid_keypoints_projected"] = pixels
            objects.append(item)
        value = {"camera_data": camera, "keypoint_order": names, "objects": objects}
        (root / f"{number:04d}.json").write_text(json.dumps(value))
    return root


def write_isaac_dope(root: Path, frames: list[KnownFrame]) -> Path:
    """What the pose writer writes for DOPE: named corners, and a pose that is not the box's."""
    root.mkdir(parents=True)
    names = ["LUF", "RUF", "RDF", "LDF", "LUB", "RUB", "RDB", "LDB"]
    letters = {"L": -1, "R": 1, "D": -1, "U": 1, "B": -1, "F": 1}
    order = np.array([[letters[letter] for letter in name] for name in names], dtype=np.float64)
    for number, frame in enumerate(frames):
        shutil.copy(frame.image, root / f"{number:04d}.jpg")
        objects = []
        for box in frame.boxes:
            pixels = pixels_of(box.points("y", order), frame.camera)
            objects.append({
                "class": _NAME,
                "visibility": box.visibility,
                "location": (box.centre * [1, -1, -1]).tolist(),
                "quaternion_xyzw": [0.0, 0.0, 0.0, 1.0],
                "projected_cuboid": [*pixels[1:].tolist(), pixels[0].tolist()],
            })  # fmt: skip
        value = {"camera_data": _camera_data(frame), "objects": objects}
        value["keypoint_order"] = [*names, "Center"]
        (root / f"{number:04d}.json").write_text(json.dumps(value))
    return root


def write_ycb(root: Path, frames: list[KnownFrame]) -> Path:
    """A set with one sequence ``0000``."""
    folder = root / "data" / "0000"
    folder.mkdir(parents=True)
    model = root / "models" / _NAME
    model.mkdir(parents=True)
    size = frames[0].boxes[0].in_frame("z")[1]
    grid = np.vstack([CORNER_SIGNS * size / 2, CORNER_SIGNS * size / 5]) + _OFF_CENTRE
    np.savetxt(model / "points.xyz", grid)
    for number, frame in enumerate(frames, start=1):
        stem = folder / f"{number:06d}"
        shutil.copy(frame.image, f"{stem}-color.jpg")
        poses = []
        seen = np.zeros(frame.size[::-1], np.uint8)
        for box in frame.boxes:
            rotation, _ = box.in_frame("z")
            poses.append(np.column_stack([rotation, box.centre - rotation @ _OFF_CENTRE]))
            outline = pixels_of(box.points("z", CORNER_SIGNS)[1:], frame.camera)
            cv2.fillConvexPoly(seen, cv2.convexHull(outline.astype(np.int32)), 3)
        meta = {
            "cls_indexes": np.full((len(poses), 1), 3),
            "poses": np.stack(poses, axis=2) if len(poses) > 1 else poses[0],
            "intrinsic_matrix": frame.camera.matrix(),
            "factor_depth": 10000,
        }
        savemat(f"{stem}-meta.mat", meta)
        cv2.imwrite(f"{stem}-label.png", seen)
        lines = [f"{_NAME} 0 0 10 10\n" for _ in poses]
        Path(f"{stem}-box.txt").write_text("".join(lines))
    return root / "data"


def write_objectron(root: Path, frames: list[KnownFrame], factor: float = 1.0) -> Path:
    """An annotation file and its video, in folders as they are published.

    The camera is that of images larger by a factor.
    """
    path = root / "annotations" / "cereal_box" / "batch-1" / "3.pbdata"
    video = root / "videos" / "cereal_box" / "batch-1" / "3" / "video.mp4"
    for file in (path, video):
        file.parent.mkdir(parents=True)
    width, height = frames[0].size
    code = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(video), code, 10.0, (width, height))
    sequence = sequence_message()()
    first = frames[0].boxes[0]
    sequence.objects.add(id=7, category="cereal_box", scale=first.size.tolist())
    for number, frame in enumerate(frames):
        writer.write(cv2.imread(str(frame.image)))
        _add_objectron_frame(sequence.frame_annotations.add(frame_id=number), frame, factor)
    writer.release()
    path.write_bytes(sequence.SerializeToString())
    return root


def _add_objectron_frame(added: Any, frame: KnownFrame, factor: float) -> None:
    (width, height), camera = frame.size, frame.camera
    sensor = np.array([[camera.fy, 0, camera.cy], [0, camera.fx, camera.cx], [0, 0, 1]])
    added.camera.image_resolution_width = round(height * factor)
    added.camera.image_resolution_height = round(width * factor)
    sensor[:2] *= factor
    added.camera.intrinsics.extend(sensor.ravel().tolist())
    added.camera.view_matrix.extend(frame.truth.view.ravel().tolist())
    added.plane_center.extend(frame.truth.plane_center.tolist())
    added.plane_normal.extend(frame.truth.plane_normal.tolist())
    for item in frame.truth.objects:
        known = added.annotations.add(object_id=7, visibility=item.visibility)
        pairs = zip(item.keypoints_3d, item.projected_cuboid, strict=True)
        for number, ((x, y, z), (u, v)) in enumerate(pairs):
            point = known.keypoints.add(id=number)
            point.point_3d.x, point.point_3d.y, point.point_3d.z = x, y, z
            point.point_2d.x, point.point_2d.y = u / width, v / height


#: Format's variant to the format, its writer, and what its objects are called there.
WRITERS: Final[Mapping[str, tuple[str, Callable[[Path, list[KnownFrame]], Path], str]]] = {
    "bop": ("bop", write_bop, "obj_000005"),
    "nvisii": ("dope", write_dope, _NAME),
    "blenderproc": ("dope", write_blenderproc, _NAME),
    "ndds": ("dope", write_ndds, _NAME),
    "isaac": ("isaac", write_isaac, _NAME),
    "isaac-dope": ("dope", write_isaac_dope, _NAME),
    "isaac-centerpose": ("isaac", write_isaac_centerpose, _NAME),
    "ycb": ("ycb", write_ycb, _NAME),
    "objectron": ("objectron", write_objectron, "cereal_box"),
}
