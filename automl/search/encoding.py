"""A search space as a unit cube, in which a model measures distances.

A number lies in [0, 1] on its own scale: logarithmic where the space says so, and one of a grid in
the middle of its cell, so that every value of a grid has the same room. A choice is kept as the
index of its option and never put into an order: two different options are one unit apart, the
length of the cube. What a trial lacks (a setting that depends on another one) is NaN.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

__all__ = ["Array", "Cube", "Dimension", "dimension_of"]

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One setting as a side of the cube.

    Attributes:
        name: Optuna's name of the parameter.
        distribution: What is drawn.
        low: Lower end of the side on its own scale, half a step below the first value of a grid.
        high: Upper end likewise.
        step: Distance between the values of a grid; 0 where they are continuous.
        log: Whether the scale is logarithmic.
        n_options: Options of a choice; 0 for numbers.
    """

    name: str
    distribution: BaseDistribution
    low: float = 0.0
    high: float = 1.0
    step: float = 0.0
    log: bool = False
    n_options: int = 0

    @property
    def decades(self) -> float:
        """Length of a logarithmic side; 0 for a linear one."""
        return (self.high - self.low) / math.log(10) if self.log else 0.0

    def encode(self, value: Any) -> float:
        """The coordinate of a value; NaN for one that it does not know, or that is missing."""
        if self.n_options:
            choices = self.distribution.choices  # type: ignore[attr-defined]
            return float(choices.index(value)) if value in choices else math.nan
        if value is None or (self.log and value <= 0):
            return math.nan
        place = math.log(value) if self.log else float(value)
        return min(max((place - self.low) / (self.high - self.low), 0.0), 1.0)

    def decode(self, coordinate: float) -> Any:
        """The value at a coordinate, of the type that Optuna expects; the nearest of a grid."""
        if self.n_options:
            return self.distribution.choices[int(coordinate)]  # type: ignore[attr-defined]
        value = float(self._values(np.array([coordinate]))[0])
        return round(value) if isinstance(self.distribution, IntDistribution) else value

    def snapped(self, coordinates: Array) -> Array:
        """The nearest coordinates that values have."""
        if self.n_options:
            return np.clip(np.floor(coordinates), 0, self.n_options - 1)
        if not self.step:
            return np.clip(coordinates, 0.0, 1.0)
        values = self._values(coordinates)
        places = np.log(values) if self.log else values
        return np.asarray((places - self.low) / (self.high - self.low))

    def _values(self, coordinates: Array) -> Array:
        """The numbers at coordinates, on the grid if there is one."""
        places = self.low + coordinates * (self.high - self.low)
        values = np.exp(places) if self.log else places
        low, high = self.distribution.low, self.distribution.high  # type: ignore[attr-defined]
        if self.step:
            values = low + np.round((values - low) / self.step) * self.step
        return np.clip(values, low, high)


def dimension_of(name: str, distribution: BaseDistribution) -> Dimension:
    """The side of a cube that a distribution is.

    Raises:
        TypeError: The distribution is none of Optuna's three.
    """
    match distribution:
        case CategoricalDistribution(choices=choices):
            return Dimension(name, distribution, n_options=len(choices))
        case FloatDistribution(low=low, high=high) | IntDistribution(low=low, high=high):
            step = float(distribution.step or 0)
            ends = (low - step / 2, high + step / 2)
            if distribution.log:
                ends = (math.log(ends[0]), math.log(ends[1]))
            return Dimension(name, distribution, *ends, step, distribution.log)
        case _:
            raise TypeError(f"unknown distribution {distribution!r}")


@dataclass(frozen=True, slots=True)
class Cube:
    """The cube of several settings; those with a single value are no dimensions.

    Attributes:
        dimensions: The sides, in the order of the columns of every array here.
        constants: Name to value of the settings that have but one.
    """

    dimensions: tuple[Dimension, ...]
    constants: Mapping[str, Any]

    @classmethod
    def of(cls, distributions: Mapping[str, BaseDistribution]) -> "Cube":
        """The cube of the distributions of a study."""
        varied = {name: one for name, one in distributions.items() if not one.single()}
        return cls(
            tuple(dimension_of(name, one) for name, one in varied.items()),
            {name: _only(one) for name, one in distributions.items() if name not in varied},
        )

    def __len__(self) -> int:
        return len(self.dimensions)

    @property
    def is_choice(self) -> NDArray[np.bool_]:
        """(d,) Which columns are indices of options."""
        return np.array([one.n_options > 0 for one in self.dimensions], dtype=bool)

    def encode(self, params: Iterable[Mapping[str, Any]]) -> Array:
        """(n, d) The points of n trials; NaN for what a trial lacks."""
        rows = [[one.encode(each.get(one.name)) for one in self.dimensions] for each in params]
        return np.array(rows, dtype=float).reshape(len(rows), len(self))

    def decode(self, point: Sequence[float] | Array) -> dict[str, Any]:
        """Name to value of every setting at a point (d,), constants included."""
        pairs = zip(self.dimensions, point, strict=True)
        return {one.name: one.decode(float(at)) for one, at in pairs} | dict(self.constants)

    def snap(self, points: Array) -> Array:
        """(m, d) The points moved into the cube and onto the grids of their settings."""
        columns = [one.snapped(points[:, at]) for at, one in enumerate(self.dimensions)]
        return np.stack(columns, axis=1)

    def spread(self, shares: Array) -> Array:
        """(m, d) The points at uniform ``shares`` (m, d) in [0, 1): options by equal parts."""
        lengths = np.array([max(one.n_options, 1) for one in self.dimensions])
        return self.snap(shares * lengths)

    @property
    def owners(self) -> NDArray[np.intp]:
        """(f,) The dimension that each column of ``features`` belongs to."""
        widths = [max(one.n_options, 1) for one in self.dimensions]
        return np.repeat(np.arange(len(self)), widths)

    def features(self, points: Array) -> Array:
        """(n, f) Points in a space in which distances are Euclidean.

        A number is its coordinate, a choice one column an option, scaled so that two options are
        one apart. What is missing lies in the middle, as far from all options as from each other:
        trials that lack a setting do not differ in it.
        """
        columns: list[Array] = []
        for column, one in enumerate(self.dimensions):
            values = points[:, column]
            if one.n_options:
                columns.extend((values == index) / math.sqrt(2) for index in range(one.n_options))
            else:
                columns.append(np.where(np.isnan(values), 0.5, values))
        return np.stack(columns, axis=1) if columns else np.zeros((len(points), 0))


def _only(distribution: BaseDistribution) -> Any:
    """The one value of a distribution that has but one."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[0]
    return distribution.low  # type: ignore[attr-defined]
