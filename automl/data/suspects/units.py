"""Sizes and distances in another unit than the others, or than any real object."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from automl.data.suspects.finding import Certainty, Finding, FindingKind

__all__ = ["ObjectMeasure", "check_units"]

_FACTORS: Final = (100.0, 1000.0)
_WIDTH: Final = 2.5  # how far from a factor of 100 is still taken for it
_FEWEST: Final = 3
#: Metres that the middle object of a split may measure: from a coin to a bus.
_SIZES_M: Final = (0.01, 20.0)
_DISTANCES_M: Final = (0.03, 200.0)
_USUAL_M: Final = 0.3
_NAMES: Final = {100.0: "centimetres", 1000.0: "millimetres"}


@dataclass(frozen=True, slots=True)
class ObjectMeasure:
    """The lengths of one object.

    Attributes:
        path: Its annotation file.
        number: Of the object in the file.
        category: Its class.
        diagonal_m: Of its box, as the file says it, metres.
        distance_m: Of its centre from the camera, likewise.
    """

    path: Path
    number: int
    category: str
    diagonal_m: float
    distance_m: float


_LENGTHS: Final = (("box", "diagonal_m", _SIZES_M), ("distance", "distance_m", _DISTANCES_M))


def check_units(measures: Sequence[ObjectMeasure]) -> Iterator[Finding]:
    """Lengths that are probably no metres.

    Those of an object 100 or 1000 times as large, or as far, as the others of its category; those
    of a split whose middle object is larger than a bus or smaller than a coin.

    Args:
        measures: Those of a split.
    """
    for category, members in sorted(_by_category(measures).items()):
        for name, field, range_m in _LENGTHS:
            lengths = [float(getattr(each, field)) for each in members]
            middle = median(lengths)
            low, high = range_m
            if not low <= middle <= high:
                yield _split_finding(members, category, name, middle)
            if len(members) >= _FEWEST:
                yield from _odd_ones(members, lengths, name, middle)


def _by_category(measures: Sequence[ObjectMeasure]) -> Mapping[str, list[ObjectMeasure]]:
    found: dict[str, list[ObjectMeasure]] = defaultdict(list)
    for each in measures:
        found[each.category].append(each)
    return found


def _split_finding(
    members: Sequence[ObjectMeasure], category: str, name: str, middle: float
) -> Finding:
    what = f"the middle {name} of {len(members)} objects of {category} is {middle:.3g} m"
    fitting = [factor for factor in _FACTORS if middle / factor <= 10 * _USUAL_M]
    unit = f": {_NAMES[fitting[0]]}?" if middle > 1.0 and fitting else ""
    fix = "give scale, location, keypoints_3d and the plane in metres"
    first = members[0]
    return Finding(FindingKind.UNITS, first.path, what + unit, Certainty.POSSIBLE, fix, middle)


def _odd_ones(
    members: Sequence[ObjectMeasure], lengths: Sequence[float], name: str, middle: float
) -> Iterator[Finding]:
    for each, length in zip(members, lengths, strict=True):
        ratio = max(length, 1e-12) / middle
        large = max(ratio, 1.0 / ratio)
        factor = next((f for f in _FACTORS if f / _WIDTH <= large <= f * _WIDTH), None)
        if factor is None:
            continue
        way = "large" if ratio > 1.0 else "small"
        if name == "distance":
            way = "far" if ratio > 1.0 else "near"
        what = (
            f"its {name} of {length:.3g} m is about {factor:g} times as {way} as that of the"
            f" other objects of {each.category} ({middle:.3g} m in the middle)"
        )
        fix = "give scale, location and keypoints_3d in metres"
        yield Finding(
            FindingKind.UNITS, each.path, what, Certainty.LIKELY, fix, large, each.number
        )
