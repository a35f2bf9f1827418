"""Data sets found below a folder, by their layout and their names."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from automl.data.annotations import check_annotation
from automl.data.layout import list_split
from automl.errors import FixInput

__all__ = ["FoundSplit", "find_splits", "look_at"]

#: What a split is usually called, its folder's or tarball's name lowered.
_NAMES: Mapping[str, str] = {
    "train": "train", "training": "train", "trainset": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test", "testset": "test",
}  # fmt: skip
_TARBALLS = (".tar.gz", ".tgz", ".tar")
#: Folders deep that data is looked for, and folders looked at in all.
_DEEPEST, _MOST_FOLDERS = 4, 2000
#: Annotations of a split that are read to learn its categories.
_MOST_READ = 200


@dataclass(frozen=True, slots=True)
class FoundSplit:
    """A split of a data set.

    Attributes:
        path: Its folder or tarball.
        images: Images in it; None of a tarball, which is not opened.
        categories: Class to objects, of the annotations that were read.
    """

    path: Path
    images: int | None = None
    categories: Mapping[str, int] | None = None

    @property
    def category(self) -> str:
        """The most frequent class; empty where none is known."""
        known = self.categories or {}
        return max(known, key=lambda name: (known[name], name), default="")


def find_splits(root: Path) -> dict[str, FoundSplit]:
    """``train``, ``val`` and ``test`` below a folder, each the nearest of that name with images.

    Splits of one data set lie beside one another: the folder that holds the most of them wins,
    and of equals the one that comes first.

    Args:
        root: Where to look; may itself hold the splits.

    Raises:
        FixInput: It is no folder.
    """
    if not root.is_dir():
        raise FixInput("data is looked for in a folder", got=str(root))
    best: dict[str, Path] = {}
    for folder in _folders(root):
        named = _named(folder)
        if len(named) > len(best):
            best = named
    found = {split: look_at(path) for split, path in best.items()}
    return {split: each for split, each in found.items() if each.images != 0}


def _folders(root: Path) -> Iterator[Path]:
    """The folder and those below it, the higher first, hidden ones left out."""
    level = [root]
    seen = 0
    for _ in range(_DEEPEST):
        below: list[Path] = []
        for folder in level:
            seen += 1
            if seen > _MOST_FOLDERS:
                return
            yield folder
            below += _subfolders(folder)
        level = below


def _subfolders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    except OSError:
        return []
    return [folder / name for name in names]


def _named(folder: Path) -> dict[str, Path]:
    """The splits that lie in a folder by their names, folders before tarballs."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: (not path.is_dir(), path.name))
    except OSError:
        return {}
    found: dict[str, Path] = {}
    for path in entries:
        split = _NAMES.get(_stem(path).lower(), "")
        if split and split not in found and (path.is_dir() or path.name.endswith(_TARBALLS)):
            found[split] = path
    return {split: found[split] for split in ("train", "val", "test") if split in found}


def _stem(path: Path) -> str:
    ending = next((end for end in _TARBALLS if path.name.endswith(end)), "")
    return path.name.removesuffix(ending) if ending else path.name


def look_at(path: Path) -> FoundSplit:
    """What a split holds, by its folder's listing and its first annotations."""
    if not path.is_dir():
        return FoundSplit(path)
    frames = list_split(path).frames
    counted: Counter[str] = Counter()
    for frame in frames[:_MOST_READ]:
        if frame.annotation.is_file():
            counted.update(check_annotation(frame.annotation).categories)
    return FoundSplit(path, len(frames), dict(counted))
