"""Where good settings are expected before anything was trained: a centre and a width a setting.

The default of the template is the centre and the width a rule: half a decade on a logarithmic
scale, three tenths of a linear range. Whoever knows more says so in the search profile. The same
belief draws the first points and then weighs the model's promise, with a power that falls as
trials come in (Hvarfner, Stoll, Souza, Lindauer, Hutter, Nardi, piBO: Augmenting acquisition
functions with user beliefs for Bayesian optimization, ICLR 2022).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
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
    """

    centre: Any = None
    width: float | None = None
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CubePrior:
    """The belief over a whole cube, each setting by itself.

    Attributes:
        cube: The space.
        centres: (d,) Coordinates of the centres; NaN for a choice and where nothing is believed.
        widths: (d,) Standard deviations in sides of the cube.
        options: Column to the probability of each option, for choices.
    """

    cube: Cube
    centres: Array
    widths: Array
    options: Mapping[int, Array]

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
        )

    def at(self, shares: Array) -> Array:
        """(m, d) The points at the quantiles ``shares`` (m, d) in [0, 1) of the belief."""
        points = self.cube.spread(shares)
        for column, probabilities in self.options.items():
            edges = np.cumsum(probabilities)[:-1]
            points[:, column] = np.searchsorted(edges, shares[:, column], side="right")
        known = ~np.isnan(self.centres)
        centres, widths = self.centres[known], self.widths[known]
        low, high = ndtr(-centres / widths), ndtr((1 - centres) / widths)
        points[:, known] = centres + widths * ndtri(low + shares[:, known] * (high - low))
        return self.cube.snap(points)

    def log_density(self, points: Array) -> Array:
        """(m,) The logarithm of the density at points (m, d), up to a constant."""
        gaps = (points - np.nan_to_num(self.centres)) / self.widths
        total = -0.5 * (gaps[:, ~np.isnan(self.centres)] ** 2).sum(axis=1)
        for column, probabilities in self.options.items():
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
