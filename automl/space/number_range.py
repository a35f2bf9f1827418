"""What every range of numbers does as a distribution: what it holds, its draws, its narrowing.

A value has two encodings. Its *draw* is what a sampler draws for it: here the number itself. Its
*share*, from 0 to 1, says how far up the range it lies, on the range's own scale; a parameter that
follows others is drawn by share, because its range moves and what a sampler draws must not.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from automl.skill.tree import ParamValue
from automl.skill.typewords import number_of
from automl.space.relations import LOWER, Number, Relation
from automl.space.value_text import value_text

__all__ = ["NumberRange", "position_between"]


@dataclass(frozen=True, slots=True)
class NumberRange(ABC):
    """A range of numbers.

    Attributes:
        low: Lowest value, inclusive.
        high: Highest value, inclusive.
        log: Whether the scale is logarithmic.
        holes: Values inside the range that are never proposed.
    """

    low: Number
    high: Number
    log: bool = False
    holes: tuple[Number, ...] = ()

    kind: ClassVar[str]
    suffix: ClassVar[str] = ""
    options: ClassVar[tuple[ParamValue, ...]] = ()
    weights: ClassVar[tuple[float, ...]] = ()

    @property
    def ends(self) -> tuple[Number, Number]:
        """The lowest and the highest value."""
        return self.low, self.high

    @property
    def scale(self) -> str:
        """The scale in a word."""
        return "log" if self.log else "linear"

    @property
    def largest(self) -> tuple[Number]:
        """The upper end, as the values among which a cost that grows with the value is highest."""
        return (self.high,)

    @property
    def examples(self) -> tuple[Number, ...]:
        """Values that stand for all of them."""
        return self.ends

    @property
    def drawn(self) -> Self:
        """What a sampler draws: the range itself."""
        return self

    def contains(self, value: Any) -> bool:
        """Whether the value may be proposed."""
        number = number_of(value)
        if number is None or not self.low <= number <= self.high:
            return False
        return self._is_on_grid(number) and number not in self.holes

    def encode(self, value: Any) -> Number:
        """The draw that stands for a value, or for the nearest one in the range."""
        number = number_of(value)
        return self._snapped(self.low if number is None else min(max(number, self.low), self.high))

    def share_of(self, value: Any) -> float:
        """The share that stands for a value, or for the nearest one in the range."""
        return self._share(self.encode(value))

    def at_share(self, share: float) -> Number:
        """The value that a share stands for."""
        return self._beside_hole(self._at(share))

    def decode(self, draw: Number) -> Number:
        """The value that a draw stands for."""
        return self._beside_hole(draw)

    def position(self, value: Any) -> float | None:
        """Where a number lies, 0 at the low end and 1 at the high end; None where it cannot."""
        return position_between(self.low, self.high, value, log=self.log)

    def narrowed(self, relation: Relation, end: Number) -> Self | None:
        """The range of the values that compare so with ``end``; None if there are none."""
        low, high, holes = self.low, self.high, self.holes
        if relation is Relation.NOT:
            holes = tuple(dict.fromkeys((*holes, end)))
        elif relation in LOWER:
            low = max(low, self._first_above(end, strict=relation is Relation.ABOVE))
        else:
            high = min(high, self._last_below(end, strict=relation is Relation.BELOW))
        narrowed = replace(self, low=low, high=high, holes=holes)
        return narrowed if narrowed.n_values >= 1 else None

    def holding(self, values: Iterable[Any]) -> Self:
        """The range, widened to hold the numbers among some values."""
        numbers = [number for value in values if (number := number_of(value)) is not None]
        return self._between(min(self.low, *numbers), max(self.high, *numbers))

    @property
    def text(self) -> str:
        """The range on one line: ``6e-06 .. 0.0006  log float``."""
        scale = "log " if self.log else ""
        return f"{value_text(self.low)} .. {value_text(self.high)}  {scale}{self.kind}"

    @property
    @abstractmethod
    def n_values(self) -> float:
        """How many values it holds; infinite for a continuous range."""

    @abstractmethod
    def _is_on_grid(self, number: Number) -> bool: ...

    @abstractmethod
    def _snapped(self, number: Number) -> Number: ...

    @abstractmethod
    def _at(self, share: float) -> Number: ...

    @abstractmethod
    def _share(self, value: Number) -> float: ...

    @abstractmethod
    def _next(self, value: Number, toward: int) -> Number: ...

    @abstractmethod
    def _first_above(self, end: Number, *, strict: bool) -> Number: ...

    @abstractmethod
    def _last_below(self, end: Number, *, strict: bool) -> Number: ...

    @abstractmethod
    def _between(self, low: Number, high: Number) -> Self: ...

    def _beside_hole(self, value: Number) -> Number:
        """The value, or where it is a hole the next legal one above it, else the next below."""
        if value not in self.holes:
            return value
        for toward, end in ((1, self.high), (-1, self.low)):
            other = value
            while other in self.holes and other != end:
                other = self._next(other, toward)
            if other not in self.holes and self.low <= other <= self.high:
                return other
        return value

    def _n_holes(self) -> int:
        return sum(self.low <= hole <= self.high for hole in self.holes)


def position_between(low: Number, high: Number, value: Any, *, log: bool) -> float | None:
    """Where a number lies between two others, 0 to 1 on a scale; None where that says nothing."""
    number = number_of(value)
    if number is None or not low < high:
        return None
    if not log:
        return float((number - low) / (high - low))
    return math.log(number / low) / math.log(high / low) if min(low, number) > 0 else None
