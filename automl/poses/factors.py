"""What the error of a pose may hang on: how far, from where, how visible, how truncated.

Two evaluations of one split have the same targets in the same order, so that their difference can
be asked of any group of objects.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.poses.bootstrap import Estimate, difference, draws, of_values
from automl.poses.sample import Ratio, Sample

__all__ = ["Factor", "Gain", "Group", "factors_of", "gain_of", "mean_overlap"]

_Mask = npt.NDArray[np.bool_]
_QUARTERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_SECTOR_DEG: Final = 60
_FEWEST: Final = 5  # objects of a group that a sentence may be about
_CHANCE: Final = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Targets that are alike in one respect.

    Attributes:
        label: Which, for an axis: ``0.9 to 1.2 m``.
        members: (M,) whether each target is among them.
    """

    label: str
    members: _Mask

    @property
    def n(self) -> int:
        """How many they are."""
        return int(self.members.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """One respect, and the groups that it divides the targets into; none is empty.

    Attributes:
        title: What it is.
        said: How a sentence begins that is about one of its groups: ``objects at a distance of``.
        groups: In their natural order.
    """

    title: str
    said: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Gain:
    """The group that gained more than the rest.

    Attributes:
        said: The group, in words.
        n: Its objects.
        inside: Its own mean gain in 3D IoU.
        outside: That of all other objects.
    """

    said: str
    n: int
    inside: float
    outside: float


def mean_overlap(sample: Sample, members: _Mask | None = None) -> Ratio:
    """The mean 3D IoU over targets, or over some of them; 0 for one that was not found."""
    overlaps = np.nan_to_num(sample.targets.numbers("iou_3d"))
    if members is None:
        return sample.over_targets(overlaps)
    n = len(sample.names)
    home = sample.home[members]
    total = np.bincount(home, weights=overlaps[members], minlength=n).astype(np.float64)
    return Ratio(total, np.bincount(home, minlength=n).astype(np.float64))


def factors_of(sample: Sample) -> tuple[Factor, ...]:
    """The respects in which the targets of an evaluation differ at all."""
    facts = sample.targets
    made = (
        _distance(facts.numbers("distance_m")),
        _azimuth(facts.numbers("azimuth_deg")),
        _visibility(facts.numbers("visibility")),
        _truncation(facts.numbers("truncation")),
    )
    kept = [
        Factor(factor.title, factor.said, tuple(group for group in factor.groups if group.n))
        for factor in made
    ]
    return tuple(factor for factor in kept if len(factor.groups) > 1)


def _distance(values: npt.NDArray[np.float64]) -> Factor:
    edges = np.quantile(values, _QUARTERS) if len(values) else np.zeros(0)
    edges = np.unique(np.round(edges, 2))
    places = np.searchsorted(edges[1:-1], values, side="right")
    groups = [
        Group(f"{low:.2f} to {high:.2f} m", places == k)
        for k, (low, high) in enumerate(pairwise(edges))
    ]
    return Factor("distance", "objects at a distance of", tuple(groups))


def _azimuth(values: npt.NDArray[np.float64]) -> Factor:
    starts = range(-180, 180, _SECTOR_DEG)
    wrapped = (values + 180.0) % 360.0 - 180.0
    groups = [
        Group(
            f"{start}° to {start + _SECTOR_DEG}°",
            (wrapped >= start) & (wrapped < start + _SECTOR_DEG),
        )
        for start in starts
    ]
    return Factor("azimuth", "objects seen at an azimuth of", tuple(groups))


def _visibility(values: npt.NDArray[np.float64]) -> Factor:
    groups = (
        Group("below 50 %", values < 0.5),
        Group("50 to 90 %", (values >= 0.5) & (values < 0.9)),
        Group("90 % or more", values >= 0.9),
    )
    return Factor("visibility", "objects with a visible share of", groups)


def _truncation(values: npt.NDArray[np.float64]) -> Factor:
    groups = (
        Group("none", values < 1e-3),
        Group("up to 20 %", (values >= 1e-3) & (values < 0.2)),
        Group("20 % or more", values >= 0.2),
    )
    return Factor("truncation", "objects with a share outside the image of", groups)


def gain_of(winner: Sample, default: Sample) -> Gain | None:
    """The group of objects that the winner's gain over the default comes from.

    Both the gain in mean 3D IoU and the group's excess over all other objects must be beyond
    chance; the level is divided by the number of groups that are asked (Bonferroni).

    Returns:
        The group with the largest excess; None where there is no gain, or no group stands out.
    """
    weights = draws(len(winner.names))
    whole = difference((mean_overlap(winner), mean_overlap(default)), weights)
    if whole.low is None or whole.low <= 0.0:
        return None
    asked = [
        (factor, group)
        for factor in factors_of(winner)
        for group in factor.groups
        if group.n >= _FEWEST and len(group.members) - group.n >= _FEWEST
    ]
    found = []
    for factor, group in asked:
        excess, inside, outside = _excess(winner, default, group.members, 1 - _CHANCE / len(asked))
        if excess.value is not None and excess.low is not None and excess.low > 0.0:
            said = f"{factor.said} {group.label}"
            found.append((excess.value, Gain(said, group.n, inside, outside)))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _excess(
    winner: Sample, default: Sample, members: _Mask, level: float
) -> tuple[Estimate, float, float]:
    """How much more a group gains than the rest, and the gains of both."""
    weights = draws(len(winner.names))
    gains = [
        mean_overlap(winner, mask).values(weights) - mean_overlap(default, mask).values(weights)
        for mask in (members, ~members)
    ]
    return of_values(gains[0] - gains[1], level), float(gains[0][0]), float(gains[1][0])
