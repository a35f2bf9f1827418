"""BOP: ``scene_gt.json``, ``scene_camera.json``, ``scene_gt_info.json`` and ``models_info.json``.

Poses are from the model to the OpenCV camera, in millimetres; z of a model points up and its
origin need not be the middle of its box. A scene with several cameras has files for each, such as
``scene_gt_cam1.json`` with the images ``rgb_cam1``.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from automl.data.convert.axes import rotation_from, upright
from automl.data.convert.bop_models import BopModels, bop_name, models_file
from automl.data.convert.frames import (
    BrokenFrame,
    FrameRef,
    SourceBox,
    SourceFrame,
    SourceOptions,
    camera_of,
    numbers,
)
from automl.data.convert.reading import json_object, object_in, objects_in
from automl.data.geometry import Array, pose_matrix
from automl.errors import FixData

__all__ = ["BopSource", "is_bop"]

_GT: Final = "scene_gt"
_GT_NAME: Final = re.compile(r"scene_gt(?P<camera>_(?!info|coco)\w+)?\.json")
_IMAGES: Final = (".png", ".jpg", ".jpeg", ".tif", ".bmp")
_METRES: Final = 0.001
_UP: Final = "z"


def is_bop(root: Path) -> bool:
    """Whether a folder is a scene, a split or a data set in the BOP format."""
    return any(_labels(root, depth) for depth in range(3))


class BopSource:
    """One split or one scene.

    Args:
        root: Its folder.
        options: What the user says of it.

    Raises:
        FixData: The folder holds several splits or no scene, or ``models_info.json`` is missing.
    """

    def __init__(self, root: Path, options: SourceOptions) -> None:
        self._labels = _scenes(root)
        self._file = lru_cache(maxsize=3)(json_object)  # those of one scene
        self._up = options.up or _UP
        self._metres = options.metres or _METRES
        self._models = BopModels(models_file(root, options.models), self._up)

    def frames(self) -> Sequence[FrameRef]:
        """Every image that has poses, scene by scene."""
        refs = []
        for path in self._labels:
            try:
                keys = [key for key in self._file(path) if key.isascii() and key.isdigit()]
                numbered = sorted(map(int, keys))
            except FixData:
                numbered = [0]  # one frame, which is broken when it is read
            name = f"{path.parent.name}{_camera(path).replace('_', '-')}"
            refs += [FrameRef(name, f"{n:06d}", path, n) for n in numbered]
        return refs

    def read(self, ref: FrameRef) -> SourceFrame:
        """One image with its poses.

        Raises:
            BrokenFrame: Image, camera or a pose is missing or broken, or a model is unknown.
            FixData: A file of the scene cannot be read.
        """
        scene, key, camera_type = ref.path.parent, str(ref.number), _camera(ref.path)
        file = scene / f"scene_camera{camera_type}.json"
        camera = object_in(self._file(file), key, f"{file.name} of {scene.name}")
        matrix = numbers(camera.get("cam_K"), (3, 3), "cam_K")
        poses = objects_in(self._file(ref.path).get(key), "the poses of an image")
        seen = self._visible(scene / f"scene_gt_info{camera_type}.json", key)
        return SourceFrame(
            _image(scene, camera_type, ref.number),
            camera_of(matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]),
            tuple(
                self._box(pose, seen[k] if k < len(seen) else {}) for k, pose in enumerate(poses)
            ),
            self._view(camera),
        )

    def notes(self) -> Sequence[str]:
        """Symmetries that are left out, and what is not said."""
        return self._models.notes()

    def _visible(self, path: Path, key: str) -> list[dict[str, Any]]:
        if not path.is_file():
            return []
        return objects_in(self._file(path).get(key), f"{path.name} of an image")

    def _box(self, pose: Mapping[str, Any], info: Mapping[str, Any]) -> SourceBox:
        centre, size, symmetry = self._models.of(pose.get("obj_id"))
        rotation = rotation_from(numbers(pose.get("cam_R_m2c"), (3, 3), "cam_R_m2c"), "cam_R_m2c")
        moved = numbers(pose.get("cam_t_m2c"), (3,), "cam_t_m2c") + rotation @ centre
        turned, sides = upright(rotation, size, self._up)
        visible = info.get("visib_fract")
        share = float(visible) if isinstance(visible, int | float) and 0 <= visible <= 1 else None
        kind, scale = bop_name(int(pose["obj_id"])), self._metres
        return SourceBox(kind, turned, moved * scale, sides * scale, share, symmetry.turns)

    def _view(self, camera: Mapping[str, Any]) -> Array | None:
        if "cam_R_w2c" not in camera or "cam_t_w2c" not in camera:
            return None
        rotation = numbers(camera["cam_R_w2c"], (3, 3), "cam_R_w2c")
        moved = numbers(camera["cam_t_w2c"], (3,), "cam_t_w2c") * self._metres
        return pose_matrix(rotation_from(rotation, "cam_R_w2c"), moved)


def _labels(root: Path, depth: int) -> list[Path]:
    """The files of poses so many folders below, one for each scene and camera."""
    found = root.glob(f"{'*/' * depth}{_GT}*.json")
    return sorted(path for path in found if _GT_NAME.fullmatch(path.name))


def _camera(labels: Path) -> str:
    """Which of a scene's cameras a file of poses is of, such as ``_cam1``; empty if it has one."""
    match = _GT_NAME.fullmatch(labels.name)
    return (match["camera"] or "") if match else ""


def _scenes(root: Path) -> list[Path]:
    """The files of poses of one split.

    Raises:
        FixData: There is none, or there are several splits.
    """
    for depth in range(3):
        found = _labels(root, depth)
        splits = sorted({path.parents[1].name for path in found})
        if found and depth == 2 and len(splits) > 1:
            raise FixData(
                "a conversion must read one split",
                got=f"a data set with {', '.join(splits)}",
                where=str(root),
                fix=f"give one of them: {root / splits[0]}",
            )
        if found:
            return found
    raise FixData(
        f"a split in the BOP format must hold folders with {_GT}.json",
        got="none",
        where=str(root),
    )


def _image(scene: Path, camera_type: str, number: int) -> Path:
    folders = [f"rgb{camera_type}", f"gray{camera_type}", camera_type[1:] or "rgb"]
    for folder in folders:
        for suffix in _IMAGES:
            path = scene / folder / f"{number:06d}{suffix}"
            if path.is_file():
                return path
    rule = f"image {number:06d} must lie in {folders[0]}/ or {folders[1]}/ of its scene"
    raise BrokenFrame(rule, "none")
