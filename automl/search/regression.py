"""A line through few points, with its uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, pstdev

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


def fit_line(
    points: Sequence[tuple[float, float]], values: Sequence[float], unexplained: float
) -> Line:
    """The line from expected normal scores to values: conjugate Bayesian regression.

    A score is in standard deviations of the values, so the prior of the slope is their spread,
    give or take a half; that of the noise is the part of their variance that the score leaves.

    Args:
        points: Score and final value of each trial that has ended; at least one.
        values: The best value so far of every trial, for the spread.
        unexplained: Share of the variance that the score leaves, in (0, 1].
    """
    ends = _clipped([value for _, value in points])
    spread = _spread(_clipped(values), ends)
    noise = spread * spread * unexplained
    x, y = fmean(score for score, _ in points), fmean(ends)
    along = sum((score - x) ** 2 for score, _ in points)
    together = sum((score - x) * end for (score, _), end in zip(points, ends, strict=True))
    if noise == 0.0:
        return Line(x, y, 0.0, 0.0, 0.0, len(points))
    prior_precision = 4.0 / (spread * spread)
    slope_precision = prior_precision + along / noise
    slope = max(0.0, (prior_precision * spread + together / noise) / slope_precision)
    left = sum(
        (end - y - slope * (score - x)) ** 2 for (score, _), end in zip(points, ends, strict=True)
    )
    noise = (_PRIOR_POINTS * noise + left) / (_PRIOR_POINTS + len(points) - 1)
    return Line(x, y, slope, noise, 1.0 / slope_precision, len(points))


def _clipped(values: Sequence[float]) -> list[float]:
    middle = median(values)
    lowest = middle - _CLIP * (max(values) - middle)
    return [max(lowest, value) for value in values] if max(values) > middle else list(values)


def _spread(values: Sequence[float], ends: Sequence[float]) -> float:
    """Standard deviation of the ends; before there are three, at least half their size."""
    seen = max(pstdev(values), pstdev(ends))
    return seen if len(ends) > 2 else max(seen, abs(fmean(ends)) / 2)
