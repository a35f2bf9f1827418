"""A line through few points, with its uncertainty."""

import math
from dataclasses import dataclass

import numpy as np

from automl.search.ranks import Array

__all__ = ["Line", "fit_line"]

# The prior of the noise counts as so many points.
_PRIOR_POINTS = 4
# What lies further below the median than so many times the best lies above it is clipped: how bad
# a bad trial is says nothing about good ones.
_CLIP = 3.0


@dataclass(frozen=True, slots=True)
class Line:
    """The posterior of a line.

    Attributes:
        x: Mean of the points' scores.
        y: Mean of their values.
        slope: At least 0.
        noise: Variance of a value about the line.
        slope_variance: Variance of the slope.
        n: How many points it goes through.
    """

    x: float
    y: float
    slope: float
    noise: float
    slope_variance: float
    n: int

    def at(self, score: float) -> tuple[float, float]:
        """Mean and standard deviation of the value at a score."""
        away = score - self.x
        variance = self.noise * (1.0 + 1.0 / self.n) + away * away * self.slope_variance
        return self.y + self.slope * away, math.sqrt(variance)


def fit_line(scores: Array, ends: Array, values: Array, unexplained: float) -> Line:
    """The line from expected normal scores to values: conjugate Bayesian regression.

    A score is in standard deviations of the values, so the prior of the slope is their spread,
    give or take a half; that of the noise is the part of their variance that the score leaves.

    Args:
        scores: Of each trial that has ended, at least one; shape (n,).
        ends: The final value of each of these, shape (n,).
        values: The best value so far of every trial, for the spread; shape (trials,).
        unexplained: Share of the variance that the score leaves, in (0, 1].
    """
    ends = _clipped(ends)
    spread = _spread(_clipped(values), ends)
    noise = spread * spread * unexplained
    x, y, n = float(scores.mean()), float(ends.mean()), len(ends)
    if noise == 0.0:
        return Line(x, y, 0.0, 0.0, 0.0, n)
    away = scores - x
    prior_precision = 4.0 / (spread * spread)
    slope_precision = prior_precision + float(away @ away) / noise
    slope = max(0.0, (prior_precision * spread + float(away @ ends) / noise) / slope_precision)
    left = ends - y - slope * away
    noise = (_PRIOR_POINTS * noise + float(left @ left)) / (_PRIOR_POINTS + n - 1)
    return Line(x, y, slope, noise, 1.0 / slope_precision, n)


def _clipped(values: Array) -> Array:
    middle, best = np.median(values), values.max()
    return np.maximum(values, middle - _CLIP * (best - middle)) if best > middle else values


def _spread(values: Array, ends: Array) -> float:
    """Standard deviation of the ends; before there are three, at least half their size."""
    seen = max(_deviation(values), _deviation(ends))
    return seen if len(ends) > 2 else max(seen, abs(float(ends.mean())) / 2)


def _deviation(values: Array) -> float:
    """The standard deviation; exactly 0 of equal values."""
    return float(values.std()) if values.min() < values.max() else 0.0
