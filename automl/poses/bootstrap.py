"""Intervals by drawing images anew.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. Images are
drawn, not objects: the objects of one image share its light, camera and backdrop. The interval is
the percentile one. It tells how much another choice of images could change the value, not how much
another seed of the training could.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.poses.sample import Statistic

__all__ = ["Estimate", "difference", "draws", "estimate", "gap", "of_values"]

_Numbers = npt.NDArray[np.float64]

LEVEL: Final = 0.95
_MOST: Final = 1000
_FEWEST: Final = 200
_NUMBERS: Final = 1_000_000  # of draws times images: a report waits for them


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval.

    Attributes:
        value: On the images as they are; None where there is nothing to compute it from.
        low: Lower end of its interval.
        high: Upper end.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of 0."""
        return self.low is not None and self.high is not None and self.low * self.high > 0.0


def draws(n_images: int, seed: int = 0) -> _Numbers:
    """(1 + B, I): how often each image counts: once each first, then in each of B draws.

    Args:
        n_images: Images of the evaluation.
        seed: The same seed draws the same, so a report does not change when written again.
    """
    once = np.ones((1, n_images))
    if n_images < 2:
        return once
    n_draws = max(_FEWEST, min(_MOST, _NUMBERS // n_images))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n_images, np.full(n_images, 1.0 / n_images), size=n_draws)
    return np.concatenate([once, drawn.astype(np.float64)])


def estimate(statistic: Statistic, weights: _Numbers, level: float = LEVEL) -> Estimate:
    """A statistic with its interval.

    Args:
        statistic: What is estimated.
        weights: What ``draws`` gave for the evaluation's images.
        level: Of the interval, in (0, 1).
    """
    return of_values(statistic.values(weights), level)


def difference(
    pair: tuple[Statistic, Statistic], weights: _Numbers, level: float = LEVEL
) -> Estimate:
    """The first statistic minus the second, both of the same images in the same order.

    Both are computed on each draw, so what an image does to both of them drops out.
    """
    return of_values(pair[0].values(weights) - pair[1].values(weights), level)


def gap(
    first: tuple[Statistic, _Numbers], second: tuple[Statistic, _Numbers], level: float = LEVEL
) -> Estimate:
    """The first statistic minus the second, of different images, each with its own draws."""
    ours, theirs = (statistic.values(weights) for statistic, weights in (first, second))
    n = min(len(ours), len(theirs))
    return of_values(ours[:n] - theirs[:n], level)


def of_values(values: Sequence[float] | _Numbers, level: float = LEVEL) -> Estimate:
    """The first value, and the percentile interval of those of the others that are finite."""
    value, drawn = values[0], np.asarray(values[1:])
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value):
        return Estimate(None)
    if not len(drawn):
        return Estimate(float(value))
    low, high = np.quantile(drawn, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Estimate(float(value), float(low), float(high))
