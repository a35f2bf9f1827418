"""The two ranges of numbers: continuous, and whole numbers with a step."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from automl.skill.tree import ParamValue
from automl.space.number_range import NumberRange
from automl.space.relations import Number
from automl.space.value_text import value_text

__all__ = ["SHARE", "FloatRange", "IntRange"]

#: A range of more whole numbers than this is stood for by its ends.
MOST_EXAMPLES = 100


@dataclass(frozen=True, slots=True)
class FloatRange(NumberRange):
    """A continuous range; ``low``, ``high``, ``log`` and ``holes`` as in every range."""

    kind: ClassVar[str] = "float"
    step: ClassVar[None] = None
    value_types: ClassVar[frozenset[type]] = frozenset((float,))

    def draw(self, trial: optuna.Trial, name: str) -> float:
        """What a trial draws under a name."""
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def as_optuna(self) -> BaseDistribution:
        """The same range as Optuna writes it."""
        return FloatDistribution(self.low, self.high, log=self.log)

    @property
    def n_draws(self) -> float:
        """How many different draws there are."""
        return 1 if self.low == self.high else math.inf

    @property
    def n_values(self) -> float:
        """How many values it holds; infinite unless it is a point."""
        if self.low > self.high:
            return 0
        return math.inf if self.high > self.low else 1 - self._n_holes()

    def keeping(self, is_kept: Callable[[ParamValue], bool]) -> Self:
        """The range itself: a continuous range is not looked through value by value."""
        del is_kept
        return self

    def beside(self, edge: Number) -> tuple[Number, ...]:
        """A number and its neighbours, whether in the range or not."""
        return (self._next(edge, -1), float(edge), self._next(edge, 1))

    def _is_on_grid(self, number: Number) -> bool:
        del number
        return True

    def _snapped(self, number: Number) -> float:
        return float(number)

    def _at(self, share: float) -> Number:
        low, high = self.low, self.high
        value = low * (high / low) ** share if self.log else low + (high - low) * share
        return min(max(value, low), high)

    def _share(self, value: Number) -> float:
        place = self.position(value)
        return 0.5 if place is None else min(max(place, 0.0), 1.0)

    def _next(self, value: Number, toward: int) -> float:
        return math.nextafter(value, math.inf * toward)

    def _first_above(self, end: Number, *, strict: bool) -> float:
        return math.nextafter(end, math.inf) if strict else float(end)

    def _last_below(self, end: Number, *, strict: bool) -> float:
        return math.nextafter(end, -math.inf) if strict else float(end)

    def _between(self, low: Number, high: Number) -> Self:
        return replace(self, low=float(low), high=float(high), log=self.log and low > 0)


#: What is drawn for a parameter whose values are encoded by share.
SHARE = FloatRange(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class IntRange(NumberRange):
    """A range of whole numbers.

    Attributes:
        step: Distance between neighbouring values, counted from ``low``; beside them as in every
            range ``low``, ``high``, ``log`` and ``holes``.
    """

    step: int = 1

    kind: ClassVar[str] = "int"
    value_types: ClassVar[frozenset[type]] = frozenset((int,))

    def draw(self, trial: optuna.Trial, name: str) -> int:
        """What a trial draws under a name."""
        low, high = int(self.low), int(self.high)
        return trial.suggest_int(name, low, high, step=self.step, log=self.log)

    def as_optuna(self) -> BaseDistribution:
        """The same range as Optuna writes it."""
        return IntDistribution(int(self.low), int(self.high), log=self.log, step=self.step)

    @property
    def n_draws(self) -> float:
        """How many different draws there are."""
        return (int(self.high) - int(self.low)) // self.step + 1

    @property
    def examples(self) -> tuple[Number, ...]:
        """Values that stand for all of them: every one, or the ends where there are many."""
        if self.n_draws > MOST_EXAMPLES:
            return self.ends
        return tuple(range(int(self.low), int(self.high) + 1, self.step))

    @property
    def n_values(self) -> float:
        """How many values it holds."""
        if self.low > self.high:
            return 0
        return (self.high - self.low) // self.step + 1 - self._n_holes()

    @property
    def text(self) -> str:
        """The range on one line: ``60 .. 1024  int step 8``."""
        step = f" step {self.step}" if self.step != 1 else ""
        scale = "log " if self.log else ""
        return f"{value_text(self.low)} .. {value_text(self.high)}  {scale}int{step}"

    def keeping(self, is_kept: Callable[[ParamValue], bool]) -> Self | None:
        """The range of the first run of values that pass a test; None if none passes."""
        values = range(int(self.low), int(self.high) + 1, self.step)
        passes = [is_kept(value) for value in values]
        if all(passes):
            return self
        first = next((place for place, passed in enumerate(passes) if passed), None)
        if first is None:
            return None
        behind = next((at for at in range(first, len(passes)) if not passes[at]), len(passes))
        return replace(self, low=values[first], high=values[behind - 1])

    def beside(self, edge: Number) -> tuple[Number, ...]:
        """The values of the grid at a number and next to it, whether in the range or not."""
        place = math.floor((edge - self.low) / self.step)
        return tuple(self.low + (place + near) * self.step for near in (-1, 0, 1, 2))

    def odd(self) -> Self:
        """The odd numbers of a range whose step is 1."""
        low, high = self.low + 1 - self.low % 2, self.high - 1 + self.high % 2
        return replace(self, low=low, high=high, step=2, log=False)

    def _is_on_grid(self, number: Number) -> bool:
        return (number - self.low) % self.step == 0

    def _snapped(self, number: Number) -> int:
        return int(self.low) + int((number - self.low) // self.step) * self.step

    def _at(self, share: float) -> int:
        low, high = int(self.low), int(self.high)
        if self.log:
            return min(int(low * ((high + 1) / low) ** share), high)
        count = (high - low) // self.step + 1
        return low + min(int(share * count), count - 1) * self.step

    def _share(self, value: Number) -> float:
        """The middle of the part of a range that stands for a whole number."""
        if self.log:
            return math.log((value + 0.5) / self.low) / math.log((self.high + 1) / self.low)
        count = (self.high - self.low) // self.step + 1
        return (round((value - self.low) / self.step) + 0.5) / count

    def _next(self, value: Number, toward: int) -> Number:
        return value + toward * self.step

    def _first_above(self, end: Number, *, strict: bool) -> Number:
        least = math.floor(end) + 1 if strict else math.ceil(end)
        return self.low + max(0, math.ceil((least - self.low) / self.step)) * self.step

    def _last_below(self, end: Number, *, strict: bool) -> Number:
        most = math.ceil(end) - 1 if strict else math.floor(end)
        return self.low + math.floor((most - self.low) / self.step) * self.step

    def _between(self, low: Number, high: Number) -> Self:
        return replace(self, low=int(low), high=int(high), log=self.log and low > 0, step=1)
