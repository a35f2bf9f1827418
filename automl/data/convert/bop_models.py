"""The models of a BOP data set: boxes, symmetries, and where their file lies."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from automl.data.convert.axes import UP_AXES, rotation_from
from automl.data.convert.frames import BrokenFrame, numbers
from automl.data.convert.reading import json_object, objects_in
from automl.data.convert.symmetry import UprightSymmetry, upright_symmetry
from automl.data.geometry import Array
from automl.errors import FixData

__all__ = ["BopModels", "bop_name", "models_file"]

_MODELS: Final = "models_info.json"
_MODEL_FOLDERS: Final = ("models", "models_eval", "models_cad", "models_reconst")
_LEVELS_UP: Final = 3


class BopModels:
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
            entry = self._values.get(str(number), self._values.get(bop_name(number)))
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
            bop_name(n) for n, (_, _, symmetry) in sorted(self._known.items()) if symmetry.others
        ]
        if not left:
            return []
        return [
            f"{', '.join(left)}: symmetries about other axes than the upright one are left out,"
            " because the training layout has no word for them"
        ]


def bop_name(number: int) -> str:
    """What a model is called: ``obj_000005``."""
    return f"obj_{number:06d}"


def models_file(root: Path, given: Path | None) -> Path:
    """The file of the models.

    Args:
        root: Folder of a scene, a split or a data set.
        given: File or folder that the user names; None to look beside and above the folder.

    Raises:
        FixData: There is none.
    """
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
