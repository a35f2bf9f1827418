"""Where the good settings are: functions on the unit cube whose best value is known.

Each instance is drawn from a seed, so that a method cannot win by knowing where one optimum lies.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["OPTIMUM", "Hills", "Landscape", "Valley", "hills", "valley"]

Point = npt.NDArray[np.float64]

#: The best value of every landscape.
OPTIMUM = 0.794
# So that Optuna's TPE needs about as long as it is known to for two settings; with more settings,
# hills that are steeper in a few of them leave the others to be found.
_STEEPEST_OF_TWO = 8.0


class Landscape(Protocol):
    """What a whole training scores without noise."""

    @property
    def best(self) -> Point:
        """Where its best value is, each setting 0 to 1."""
        ...

    def value(self, at: Point) -> float:
        """The score of settings, each 0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Hills:
    """Several hills with long tails; the highest is the narrowest.

    Attributes:
        tops: Where they are, ``(n_hills, n_settings)``; the best first.
        heights: How high, ``(n_hills,)``.
        steepness: How fast each setting costs, ``(n_hills, n_settings)``.
    """

    tops: Point
    heights: Point
    steepness: Point

    @property
    def best(self) -> Point:
        """The top of the highest hill."""
        top: Point = self.tops[0]
        return top

    def value(self, at: Point) -> float:
        """The highest of the hills at a point."""
        cost = np.sum(self.steepness * (self.tops - at) ** 2, axis=1)
        return float(np.max(self.heights / (1.0 + cost)))


def hills(seed: int, n_settings: int, n_hills: int = 3) -> Hills:
    """An instance: settings matter by a factor of two less, one after the other, in any order."""
    rng = np.random.default_rng([seed, n_settings, 1])
    tops = rng.uniform(0.15, 0.85, (n_hills, n_settings))
    heights = OPTIMUM * np.array([1.0, *rng.uniform(0.85, 0.95, n_hills - 1)])
    steepest = 40.0 if n_settings > 2 else _STEEPEST_OF_TWO
    weights = rng.permutation(steepest * 0.5 ** np.minimum(np.arange(n_settings), 5))
    sharp = np.array([1.0, *rng.uniform(0.3, 0.8, n_hills - 1)])
    return Hills(tops, heights, sharp[:, None] * weights)


@dataclass(frozen=True, slots=True)
class Valley:
    """One bent valley with ripples and a cliff on one side of its first setting.

    Attributes:
        bottom: Where it is best, ``(n_settings,)``.
        weights: How fast each setting costs, ``(n_settings,)``.
        bend: How far the second setting has to follow the square of the first.
        ripple: Height of the ripples; they vanish at the best point.
        cliff: How much faster the first setting costs above its best value.
    """

    bottom: Point
    weights: Point
    bend: float
    ripple: float
    cliff: float

    @property
    def best(self) -> Point:
        """The only best point."""
        return self.bottom

    def value(self, at: Point) -> float:
        """The score, from 0."""
        off = at - self.bottom
        off[1] += self.bend * off[0] ** 2
        steep = np.ones_like(off)
        steep[0] = self.cliff if off[0] > 0 else 1.0
        cost = float(np.sum(self.weights * steep * off**2))
        waves = float(np.mean(1.0 - np.cos(6.0 * np.pi * off)))
        return OPTIMUM * float(np.exp(-(cost**0.7) - self.ripple * waves))


def valley(seed: int, n_settings: int) -> Valley:
    """An instance of the kind that nothing is tuned on."""
    rng = np.random.default_rng([seed, n_settings, 2])
    bottom = rng.uniform(0.2, 0.8, n_settings)
    weights = rng.permutation(12.0 * 0.6 ** np.arange(n_settings))
    bend, ripple, cliff = rng.uniform((0.5, 0.02, 2.0), (2.0, 0.08, 5.0))
    return Valley(bottom, weights, float(bend), float(ripple), float(cliff))
