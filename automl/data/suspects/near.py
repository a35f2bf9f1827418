"""Pairs of images of two sets that look alike, found without comparing every pair.

Two hashes that differ in at most ten of 64 bits are equal in at least one of eleven bands of bits,
so only images that share a band are compared. What the hashes bring together is then held against
each other as small pictures.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.data.suspects.fingerprint import Fingerprints, Hashes, Pictures

__all__ = ["ALIKE", "SAME", "LikePair", "near_pairs"]

_WIDTHS: Final = (6,) * 9 + (5,) * 2  # bits of the bands, 64 together
MOST_BITS: Final = len(_WIDTHS) - 1
SAME: Final = 0.06
"""Mean difference of two pictures, in standard deviations of their grey levels, up to which one is
a copy of the other. Measured on rendered images: 0.01 to 0.06 where a JPEG is encoded anew at
quality 95 to 30."""
ALIKE: Final = 0.16
"""The same, up to which both show one scene within moments: 0.09 to 0.14 where the camera moves by
a hundredth of the image, 0.23 at least between different images of one category."""
_FLAT: Final = 4.0  # grey levels: pictures with less contrast are held against this
_CELLS: Final = 1 << 22
_AT_ONCE: Final = 2048

_Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class LikePair:
    """Two images that look alike.

    Attributes:
        first: Place of the one in the first set.
        second: Place of the other in the second set.
        bits: Bits of 64 that their hashes differ in.
        difference: Mean difference of their small pictures, in standard deviations of their grey
            levels: whatever their brightness and contrast.
    """

    first: int
    second: int
    bits: int
    difference: float


def near_pairs(one: Fingerprints, two: Fingerprints) -> list[LikePair]:
    """For each image of the second set the most alike of the first, where one is alike enough."""
    if not len(one) or not len(two):
        return []
    hashes, first, _ = _unique(one.hashes)
    others, _, group = _unique(two.hashes)
    ours, theirs = _candidates(hashes, others)
    members = _members(group, len(others))
    seconds = np.concatenate([members[b] for b in theirs] or [np.zeros(0, np.intp)])
    firsts = np.repeat(first[ours], [len(members[b]) for b in theirs])
    apart = _differences(one, two, firsts, seconds)
    order = np.lexsort((firsts, apart, seconds))
    _, best = np.unique(seconds[order], return_index=True)
    kept = [k for k in order[best] if apart[k] <= ALIKE]
    bits = np.bitwise_count(one.hashes[firsts] ^ two.hashes[seconds])
    return [LikePair(int(firsts[k]), int(seconds[k]), int(bits[k]), float(apart[k])) for k in kept]


def _unique(hashes: Hashes) -> tuple[Hashes, _Indices, _Indices]:
    found, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    return found, first, group


def _members(group: _Indices, count: int) -> list[_Indices]:
    order = np.argsort(group, kind="stable")
    return np.split(order, np.searchsorted(group[order], np.arange(1, count)))


def _candidates(one: Hashes, two: Hashes) -> tuple[_Indices, _Indices]:
    """Pairs of hashes within ten bits: of each second hash the nearest that shares a band."""
    found: set[tuple[int, int]] = set()
    for start, width in zip(accumulate(_WIDTHS, initial=0), _WIDTHS, strict=False):
        shift, mask = np.uint64(start), np.uint64((1 << width) - 1)
        ours, theirs = (_buckets((each >> shift) & mask) for each in (one, two))
        for value in ours.keys() & theirs.keys():
            found.update(_nearest(one, two, ours[value], theirs[value]))
    pairs = np.array(sorted(found), dtype=np.intp).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _buckets(values: Hashes) -> dict[int, _Indices]:
    order = np.argsort(values, kind="stable")
    keys, starts = np.unique(values[order], return_index=True)
    return dict(zip(keys.tolist(), np.split(order, starts[1:]), strict=True))


def _nearest(
    one: Hashes, two: Hashes, ours: _Indices, theirs: _Indices
) -> Iterator[tuple[int, int]]:
    step = max(1, _CELLS // len(ours))
    for start in range(0, len(theirs), step):
        part = theirs[start : start + step]
        apart = np.bitwise_count(two[part][:, None] ^ one[ours][None])
        nearest = apart.argmin(axis=1)
        close = apart[np.arange(len(part)), nearest] <= MOST_BITS
        yield from zip(ours[nearest[close]].tolist(), part[close].tolist(), strict=True)


def _differences(
    one: Fingerprints, two: Fingerprints, firsts: _Indices, seconds: _Indices
) -> npt.NDArray[np.float64]:
    """(P,) mean differences of P pairs of pictures."""
    parts = [
        np.abs(_level(one.pictures[a]) - _level(two.pictures[b])).mean(axis=(1, 2))
        for a, b in zip(_chunks(firsts), _chunks(seconds), strict=True)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def _chunks(places: _Indices) -> Iterator[_Indices]:
    for start in range(0, len(places), _AT_ONCE):
        yield places[start : start + _AT_ONCE]


def _level(pictures: Pictures) -> npt.NDArray[np.float64]:
    """Pictures with a mean of 0 and a standard deviation of 1."""
    grey = pictures.astype(np.float64)
    grey -= grey.mean(axis=(1, 2), keepdims=True)
    spread: npt.NDArray[np.float64] = np.maximum(grey.std(axis=(1, 2), keepdims=True), _FLAT)
    return grey / spread
