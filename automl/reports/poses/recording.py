"""A recording of poses for the Rerun viewer: camera, image, truth and predictions, image by image.

The file opens without a network: ``rerun FILE.rrd``. Rerun is asked for when this is called; no
other part of the program needs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from automl.errors import FixInput, InstallExtra
from automl.extras import how_to_get
from automl.inside import read_file
from automl.poses.sample import Sample
from automl.poses.table import PoseTable
from automl.reports.model import Summary
from automl.reports.poses.evaluations import Evaluation, newest
from automl.reports.poses.held_out import poses_of
from automl.reports.poses.tiles import EDGES

__all__ = ["Recorded", "record_poses"]

_COLOURS: Final = {"truth": (255, 255, 255), "winner": (0, 114, 178), "default": (230, 159, 0)}
_CAMERA: Final = "world/camera"
_MEDIA: Final = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}
_LARGEST: Final = 64_000_000  # bytes of one image


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recording holds.

    Attributes:
        path: The file.
        n_images: Images.
        n_pictures: Those of them that are in it as pictures.
        sides: ``winner``, and ``default`` where it was evaluated.
    """

    path: Path
    n_images: int
    n_pictures: int
    sides: tuple[str, ...]


def record_poses(summary: Summary, split: str, path: Path, *, images: bool = True) -> Recorded:
    """Writes a recording of winner and default on a split.

    Args:
        summary: The study.
        split: ``validation`` or ``test``.
        path: The file to write.
        images: Whether the pictures of the data are in it.

    Raises:
        FixInput: There are no poses of this split.
        InstallExtra: Rerun is not installed.
    """
    rerun = _rerun()
    sides = _sides(summary, split)
    data = summary.config.data
    root = Path(data.test if split == "test" else data.val)
    stream = rerun.RecordingStream(f"automl {summary.name} {split}")
    stream.save(str(path))
    stream.log("world", rerun.ViewCoordinates.RDF, static=True)
    first = sides[0][1]
    n_pictures = 0
    for place, name in enumerate(first.names):
        stream.set_time("image", sequence=place)
        facts = _rows(first, place)
        content = _content(root / name) if images else b""
        n_pictures += bool(content)
        _log_camera(rerun, stream, facts, (name, content))
        _log_boxes(rerun, stream, "truth", facts, ("true_3d", "true_2d"))
        for who, sample in sides:
            found = _rows(sample, place)
            found = found.take(np.isfinite(found.numbers("score")))
            _log_boxes(rerun, stream, who, found, ("predicted_3d", "predicted_2d"))
    stream.flush()
    stream.disconnect()
    return Recorded(path, len(first.names), n_pictures, tuple(who for who, _ in sides))


def _rerun() -> ModuleType:
    try:
        import rerun
    except ImportError as error:
        raise InstallExtra(
            "a recording needs Rerun", got="none installed", fix=how_to_get("viewer")
        ) from error
    module: ModuleType = rerun
    return module


def _sides(summary: Summary, split: str) -> Sequence[tuple[str, Sample]]:
    winner = summary.winner
    numbers = [] if winner is None else list(dict.fromkeys((winner.number, 0)))
    found: list[tuple[str, Evaluation | None]] = [
        (who, newest(summary.evaluations, number, split, poses=True))
        for who, number in zip(("winner", "default"), numbers, strict=False)
    ]
    read = [(who, poses_of(summary.folder, each, [])) for who, each in found]
    if not read or read[0][1] is None:
        raise FixInput(
            f"a recording needs the winner's poses on the {split} images",
            got="none in this study",
            where=str(summary.folder),
            fix=f"run automl poses {summary.name} first",
        )
    first = read[0][1]
    return [(who, each) for who, each in read if each is not None and each.names == first.names]


def _rows(sample: Sample, place: int) -> PoseTable:
    found = sample.detections.take(np.flatnonzero(sample.image == place))
    targets = sample.targets.take(np.flatnonzero((sample.home == place) & ~sample.found))
    return PoseTable({k: np.concatenate([found[k], targets[k]]) for k in found.columns})


def _content(path: Path) -> bytes:
    """An image of the data as it is stored; nothing where it is gone, or of another kind."""
    if path.suffix.lower() not in _MEDIA:
        return b""
    try:
        with read_file(path, follow=True) as file:
            return file.read(_LARGEST)
    except OSError:
        return b""


def _log_camera(
    rerun: ModuleType, stream: Any, rows: PoseTable, picture: tuple[str, bytes]
) -> None:
    fx, fy, cx, cy = rows.numbers("camera")[0]
    size = [float(rows.numbers(side)[0]) for side in ("width", "height")]
    camera = rerun.Pinhole(
        image_from_camera=np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), resolution=size
    )
    stream.log(_CAMERA, camera)
    name, content = picture
    if content:
        media = _MEDIA[Path(name).suffix.lower()]
        stream.log(f"{_CAMERA}/image", rerun.EncodedImage(contents=content, media_type=media))
    stream.log("name", rerun.TextDocument(name))


def _log_boxes(
    rerun: ModuleType, stream: Any, who: str, rows: PoseTable, columns: tuple[str, str]
) -> None:
    """Boxes in the world, and the same on the image."""
    solid, flat = (rows.numbers(name) for name in columns)
    colour = [_COLOURS[who]]
    stream.log(f"world/{who}", rerun.LineStrips3D(_lines(solid, 3), colors=colour))
    stream.log(f"{_CAMERA}/{who}", rerun.LineStrips2D(_lines(flat, 2), colors=colour))


def _lines(boxes: npt.NDArray[np.float64], dim: int) -> list[npt.NDArray[np.float64]]:
    corners = [box.reshape(9, dim)[1:] for box in boxes]
    return [box[[a, b]] for box in corners for a, b in EDGES]
