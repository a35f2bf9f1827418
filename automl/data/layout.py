"""The folders of the Objectron layout: which images a split holds, and whose annotation is whose.

::

    <split>/<sequence>/00015.jpg
    <split>/<sequence>/00015.json

Only *leaf* folders are read, as the TAO container does: a folder with sub-folders contributes
none of its own files. Hidden folders and the ``._`` companions that macOS packs beside each file
are no data and are passed over. Nothing is left out without a word: a listing says what it did
not take. This module needs the standard library alone, so that a data set can be checked on a
machine that never trains.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from automl.errors import FixData

__all__ = ["Frame", "Listing", "check_frames", "list_frames", "list_split"]

_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp"})
_CONTAINERS: Final = frozenset({*_SUFFIXES, ".JPG", ".JPEG", ".PNG"})
"""The endings the container's loader knows; any other spelling of them is no image to it."""
_COMPANION: Final = "._"
_MAC_FOLDER: Final = "__MACOSX"

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


@dataclass(slots=True)
class Listing:
    """What lies in the folder of a split.

    Attributes:
        frames: Its images, sorted by path: the same order on every machine.
        above: Images in folders with sub-folders, which are not read.
        companions: Files of metadata that macOS packed beside the images and annotations.
        hidden: Folders whose name begins with a dot, and what macOS packs its companions in.
        odd: Images that are read although the container does not know the spelling of their
            ending.
        twins: Images that share their annotation with another one: ``a.jpg`` beside ``a.png``.
        orphans: JSON files in the folders of the images with no image of their stem.
    """

    frames: list[Frame] = field(default_factory=list)
    above: list[Path] = field(default_factory=list)
    companions: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    odd: list[Path] = field(default_factory=list)
    twins: list[Path] = field(default_factory=list)
    orphans: list[Path] = field(default_factory=list)

    def add(self, folder: Path, files: list[str], *, is_leaf: bool) -> None:
        """Sorts the files of one folder."""
        self.companions += [folder / name for name in files if name.startswith(_COMPANION)]
        taken = [Path(name) for name in sorted(files) if not name.startswith(_COMPANION)]
        images = [name for name in taken if name.suffix.lower() in _SUFFIXES]
        if not is_leaf:
            self.above += [folder / name for name in images]
            return
        stems = Counter(name.stem for name in images)
        self.twins += [folder / name for name in images if stems[name.stem] > 1]
        paths = [folder / name for name in images]
        self.frames += [Frame(path, path.with_suffix(".json")) for path in paths]
        self.odd += [path for path in paths if path.suffix not in _CONTAINERS]
        self.orphans += [
            folder / name for name in taken if name.suffix == ".json" and name.stem not in stems
        ]


def list_split(root: Path) -> Listing:
    """Everything in the folder of a split.

    Links to folders are followed, because data sets are often assembled from links; the walk of a
    folder that was seen before ends there, so that a loop of links ends too.

    Args:
        root: Folder of the split; it may itself be a leaf folder.

    Raises:
        FixData: The folder is missing, is a file, or cannot be read.
    """
    _check_folder(root)
    listing = Listing()
    seen: set[tuple[int, int]] = set()
    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=_unreadable):
        status = os.stat(folder)  # noqa: PTH116 - a Path for each folder would be made in vain
        if (status.st_dev, status.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        hidden = {name for name in subfolders if name.startswith(".") or name == _MAC_FOLDER}
        listing.hidden += [Path(folder, name) for name in sorted(hidden)]
        subfolders[:] = sorted(set(subfolders) - hidden)
        listing.add(Path(folder), files, is_leaf=not subfolders)
    listing.frames.sort(key=lambda frame: frame.image)
    return listing


def list_frames(root: Path, *, annotated: bool = True) -> list[Frame]:
    """The frames of a split, sorted by path.

    Args:
        root: Folder of the split.
        annotated: Whether every image needs its annotation, as all but inference do.

    Raises:
        FixData: The folder cannot be read, holds no image in a leaf folder, or (when annotated)
            an image lacks its annotation.
    """
    listing = list_split(root)
    check_frames(listing, root, annotated=annotated)
    return listing.frames


def check_frames(listing: Listing, root: Path, *, annotated: bool) -> None:
    """Refuses a split without images, or (when annotated) with images without annotation.

    Raises:
        FixData: It is one of them.
    """
    frames = listing.frames
    if not frames:
        raise FixData(
            "a split must hold at least one image in a folder without sub-folders",
            got=_beside_folders(listing.above) or "none",
            where=str(root),
            fix=_LAYOUT,
        )
    missing = [frame for frame in frames if not frame.annotation.is_file()] if annotated else []
    if missing:
        raise FixData(
            "every image must have an annotation of the same stem beside it",
            got=f"{len(missing)} of {len(frames)} images without one",
            where=str(missing[0].image),
            fix=f"add {missing[0].annotation.name} or take the image out",
        )


def _beside_folders(images: Sequence[Path]) -> str:
    """Images that are not read, with the folder that keeps the first of them from it."""
    if not images:
        return ""
    among = images[0].parent
    folders = sorted(entry.name for entry in among.iterdir() if entry.is_dir())
    return f"{len(images)} in folders that hold folders too, first {among} with {folders[0]}"


def _check_folder(root: Path) -> None:
    if root.is_dir():
        return
    if not root.exists():
        raise FixData(
            "a split must be a folder that exists", got=f"no such folder: {root}", fix=_LAYOUT
        )
    fix = "extract it first, or give it as --train-data, --val-data and so on, which extract it"
    kind = "a tarball" if ".tar" in root.name or root.suffix == ".tgz" else "a file"
    raise FixData("a split must be a folder", got=f"{kind}: {root}", fix=fix)


def _unreadable(error: OSError) -> None:
    raise FixData(
        "the folders of a split must be readable",
        got=str(error.strerror),
        where=str(error.filename),
    ) from error
