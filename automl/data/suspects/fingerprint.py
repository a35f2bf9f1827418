"""Images by what they show: a 64-bit hash that a copy keeps, and a small grey picture.

The hash is that of low frequencies: which of the lowest 8 x 8 coefficients of a cosine transform
of the grey picture, 32 pixels a side, are above their median (Zauner, "Implementation and
Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2.1). Encoding anew, another size
and some light change few of its bits; noise on a plain backdrop changes none.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.fft import dctn

from automl.data.opencv import thumbnail

__all__ = ["SIDE", "Fingerprints", "fingerprints"]

SIDE: Final = 32
_LOWEST: Final = 8
_AT_ONCE: Final = 512

Hashes = npt.NDArray[np.uint64]
Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprints:
    """What N images look like.

    Attributes:
        paths: Their files.
        hashes: (N,) 64 bits each.
        pictures: (N, 32, 32) grey levels.
    """

    paths: tuple[Path, ...]
    hashes: Hashes
    pictures: Pictures

    def __len__(self) -> int:
        return len(self.paths)


def fingerprints(
    paths: Sequence[Path], threads: int, tell: Callable[[int, int], None]
) -> Fingerprints:
    """The fingerprints of images; one that cannot be decoded is left out.

    Args:
        paths: The files.
        threads: Threads that decode, at least 1.
        tell: Called with how many are done, and of how many.
    """
    kept: list[Path] = []
    pictures: list[Pictures] = []
    with ThreadPoolExecutor(threads, thread_name_prefix="fingerprints") as pool:
        for start in range(0, len(paths), _AT_ONCE):
            part = paths[start : start + _AT_ONCE]
            for path, picture in zip(part, pool.map(_picture, part), strict=True):
                if picture is not None:
                    kept.append(path)
                    pictures.append(picture)
            tell(start + len(part), len(paths))
    stacked = np.stack(pictures) if pictures else np.zeros((0, SIDE, SIDE), np.uint8)
    return Fingerprints(tuple(kept), hashes_of(stacked), stacked)


def _picture(path: Path) -> Pictures | None:
    found: Pictures | None = thumbnail(path, SIDE)
    return found


def hashes_of(pictures: Pictures) -> Hashes:
    """(N,) hashes of (N, 32, 32) grey pictures; bit 0, the mean grey level's, is never set."""
    if not len(pictures):
        return np.zeros(0, np.uint64)
    waves = dctn(pictures.astype(np.float32), axes=(1, 2))[:, :_LOWEST, :_LOWEST]
    lowest = waves.reshape(len(pictures), _LOWEST * _LOWEST)
    bits = lowest > np.median(lowest[:, 1:], axis=1, keepdims=True)
    bits[:, 0] = False
    packed = np.packbits(bits, axis=1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8")[:, 0].astype(np.uint64)
