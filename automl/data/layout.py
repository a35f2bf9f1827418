"""The folders of the Objectron layout: which images a split holds, and whose annotation is whose.

::

    <split>/<sequence>/00015.jpg
    <split>/<sequence>/00015.json

Only *leaf* folders are read, as the TAO container does: a folder with sub-folders contributes
none of its own files. This module needs the standard library alone, so that a data set can be
checked on a machine that never trains.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from automl.errors import FixInput

__all__ = ["IMAGE_SUFFIXES", "Frame", "list_frames", "walk"]

IMAGE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".JPG", ".JPEG", ".PNG"})
"""The endings the container's loader knows; any other spelling of them is not an image to it."""

_LAYOUT: Final = "lay it out as <split>/<sequence>/<frame>.jpg with <frame>.json beside it"


@dataclass(frozen=True, slots=True)
class Frame:
    """One image of a split and the annotation that belongs to it.

    Attributes:
        image: Path of the image.
        annotation: Path of the JSON file with the same stem; it need not exist when the split
            was listed without annotations.
    """

    image: Path
    annotation: Path


def walk(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Each folder under ``root`` with its sub-folders and images, in sorted order.

    Links to folders are followed, because data sets are often assembled from links; the walk of a
    folder that was seen before ends there, so that a loop of links ends too.
    """
    seen: set[tuple[int, int]] = set()
    for folder, subfolders, files in os.walk(root, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders.sort()
        images = sorted(name for name in files if Path(name).suffix in IMAGE_SUFFIXES)
        yield Path(folder), list(subfolders), images


def list_frames(root: Path, *, annotated: bool = True) -> list[Frame]:
    """The frames of a split, sorted by path: the same order on every machine.

    Args:
        root: Folder of the split; it may itself be a leaf folder.
        annotated: Whether every image needs its annotation, as all but inference do.

    Raises:
        FixInput: The folder is missing, is a file, holds no image in a leaf folder, or (when
            annotated) an image lacks its annotation.
    """
    _check_folder(root)
    frames = [
        Frame(folder / name, (folder / name).with_suffix(".json"))
        for folder, subfolders, images in walk(root)
        if not subfolders
        for name in images
    ]
    if not frames:
        raise FixInput(
            "a split holds at least one image in a folder without sub-folders",
            got="none",
            where=str(root),
            fix=_LAYOUT,
        )
    if annotated:
        _check_annotated(frames)
    return sorted(frames, key=lambda frame: frame.image)


def _check_folder(root: Path) -> None:
    if root.is_dir():
        return
    if not root.exists():
        raise FixInput(
            "a split is a folder that exists", got=f"no such folder: {root}", fix=_LAYOUT
        )
    fix = "extract it first, or give it as --train-data, --val-data and so on, which extract it"
    kind = "a tarball" if ".tar" in root.name or root.suffix == ".tgz" else "a file"
    raise FixInput("a split is a folder", got=f"{kind}: {root}", fix=fix)


def _check_annotated(frames: list[Frame]) -> None:
    missing = [frame for frame in frames if not frame.annotation.is_file()]
    if missing:
        raise FixInput(
            "every image has an annotation of the same stem beside it",
            got=f"{len(missing)} of {len(frames)} images without one",
            where=str(missing[0].image),
            fix=f"add {missing[0].annotation.name} or take the image out",
        )
