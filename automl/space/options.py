"""A choice among listed values as a distribution."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution

from automl.skill.tree import ParamValue
from automl.skill.typewords import number_of
from automl.space.number_range import position_between
from automl.space.ranges import SHARE, FloatRange, IntRange
from automl.space.relations import Number, Relation, compare
from automl.space.value_text import Plain, plain, value_text

__all__ = ["Choice"]

#: More options than this are counted rather than shown.
MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice among options.

    Ordered options are rising numbers, and the sampler knows their order: they are drawn by place,
    or by share where they have weights. Others are drawn as plain data.

    Attributes:
        options: The values.
        weights: One weight per option for the start-up draws; empty for equal ones.
        is_ordered: Whether the options are numbers whose order counts.
    """

    options: tuple[ParamValue, ...]
    weights: tuple[float, ...] = ()
    is_ordered: bool = False

    log: ClassVar[bool] = False
    step: ClassVar[None] = None
    holes: ClassVar[tuple[Number, ...]] = ()

    @property
    def kind(self) -> str:
        """The name of the kind in ``space.json``."""
        return "ordered" if self.is_ordered else "categorical"

    @property
    def ends(self) -> tuple[Number, Number] | None:
        """The lowest and the highest of ordered options; None without an order."""
        return (self._numbers[0], self._numbers[-1]) if self.is_ordered else None

    @property
    def scale(self) -> str:
        """The scale in a word."""
        return "linear" if self.is_ordered else "choice"

    @property
    def largest(self) -> tuple[ParamValue, ...]:
        """The options, as the values among which a cost that grows with the value is highest."""
        return self.options

    @property
    def examples(self) -> tuple[ParamValue, ...]:
        """The options."""
        return self.options

    @property
    def value_types(self) -> frozenset[type]:
        """The types of its values."""
        return frozenset(map(type, self.options))

    @property
    def n_values(self) -> int:
        """How many options there are."""
        return len(self.options)

    @property
    def n_draws(self) -> int:
        """How many different draws there are where it is drawn as it is."""
        return len(self.options)

    @property
    def text(self) -> str:
        """The options on one line: ``DLA34 | fan_small``."""
        if len(self.options) > MOST_SHOWN:
            return f"{len(self.options)} options"
        return " | ".join(map(value_text, self.options))

    @property
    def suffix(self) -> str:
        """What the name of its draw ends in: how it is encoded."""
        if not self.is_ordered:
            return ""
        return "@share" if self.weights else "@place"

    @property
    def drawn(self) -> "FloatRange | IntRange | Choice":
        """What a sampler draws: a share, a place, or plain data."""
        if not self.is_ordered:
            return replace(self, options=tuple(map(plain, self.options)))
        return SHARE if self.weights else IntRange(0, len(self.options) - 1)

    def draw(self, trial: optuna.Trial, name: str) -> Plain:
        """What a trial draws under a name; of a choice that is drawn as it is."""
        return trial.suggest_categorical(name, tuple(map(plain, self.options)))

    def as_optuna(self) -> BaseDistribution:
        """The same options as Optuna writes them."""
        return CategoricalDistribution(tuple(map(plain, self.options)))

    def contains(self, value: Any) -> bool:
        """Whether the value may be proposed; ``1`` is ``1.0`` among ordered options alone."""
        if self.is_ordered:
            return number_of(value) is not None and value in self.options
        return any(type(option) is type(value) and option == value for option in self.options)

    def encode(self, value: Any) -> Plain:
        """The draw that stands for a value, or for the nearest option, or else for the first."""
        if not self.is_ordered:
            return plain(value if self.contains(value) else self.options[0])
        return self.share_of(value) if self.weights else self._nearest(value)

    def decode(self, draw: Any) -> ParamValue:
        """The option that a draw stands for."""
        if self.is_ordered:
            return self.at_share(draw) if self.weights else self.options[int(draw)]
        drawn = list(map(plain, self.options))
        place = next(
            at for at, known in enumerate(drawn) if type(known) is type(draw) and known == draw
        )
        option = self.options[place]
        return list(option) if isinstance(option, list) else option

    def share_of(self, value: Any) -> float:
        """The middle of the part of 0 to 1 that stands for a value, or for the nearest option."""
        nearest = self._nearest(value)
        weights = self._every_weight
        return (sum(weights[:nearest]) + weights[nearest] / 2) / sum(weights)

    def at_share(self, share: float) -> ParamValue:
        """The option that a share stands for; each has a part as large as its weight."""
        target, passed = float(share) * sum(self._every_weight), 0.0
        for option, weight in zip(self.options, self._every_weight, strict=True):
            passed += weight
            if target < passed:
                return option
        weighed = zip(self.options, self._every_weight, strict=True)
        return [option for option, weight in weighed if weight > 0][-1]

    def position(self, value: Any) -> float | None:
        """Where a number lies between ordered options, 0 to 1; None without an order."""
        return None if self.ends is None else position_between(*self.ends, value, log=False)

    def narrowed(self, relation: Relation, end: Number) -> Self | None:
        """The ordered options that compare so with ``end``; None if there are none."""
        if not self.is_ordered:
            return self
        inside = [number for number in self._numbers if compare(number, relation, end)]
        return self.keeping(lambda option: option in inside)

    def keeping(self, is_kept: Callable[[ParamValue], bool]) -> Self | None:
        """The options that pass a test; None if none does."""
        places = [place for place, option in enumerate(self.options) if is_kept(option)]
        if len(places) == len(self.options):
            return self
        weights = tuple(self.weights[place] for place in places) if self.weights else ()
        options = tuple(self.options[place] for place in places)
        kept = replace(self, options=options, weights=weights if sum(weights) else ())
        return kept if options else None

    def beside(self, edge: Number) -> tuple[Number, ...]:
        """Nothing: every option stands for itself."""
        del edge
        return ()

    def holding(self, values: Iterable[Any]) -> "FloatRange | Choice":
        """The choice with some more options; the range between the ends where they are ordered."""
        if self.ends is not None:
            low, high = self.ends
            return FloatRange(float(low), float(high)).holding(values)
        unique = {repr(value): value for value in (*self.options, *values)}
        return Choice(tuple(unique.values()))

    @property
    def _numbers(self) -> Sequence[Number]:
        """Ordered options, which are numbers."""
        return [number for option in self.options if (number := number_of(option)) is not None]

    @property
    def _every_weight(self) -> Sequence[float]:
        return self.weights or (1.0,) * len(self.options)

    def _nearest(self, value: Any) -> int:
        """The place of the ordered option that is nearest to a value."""
        number = number_of(value)
        numbers = self._numbers
        near = numbers[0] if number is None else number
        return min(range(len(numbers)), key=lambda place: abs(numbers[place] - near))
