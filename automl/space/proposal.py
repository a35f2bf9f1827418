"""From draws to a proposal, and back: how each parameter is sampled so that its conditions hold.

Everything that a sampler draws is the same in every trial; only what a draw means may follow other
parameters:

* a plain range is drawn as it is, under its own key;
* an ordered choice is drawn by place, under ``key@place``;
* a range that follows a parent is drawn as a share from 0 to 1 of the range that its parents
  leave, under ``key@share``: the sampler keeps learning although the range moves;
* a list is drawn element by element, under ``key[0]``, ``key[1]``, ...;
* an option that is no plain value is drawn as its JSON text.

A proposal obeys every condition because nothing else can be drawn; no value is corrected
afterwards.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import optuna

from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.space.value_text import Plain

__all__ = [
    "decode",
    "default_params",
    "encode",
    "is_legal",
    "n_configurations",
    "option_weights",
    "sampled",
    "suggest",
]


def sampled(space: SearchSpace) -> tuple[Parameter, ...]:
    """Everything that is drawn, in the order of the draws: a parameter, or a list's elements."""
    return tuple(element for parameter in space for element in parameter.elements)


def suggest(space: SearchSpace, trial: optuna.Trial) -> dict[str, ParamValue]:
    """Draws every parameter from a trial: dotted key to value, parents first.

    What Optuna records are the draws (``trial.params``); ``decode`` turns them into values again.
    A trial that was put into the queue with ``encode(space, params)`` gives ``params`` back, up to
    the rounding of a number that is drawn as a share.
    """
    return _assembled(space, lambda element: element.drawn.draw(trial, element.draw_name))


def decode(space: SearchSpace, draws: Mapping[str, Any]) -> dict[str, ParamValue]:
    """The parameters that recorded draws stand for.

    Raises:
        KeyError: A parameter of the space was not drawn.
    """
    return _assembled(space, lambda element: draws[element.draw_name])


def _assembled(space: SearchSpace, draw: Callable[[Parameter], Any]) -> dict[str, ParamValue]:
    values: dict[str, Any] = {}
    for parameter in space:
        for element in parameter.elements:
            values[element.key] = element.decode(draw(element), values)
        values[parameter.key] = parameter.gathered(values)
    return {key: values[key] for key in space.keys}


def default_params(space: SearchSpace) -> dict[str, ParamValue]:
    """The value of trial 0 for every parameter."""
    return {parameter.key: parameter.default for parameter in space}


def encode(space: SearchSpace, params: Mapping[str, ParamValue]) -> dict[str, Plain]:
    """The draws that stand for ``params``; the nearest ones where a value is not in the space."""
    return {
        element.draw_name: element.encode(value, values)
        for _, element, value, values in _walk(space, params)
    }


def is_legal(space: SearchSpace, params: Mapping[str, ParamValue]) -> dict[str, bool]:
    """For every parameter whether ``params`` has a value that the space could propose."""
    legal = dict.fromkeys(space.keys, True)
    for key, element, value, values in _walk(space, params):
        legal[key] &= element.contains(value, values)
    return legal


def _walk(
    space: SearchSpace, params: Mapping[str, ParamValue]
) -> Iterator[tuple[str, Parameter, Any, dict[str, Any]]]:
    """Each sampled part of ``params``: whose, its value, and the values drawn before it."""
    values: dict[str, Any] = {}
    for parameter in space:
        parts = parameter.parts(params.get(parameter.key))
        for element, value in zip(parameter.elements, parts, strict=True):
            yield parameter.key, element, value, values
            values[element.key] = value
        values[parameter.key] = parameter.gathered(values)


def option_weights(space: SearchSpace) -> dict[str, tuple[float, ...]]:
    """The weights of the options of each draw that has some, by the name of the draw."""
    drawn = ((element.draw_name, element.drawn) for element in sampled(space))
    return {name: distribution.weights for name, distribution in drawn if distribution.weights}


def n_configurations(space: SearchSpace) -> float:
    """How many different proposals there are; infinite as soon as one parameter is continuous."""
    return math.prod(element.drawn.n_draws for element in sampled(space))
