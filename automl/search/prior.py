"""Where good settings are expected before anything was trained: a centre and a width a setting.

The default of the template is the centre and the width a rule: half a decade on a logarithmic
scale, three tenths of a linear range. It draws every second of the first points and counts no
more: measured, a default that went on pulling held the search back, and where all that is near
the default is a plateau, a search that began there alone did not leave it (a defensive mixture:
Hesterberg, Weighted average importance sampling and defensive mixture distributions,
Technometrics 37, 1995). Whoever knows better says so in the search profile; such a belief then
weighs the model's promise too, with a power that falls as trials come in (Hvarfner, Stoll, Souza,
Lindauer, Hutter, Nardi, piBO: Augmenting acquisition functions with user beliefs for Bayesian
optimization, ICLR 2022).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from automl.search.encoding import Array, Cube, Dimension

__all__ = ["DECADES", "SHARE_OF_RANGE", "CubePrior", "Prior"]

#: The rule: standard deviations on a logarithmic and on a linear scale.
DECADES, SHARE_OF_RANGE = 0.5, 0.3


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of one setting.

    Attributes:
        centre: The draw that is expected to be best; None for no belief.
        width: Standard deviation as a share of the range on its own scale; of a choice the share
            of all other options together, from 0 to 1. None for the rule.
        weights: One weight an option, for the first draws of a choice without a width.
        is_stated: Whether somebody says so; the default's rule ends with the first points.
    """

    centre: Any = None
    width: float | None = None
    weights: tuple[float, ...] = ()
    is_stated: bool = False


@dataclass(frozen=True, slots=True)
class CubePrior:
    """The belief over a whole cube, each setting by itself.

    Attributes:
        cube: The space.
        centres: (d,) Coordinates of the centres; NaN for a choice and where nothing is believed.
        widths: (d,) Standard deviations in sides of the cube.
        options: Column to the probability of each option, for choices.
        is_stated: (d,) Which beliefs somebody stated.
    """

    cube: Cube
    centres: Array
    widths: Array
    options: Mapping[int, Array]
    is_stated: NDArray[np.bool_]

    @classmethod
    def of(cls, cube: Cube, priors: Mapping[str, Prior]) -> "CubePrior":
        """The belief of a cube, of the priors of its settings by name."""
        pairs = [(one, priors.get(one.name, Prior())) for one in cube.dimensions]
        placed = [math.nan if one.n_options else one.encode(prior.centre) for one, prior in pairs]
        return cls(
            cube,
            np.array(placed, dtype=float),
            np.array([_width(one, prior.width) for one, prior in pairs], dtype=float),
            {
                column: _probabilities(one, prior)
                for column, (one, prior) in enumerate(pairs)
                if one.n_options
            },
            np.array([prior.is_stated for _, prior in pairs], dtype=bool),
        )

    def at(self, shares: Array, *, is_wide: bool = False) -> Array:
        """(m, d) The points at the quantiles ``shares`` (m, d) in [0, 1) of the belief.

        Args:
            shares: Uniform draws.
            is_wide: Whether a number of which nobody stated a belief is drawn from all its range.
        """
        points = self.cube.spread(shares)
        for column, probabilities in self.options.items():
            edges = np.cumsum(probabilities)[:-1]
            points[:, column] = np.searchsorted(edges, shares[:, column], side="right")
        known = ~np.isnan(self.centres) & (self.is_stated | (not is_wide))
        centres, widths = self.centres[known], self.widths[known]
        low, high = ndtr(-centres / widths), ndtr((1 - centres) / widths)
        points[:, known] = centres + widths * ndtri(low + shares[:, known] * (high - low))
        return self.cube.snap(points)

    def log_density(self, points: Array) -> Array:
        """(m,) Log density of what is stated at points (m, d), up to a constant."""
        counted = self.is_stated & ~np.isnan(self.centres)
        gaps = (points[:, counted] - self.centres[counted]) / self.widths[counted]
        total = -0.5 * np.square(gaps).sum(axis=1)
        for column, probabilities in self.options.items():
            if self.is_stated[column]:
                total = total + np.log(probabilities)[points[:, column].astype(int)]
        return np.asarray(total)


def _width(dimension: Dimension, width: float | None) -> float:
    """A width in sides of the cube."""
    if dimension.n_options:
        return 1.0
    if width is not None:
        return width
    return DECADES / dimension.decades if dimension.log else SHARE_OF_RANGE


def _probabilities(dimension: Dimension, prior: Prior) -> Array:
    """The probability of each option of a choice, none of them 0 unless a weight says so."""
    n = dimension.n_options
    place = dimension.encode(prior.centre)
    if prior.width is not None and not math.isnan(place) and n > 1:
        shares = np.full(n, prior.width / (n - 1))
        shares[int(place)] = 1 - prior.width
        return shares
    weights = np.asarray(prior.weights, dtype=float)
    is_usable = len(weights) == n and weights.min() >= 0 and weights.sum() > 0
    return weights / weights.sum() if is_usable else np.full(n, 1 / n)
