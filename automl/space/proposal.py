"""From draws to a proposal, and back: how each parameter is sampled so that its conditions hold.

Every parameter is one or more *dimensions* that a sampler draws from, and none of them ever
changes between trials; only what a draw means may follow other parameters:

* a plain range is drawn as it is, under its own key;
* an ordered set is drawn by place, under ``key@place``;
* a range that follows a parent is drawn as a share from 0 to 1 of the range that its parents
  leave, under ``key@share``: the sampler keeps learning although the range moves;
* a list is drawn element by element, under ``key[0]``, ``key[1]``, ...;
* an option that is no plain value is drawn as its JSON text.

A proposal obeys every condition because nothing else can be drawn; no value is mended afterwards.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from automl.skill.tree import ParamValue
from automl.space.bounds import Number
from automl.space.meaning import Plain, draw_for, is_inside, meaning, plain
from automl.space.model import Kind, Parameter, SearchSpace

__all__ = [
    "Dimension",
    "Draw",
    "decode",
    "default_params",
    "dimensions",
    "encode",
    "is_legal",
    "propose",
]


class Draw(Protocol):
    """Something that draws values by name; an Optuna trial is one."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number from ``low`` to ``high``, both inclusive."""
        ...

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """A whole number from ``low`` to ``high``, both inclusive."""
        ...

    def suggest_categorical(self, name: str, choices: Sequence[Plain]) -> Plain:
        """One of ``choices``."""
        ...


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a sampler sees of one parameter; the same in every trial.

    Attributes:
        name: Name under which it is drawn.
        kind: ``FLOAT``, ``INT`` or ``CATEGORICAL``.
        low: Lowest draw, inclusive; 0 for a categorical.
        high: Highest draw, inclusive; 0 for a categorical.
        log: Whether the scale is logarithmic.
        step: Distance of neighbouring whole numbers.
        choices: Options of a categorical; empty otherwise.
        weights: One per option for the start-up draws; empty for equal ones.
    """

    name: str
    kind: Kind
    low: Number = 0
    high: Number = 0
    log: bool = False
    step: int = 1
    choices: tuple[Plain, ...] = ()
    weights: tuple[float, ...] = ()

    def draw(self, source: Draw) -> Any:
        """What ``source`` draws for it."""
        if self.kind is Kind.CATEGORICAL:
            return source.suggest_categorical(self.name, list(self.choices))
        if self.kind is Kind.INT:
            low, high = int(self.low), int(self.high)
            return source.suggest_int(self.name, low, high, step=self.step, log=self.log)
        return source.suggest_float(self.name, self.low, self.high, log=self.log)


def dimensions(space: SearchSpace) -> tuple[Dimension, ...]:
    """Every dimension of a space, in the order of the draws."""
    return tuple(_dimension(one) for parameter in space for one in parameter.dimensions)


def _dimension(parameter: Parameter) -> Dimension:
    key, kind = parameter.key, parameter.kind
    if kind is Kind.CATEGORICAL:
        options = tuple(plain(choice) for choice in parameter.choices)
        return Dimension(key, kind, choices=options, weights=parameter.weights)
    if parameter.links or (kind is Kind.ORDERED and parameter.weights):
        return Dimension(f"{key}@share", Kind.FLOAT, 0.0, 1.0)
    if kind is Kind.ORDERED:
        return Dimension(f"{key}@place", Kind.INT, 0, len(parameter.choices) - 1)
    step = int(parameter.step or 1)
    return Dimension(key, kind, parameter.low, parameter.high, parameter.log, step)


def propose(space: SearchSpace, source: Draw) -> dict[str, ParamValue]:
    """Draws one value for every parameter, parents first; a list parameter's value is a list."""
    values: dict[str, Any] = {}
    for parameter in space:
        for one in parameter.dimensions:
            values[one.key] = meaning(one, _dimension(one).draw(source), values)
        _gather(parameter, values)
    return {key: values[key] for key in space.keys}


def _gather(parameter: Parameter, values: dict[str, Any]) -> None:
    if parameter.kind is Kind.LIST:
        values[parameter.key] = [values[element.key] for element in parameter.elements]


def default_params(space: SearchSpace) -> dict[str, ParamValue]:
    """The value of trial 0 for every parameter."""
    return {parameter.key: parameter.default for parameter in space}


def encode(space: SearchSpace, params: Mapping[str, ParamValue]) -> dict[str, Plain]:
    """The draws that stand for ``params``; the nearest ones where a value is not in the space."""
    draws: dict[str, Plain] = {}
    for one, value, values in _walk(space, params):
        draws[_dimension(one).name] = draw_for(one, value, values)
    return draws


def decode(space: SearchSpace, draws: Mapping[str, Any]) -> dict[str, ParamValue]:
    """The parameters that recorded draws stand for.

    Raises:
        KeyError: A dimension of the space was not drawn.
    """
    return propose(space, _Recorded(draws))


def is_legal(space: SearchSpace, params: Mapping[str, ParamValue]) -> dict[str, bool]:
    """For every parameter whether ``params`` has a value that the space could propose."""
    legal = dict.fromkeys(space.keys, True)
    owner = {one.key: parameter.key for parameter in space for one in parameter.dimensions}
    for one, value, values in _walk(space, params):
        legal[owner[one.key]] &= is_inside(one, value, values)
    return legal


def _walk(
    space: SearchSpace, params: Mapping[str, ParamValue]
) -> Iterator[tuple[Parameter, Any, dict[str, Any]]]:
    """Each sampled part of ``params`` with its value and the values drawn before it."""
    values: dict[str, Any] = {}
    for parameter in space:
        given = params.get(parameter.key)
        parts = given if parameter.kind is Kind.LIST and isinstance(given, list) else [given]
        for place, one in enumerate(parameter.dimensions):
            value = parts[place] if place < len(parts) else None
            yield one, value, values
            values[one.key] = value
        _gather(parameter, values)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """Draws that were made before."""

    draws: Mapping[str, Any]

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """The recorded number."""
        del low, high, step, log
        return float(self.draws[name])

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """The recorded whole number."""
        del low, high, step, log
        return int(self.draws[name])

    def suggest_categorical(self, name: str, choices: Sequence[Plain]) -> Plain:
        """The recorded option."""
        del choices
        recorded: Plain = self.draws[name]
        return recorded
