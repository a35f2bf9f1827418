"""What settings are worth beneath the luck of a seed: a model over all values that were measured.

The best of many noisy values is too good to be repeated (the winner's curse). A model that takes
each value for the worth of its settings plus the luck of its seed, and that learns from the values
beside it how much was luck, pulls each towards what the others say (shrinkage; James and Stein
1961, and Efron 2011, "Tweedie's Formula and Selection Bias").
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from automl.skill.tree import ParamValue

if TYPE_CHECKING:
    from automl.study.matern import Array

__all__ = ["MOST_POINTS", "Observed", "Posterior", "posterior", "squared_distances"]

#: Points of one model; of more, those nearest to the best one are taken.
MOST_POINTS = 200
#: A positive setting is looked at by its logarithm where its largest value is so many times the
#: smallest.
_DECADE = 10.0
_OUTER_FENCE = 3.0  # Tukey's, in ranges between the quartiles
_ROUNDING = 1e-12  # values that differ by less, relative to their size, are equal

Column = tuple[ParamValue, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """Settings and what was measured at them; hashable.

    Attributes:
        n_points: How many points there are.
        columns: One tuple a setting, with its value at each point: a number, a word, or None
            where the setting had none.
        losses: What was measured, lower being better.
        of: The point of each loss; a point may have several, or none.
    """

    n_points: int
    columns: tuple[Column, ...]
    losses: tuple[float, ...]
    of: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed of points.

    Attributes:
        points: Those that the model holds, in the order of what follows.
        losses: Worth of each.
        covariance: Of those worths, row by row; without the luck of a seed.
        noise: Standard deviation of the luck of one seed.
    """

    points: tuple[int, ...]
    losses: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    noise: float

    def sd(self, place: int) -> float:
        """Standard deviation of the worth of the point at a place of ``points``."""
        return math.sqrt(max(0.0, self.covariance[place][place]))

    def sd_between(self, one: int, other: int) -> float:
        """Standard deviation of the difference of the worths at two places."""
        rows = self.covariance
        variance = rows[one][one] + rows[other][other] - 2.0 * rows[one][other]
        return math.sqrt(max(0.0, variance))


@lru_cache(maxsize=16)
def posterior(observed: Observed) -> Posterior | None:
    """What is believed of every point once all values are looked at together.

    Far worse values than the others count as less bad: how far a collapsed training fell says
    nothing of the good ones.

    Returns:
        None where the values do not differ, or admit no model.
    """
    import numpy as np

    from automl.study.gaussian_fit import GaussianFit  # scipy: a fifth of a second

    losses = _clipped(np.asarray(observed.losses, dtype=np.float64))
    centre, scale = float(np.median(losses)), float(losses.std())
    if not math.isfinite(scale) or scale <= _ROUNDING * float(np.abs(losses).max()):
        return None
    kept = _nearest(observed, observed.of[int(np.argmin(losses))])
    place = {point: i for i, point in enumerate(kept)}
    used = [i for i, point in enumerate(observed.of) if point in place]
    at = [place[observed.of[i]] for i in used]
    near = squared_distances(observed.columns, observed.n_points, kept, kept)
    try:
        fit = GaussianFit(near[:, at][:, :, at], (losses[used] - centre) / scale)
    except ValueError:
        return None
    mean, covariance = fit.predict(near[:, at], near)
    return Posterior(
        tuple(kept),
        tuple(map(float, centre + scale * mean)),
        tuple(tuple(map(float, row)) for row in covariance * scale**2),
        fit.noise * scale,
    )


def _clipped(losses: "Array") -> "Array":
    import numpy as np

    low, high = np.quantile(losses, (0.25, 0.75))
    return losses if high <= low else np.minimum(losses, high + _OUTER_FENCE * (high - low))


def _nearest(observed: Observed, best: int) -> list[int]:
    """The points of the model, chosen by where they lie: by their values would flatter them."""
    import numpy as np

    away = squared_distances(observed.columns, observed.n_points, [best]).sum(axis=(0, 1))
    return sorted(map(int, np.argsort(away, kind="stable")[:MOST_POINTS]))


def squared_distances(
    columns: Sequence[Column],
    n_points: int,
    rows: Sequence[int] | None = None,
    others: Sequence[int] | None = None,
) -> "Array":
    """Squared distance of two points by each setting [n_settings, n_rows, n_others].

    1 is the whole range of a number, and the distance of two different words; a setting that one
    point has and another has not counts as different.

    Args:
        columns: One a setting, its values at the points.
        n_points: How many points there are.
        rows: The points whose distances are wanted; None for all.
        others: From which points; None for all.
    """
    import numpy as np

    pairs = tuple(range(n_points) if each is None else [*each] for each in (rows, others))
    found = [_differences(column, *pairs) for column in columns if len(set(map(repr, column))) > 1]
    return np.asarray(found).reshape(len(found), len(pairs[0]), len(pairs[1]))


def _differences(column: Column, rows: Sequence[int], others: Sequence[int]) -> "Array":
    import numpy as np

    given = [value for value in column if value is not None]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in given):
        words = np.asarray([repr(value) for value in column])
        return np.asarray(words[rows][:, None] != words[others][None, :], dtype=np.float64)
    numbers = np.asarray([math.nan if value is None else value for value in column], np.float64)
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    if low > 0.0 and high >= _DECADE * low:
        numbers, low, high = np.log(numbers), math.log(low), math.log(high)
    scaled = (numbers - low) / (high - low) if high > low else numbers - low
    first, second = scaled[rows][:, None], scaled[others][None, :]
    squared = np.asarray((first - second) ** 2)
    return np.where(np.isnan(first) != np.isnan(second), 1.0, np.nan_to_num(squared))
