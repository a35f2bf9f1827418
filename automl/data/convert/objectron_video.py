"""Objectron's own files: an annotation file (``.pbdata``) with the video that it labels.

The camera frame of the annotations is the one of this package's layout, in metres, and the corners
are in its order. Frames are taken from the video (or from a folder of images numbered like it) and
stored with 800 pixels on the longer side, as the layout's own preparation does.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from automl.data.convert.cuboid_fit import MOST_OFF_PX, box_of_corners, pixels_of
from automl.data.convert.frames import (
    BrokenFrame,
    FrameRef,
    Pixels,
    SourceBox,
    SourceFrame,
    SourceOptions,
    camera_of,
    numbers,
)
from automl.data.convert.objectron_messages import parse_sequence
from automl.data.convert.video import VideoReader
from automl.data.geometry import GL_FROM_CV, Array, Intrinsics, pose_matrix
from automl.data.opencv import cv2, decoded
from automl.errors import FixData

__all__ = ["ObjectronSource", "is_objectron"]

_SUFFIX: Final = ".pbdata"
_GEOMETRY: Final = "geometry.pbdata"
_VIDEOS: Final = (".MOV", ".mov", ".mp4", ".MP4")
_IMAGES: Final = (".jpg", ".jpeg", ".png")
_LONGER_SIDE_PX: Final = 800


def is_objectron(root: Path) -> bool:
    """Whether a folder holds annotation files of Objectron's."""
    return any(path.name != _GEOMETRY for path in root.rglob(f"*{_SUFFIX}"))


class ObjectronSource:
    """Annotation files below a folder.

    Args:
        root: The folder.
        options: What the user says of it; up and unit are known.

    Raises:
        FixData: It holds none.
    """

    def __init__(self, root: Path, options: SourceOptions) -> None:
        paths = sorted(path for path in root.rglob(f"*{_SUFFIX}") if path.name != _GEOMETRY)
        if not paths:
            raise FixData(
                "Objectron's annotations must end in .pbdata", got="none", where=str(root)
            )
        self._root = root
        self._paths = paths
        self._videos = VideoReader()
        self._sequence = lru_cache(maxsize=1)(_sequence)
        self._numbered = lru_cache(maxsize=2)(_numbered)
        del options

    def frames(self) -> Sequence[FrameRef]:
        """Every annotated frame."""
        refs = []
        for path in self._paths:
            parts = path.relative_to(self._root).with_suffix("").parts
            name = "-".join(parts)
            try:
                ids = [frame.frame_id for frame in self._sequence(path).frame_annotations]
            except FixData:
                ids = [0]  # one frame, which is broken when it is read
            refs += [FrameRef(name, f"{number:05d}", path, k) for k, number in enumerate(ids)]
        return refs

    def read(self, ref: FrameRef) -> SourceFrame:
        """One frame of a video with its labels.

        Raises:
            BrokenFrame: The video, the camera or a box is missing or broken.
            FixData: The annotation file cannot be read.
        """
        sequence = self._sequence(ref.path)
        frame = sequence.frame_annotations[ref.number]
        camera = frame.camera
        landscape = camera.image_resolution_width, camera.image_resolution_height
        if min(landscape) <= 0:
            raise BrokenFrame("a frame must say its camera's resolution", "none")
        image = _portrait(self._pixels(ref.path, frame.frame_id), landscape)
        height, width = image.shape[:2]
        intrinsics = _intrinsics(
            numbers(list(camera.intrinsics), (3, 3), "intrinsics"), height / landscape[0]
        )
        names = {item.id: item.category for item in sequence.objects}
        boxes = [
            _box(item, names.get(item.object_id, ""), intrinsics, (width, height))
            for item in frame.annotations
        ]
        return SourceFrame(
            image, intrinsics, tuple(boxes), _view(camera), _ground(frame), (width, height)
        )

    def notes(self) -> Sequence[str]:
        """Nothing: the files say all that is needed."""
        return ()

    def _pixels(self, path: Path, number: int) -> Pixels:
        video = _video_of(path, self._root)
        if video is not None:
            return self._videos.frame(video, number)
        folders = (path.parent / path.stem, path.parent / "images")
        found = [self._numbered(folder).get(number) for folder in folders if folder.is_dir()]
        image = next((one for one in found if one is not None), None)
        pixels = None if image is None else decoded(image)
        if pixels is None:
            rule = "each annotation file must have its video, or a folder of its images"
            fix = f"put {path.stem}.MOV or the folder {path.stem}/ of numbered images beside it"
            raise BrokenFrame(rule, f"neither for frame {number} of {path.name}", fix)
        return np.asarray(pixels, dtype=np.uint8)


def _sequence(path: Path) -> Any:
    try:
        return parse_sequence(path.read_bytes())
    except OSError as error:
        raise FixData(
            f"{path.name} must be readable", got=str(error.strerror), where=str(path)
        ) from error
    except ValueError as error:
        rule = "a .pbdata file must be one of Objectron's annotations"
        raise FixData(rule, got=str(error), where=str(path)) from error


def _video_of(path: Path, root: Path) -> Path | None:
    """The video of an annotation file, in the places where downloads leave it."""
    folders = [path.parent, path.parent / path.stem]
    parts = list(path.relative_to(root).parts)
    if "annotations" in parts:
        parts[parts.index("annotations")] = "videos"
        folders.append(root.joinpath(*parts).with_suffix(""))
    stems = [path.stem, path.stem.replace("annotation", "video")]
    if path.stem == "annotation" or folders[-1].name == path.stem:
        stems.append("video")
    for folder in folders:
        for stem in stems:
            for suffix in _VIDEOS:
                if (video := folder / f"{stem}{suffix}").is_file():
                    return video
    return None


def _numbered(folder: Path) -> dict[int, Path]:
    """Number at the end of its name to image."""
    ends = ((re.search(r"(\d+)$", path.stem), path) for path in sorted(folder.iterdir()))
    return {int(end[1]): path for end, path in ends if end and path.suffix.lower() in _IMAGES}


def _portrait(image: Pixels, landscape: tuple[int, int]) -> Pixels:
    """The image upright, its longer side as it is stored.

    Args:
        image: A frame, turned already or as the sensor saw it.
        landscape: Width and height of the sensor's image.
    """
    if image.shape[1] > image.shape[0] and landscape[0] > landscape[1]:
        image = cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)
    height, width = image.shape[:2]
    if abs(height * landscape[1] - width * landscape[0]) > max(landscape):
        rule = "a frame must have the shape of its camera"
        raise BrokenFrame(rule, f"{width} x {height} of {landscape[1]} x {landscape[0]}")
    factor = _LONGER_SIDE_PX / max(height, width)
    if factor >= 1:
        return image
    size = round(width * factor), round(height * factor)
    small: Pixels = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return small


def _intrinsics(sensor: Array, factor: float) -> Intrinsics:
    """The camera of the upright image: the sensor's x runs down it, and its y to the right."""
    fx, fy, cx, cy = sensor[1, 1], sensor[0, 0], sensor[1, 2], sensor[0, 2]
    return camera_of(fx * factor, fy * factor, cx * factor, cy * factor)


def _box(item: Any, category: str, camera: Intrinsics, size: tuple[int, int]) -> SourceBox:
    points = [(point.point_3d.x, point.point_3d.y, point.point_3d.z) for point in item.keypoints]
    corners = numbers(points, (9, 3), "the keypoints of a box") @ GL_FROM_CV
    rotation, centre, edges = box_of_corners(corners)
    if (corners[:, 2] > 0).all():
        stated = np.array([(point.point_2d.x, point.point_2d.y) for point in item.keypoints])
        apart = pixels_of(corners, camera) - stated * size
        off = float(np.sqrt((apart**2).sum(axis=1).mean()))
        if not off <= MOST_OFF_PX:
            raise BrokenFrame("keypoints must show where the file says", f"{off:.0f} pixels off")
    return SourceBox(category, rotation, centre, edges, min(1.0, max(0.0, item.visibility)))


def _view(camera: Any) -> Array | None:
    if len(camera.view_matrix) != 16:
        return None
    matrix = np.array(camera.view_matrix, dtype=np.float64).reshape(4, 4)
    return pose_matrix(GL_FROM_CV @ matrix[:3, :3], GL_FROM_CV @ matrix[:3, 3])


def _ground(frame: Any) -> Array | None:
    if len(frame.plane_center) != 3 or len(frame.plane_normal) != 3:
        return None
    ground: Array = np.array([frame.plane_center, frame.plane_normal]) @ GL_FROM_CV
    return ground
