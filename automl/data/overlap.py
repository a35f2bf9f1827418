"""Images that lie in two splits, by their content."""

import hashlib
from collections import defaultdict
from pathlib import Path

from automl.data.layout import list_frames

__all__ = ["shared_images"]


def shared_images(train: Path, val: Path) -> tuple[tuple[Path, Path], ...]:
    """Pairs of images of two splits with the same content, each of the second split once.

    Only files of equal size are read, so this costs little where nothing is shared.
    """
    by_size: dict[int, list[Path]] = defaultdict(list)
    for frame in list_frames(train, annotated=False):
        by_size[frame.image.stat().st_size].append(frame.image)
    digests: dict[int, dict[bytes, Path]] = {}
    pairs = []
    for frame in list_frames(val, annotated=False):
        size = frame.image.stat().st_size
        if size not in by_size:
            continue
        if size not in digests:
            digests[size] = {_digest(path): path for path in reversed(by_size[size])}
        twin = digests[size].get(_digest(frame.image))
        if twin is not None:
            pairs.append((twin, frame.image))
    return tuple(pairs)


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
