"""BOP: ``scene_gt.json``, ``scene_camera.json``, ``scene_gt_info.json`` and ``models_info.json``.

Poses are from the model to the OpenCV camera, in millimetres; z of a model points up and its
origin need not be the middle of its box.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from automl.data.convert.axes import UP_AXES, rotation_from, upright
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
from automl.data.convert.symmetry import UprightSymmetry, upright_symmetry
from automl.data.geometry import Array, pose_matrix
from automl.errors import FixData

__all__ = ["BopSource", "is_bop"]

_GT: Final = "scene_gt.json"
_MODELS: Final = "models_info.json"
_IMAGES: Final = tuple(
    (folder, suffix)
    for folder in ("rgb", "gray")
    for suffix in (".png", ".jpg", ".jpeg", ".tif", ".bmp")
)
_MODEL_FOLDERS: Final = ("models", "models_eval", "models_cad", "models_reconst")
_LEVELS_UP: Final = 3
_METRES: Final = 0.001
_UP: Final = "z"


def is_bop(root: Path) -> bool:
    """Whether a folder is a scene, a split or a data set in the BOP format."""
    return any(any(root.glob(f"{'*/' * depth}{_GT}")) for depth in range(3))


class BopSource:
    """One split or one scene.

    Args:
        root: Its folder.
        options: What the user says of it.

    Raises:
        FixData: The folder holds several splits or no scene, or ``models_info.json`` is missing.
    """

    def __init__(self, root: Path, options: SourceOptions) -> None:
        self._scenes = _scenes(root)
        self._file = lru_cache(maxsize=3)(json_object)  # those of one scene
        self._up = options.up or _UP
        self._metres = options.metres or _METRES
        self._models = _Models(_models_file(root, options.models), self._up)

    def frames(self) -> Sequence[FrameRef]:
        """Every image that has poses, scene by scene."""
        refs = []
        for scene in self._scenes:
            try:
                keys = [key for key in self._file(scene / _GT) if key.isascii() and key.isdigit()]
                numbered = sorted(map(int, keys))
            except FixData:
                numbered = [0]  # one frame, which is broken when it is read
            refs += [FrameRef(scene.name, f"{n:06d}", scene / _GT, n) for n in numbered]
        return refs

    def read(self, ref: FrameRef) -> SourceFrame:
        """One image with its poses.

        Raises:
            BrokenFrame: Image, camera or a pose is missing or broken, or a model is unknown.
            FixData: A file of the scene cannot be read.
        """
        scene, key = ref.path.parent, str(ref.number)
        cameras = self._file(scene / "scene_camera.json")
        camera = object_in(cameras, key, f"scene_camera.json of {scene.name}")
        matrix = numbers(camera.get("cam_K"), (3, 3), "cam_K")
        poses = objects_in(self._file(scene / _GT).get(key), "the poses of an image")
        seen = self._visible(scene, key)
        return SourceFrame(
            _image(scene, ref.number),
            camera_of(matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]),
            tuple(
                self._box(pose, seen[k] if k < len(seen) else {}) for k, pose in enumerate(poses)
            ),
            self._view(camera),
        )

    def notes(self) -> Sequence[str]:
        """Symmetries that are left out, and what is not said."""
        return self._models.notes()

    def _visible(self, scene: Path, key: str) -> list[dict[str, Any]]:
        if not (scene / "scene_gt_info.json").is_file():
            return []
        entries = self._file(scene / "scene_gt_info.json").get(key)
        return objects_in(entries, "scene_gt_info.json of an image")

    def _box(self, pose: Mapping[str, Any], info: Mapping[str, Any]) -> SourceBox:
        centre, size, symmetry = self._models.of(pose.get("obj_id"))
        rotation = rotation_from(numbers(pose.get("cam_R_m2c"), (3, 3), "cam_R_m2c"), "cam_R_m2c")
        moved = numbers(pose.get("cam_t_m2c"), (3,), "cam_t_m2c") + rotation @ centre
        turned, sides = upright(rotation, size, self._up)
        visible = info.get("visib_fract")
        share = float(visible) if isinstance(visible, int | float) and 0 <= visible <= 1 else None
        kind, scale = _label(int(pose["obj_id"])), self._metres
        return SourceBox(kind, turned, moved * scale, sides * scale, share, symmetry.turns)

    def _view(self, camera: Mapping[str, Any]) -> Array | None:
        if "cam_R_w2c" not in camera or "cam_t_w2c" not in camera:
            return None
        rotation = numbers(camera["cam_R_w2c"], (3, 3), "cam_R_w2c")
        moved = numbers(camera["cam_t_w2c"], (3,), "cam_t_w2c") * self._metres
        return pose_matrix(rotation_from(rotation, "cam_R_w2c"), moved)


class _Models:
    """Boxes and symmetries of the models, in the models' own frame and unit."""

    def __init__(self, path: Path, up: str) -> None:
        self._path = path
        self._up = UP_AXES[up][1]  # the source's direction that becomes y
        self._values = json_object(path)
        self._known: dict[int, tuple[Array, Array, UprightSymmetry]] = {}

    def of(self, number: Any) -> tuple[Array, Array, UprightSymmetry]:
        """Centre, size and symmetry of a model.

        Raises:
            BrokenFrame: It is unknown, or its entry is broken.
        """
        if not isinstance(number, int) or isinstance(number, bool):
            raise BrokenFrame("obj_id must be a whole number", repr(number)[:60])
        if number not in self._known:
            entry = self._values.get(str(number), self._values.get(_label(number)))
            if not isinstance(entry, dict):
                known = ", ".join(sorted(self._values, key=lambda key: (len(key), key))[:8])
                rule = f"obj_id must be a model of {self._path.name}"
                raise BrokenFrame(rule, str(number), f"it knows {known}")
            self._known[number] = self._read(entry, f"model {number}")
        return self._known[number]

    def _read(self, entry: Mapping[str, Any], what: str) -> tuple[Array, Array, UprightSymmetry]:
        low, size = (
            numbers(
                [entry.get(f"{name}_{axis}") for axis in "xyz"],
                (3,),
                f"{name}_x, _y, _z of {what}",
            )
            for name in ("min", "size")
        )
        if not (size > 0).all():
            raise BrokenFrame(f"size_x, _y, _z of {what} must be positive", f"{size.tolist()}")
        flat = entry.get("symmetries_discrete") or []
        matrices = numbers(flat, (np.size(flat) // 16, 4, 4), f"symmetries_discrete of {what}")
        discrete = [rotation_from(matrix[:3, :3], what) for matrix in matrices]
        about = objects_in(
            entry.get("symmetries_continuous") or [], f"symmetries_continuous of {what}"
        )
        axes = [numbers(item.get("axis"), (3,), f"an axis of {what}") for item in about]
        continuous = [axis for axis in axes if axis.any()]
        return low + size / 2, size, upright_symmetry(self._up, discrete, continuous)

    def notes(self) -> list[str]:
        """What of the symmetries in use the layout cannot say."""
        left = [
            _label(n) for n, (_, _, symmetry) in sorted(self._known.items()) if symmetry.others
        ]
        if not left:
            return []
        return [
            f"{', '.join(left)}: symmetries about other axes than the upright one are left out,"
            " because the training layout has no word for them"
        ]


def _label(number: int) -> str:
    return f"obj_{number:06d}"


def _scenes(root: Path) -> list[Path]:
    """The folders of the scenes of one split."""
    for depth in range(3):
        found = sorted(path.parent for path in root.glob(f"{'*/' * depth}{_GT}"))
        splits = sorted({path.parent.name for path in found})
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
        f"a split in the BOP format must hold folders with {_GT}", got="none", where=str(root)
    )


def _models_file(root: Path, given: Path | None) -> Path:
    places = [given, given / _MODELS] if given else list(_usual_models(root))
    for place in places:
        if place.is_file():
            return place
    raise FixData(
        f"the sizes of the models must be known from {_MODELS}",
        got=f"no such file: {given}" if given else "none beside the split",
        where=str(root),
        fix=f"give it with --models, such as --models DATASET/models/{_MODELS}",
    )


def _usual_models(root: Path) -> Iterable[Path]:
    place = root.absolute()
    for folder in (place, *place.parents)[: _LEVELS_UP + 1]:
        yield from (folder / name / _MODELS for name in _MODEL_FOLDERS)


def _image(scene: Path, number: int) -> Path:
    for folder, suffix in _IMAGES:
        path = scene / folder / f"{number:06d}{suffix}"
        if path.is_file():
            return path
    rule = f"image {number:06d} must lie in rgb/ or gray/ of its scene"
    raise BrokenFrame(rule, "none")
