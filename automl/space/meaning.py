"""What a draw means: from the draw of one parameter to its value, and from a value to its draw."""

import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from automl.skill.tree import ParamValue
from automl.skill.typewords import number_of
from automl.space.bounds import Number
from automl.space.model import Kind, Parameter
from automl.space.ranges import forbidden, window

__all__ = ["Plain", "draw_for", "is_inside", "meaning", "plain"]

Plain: TypeAlias = bool | int | float | str | None


def plain(choice: ParamValue) -> Plain:
    """A choice as a storage can keep it: a list as its JSON text, anything else as it is."""
    return json.dumps(choice) if isinstance(choice, list) else choice


def meaning(parameter: Parameter, draw: Any, values: Mapping[str, Any]) -> Any:
    """The value that a draw stands for, given the values of the parents."""
    kind = parameter.kind
    if kind is Kind.CATEGORICAL:
        options = [plain(choice) for choice in parameter.choices]
        place = next(i for i, one in enumerate(options) if type(one) is type(draw) and one == draw)
        chosen = parameter.choices[place]
        return list(chosen) if isinstance(chosen, list) else chosen
    if kind is Kind.ORDERED:
        return _ordered_meaning(parameter, draw, values)
    if not parameter.links:
        return _beside_hole(parameter, draw, parameter.low, parameter.high)
    low, high = window(parameter, values)
    value = _at_share(parameter, float(draw), low, high)
    return _beside_hole(parameter, value, low, high, forbidden(parameter, values))


def _ordered_meaning(parameter: Parameter, draw: Any, values: Mapping[str, Any]) -> Any:
    if not parameter.links and not parameter.weights:
        return parameter.choices[int(draw)]
    places = _open_places(parameter, values)
    weights = [parameter.weights[place] if parameter.weights else 1.0 for place in places]
    target, passed = float(draw) * sum(weights), 0.0
    for place, weight in zip(places, weights, strict=True):
        passed += weight
        if target < passed:
            return parameter.choices[place]
    heavy = [place for place, weight in zip(places, weights, strict=True) if weight > 0]
    return parameter.choices[heavy[-1]]


def _open_places(parameter: Parameter, values: Mapping[str, Any]) -> list[int]:
    """Places of the choices that the parents leave."""
    low, high = window(parameter, values)
    holes = forbidden(parameter, values)
    return [
        place
        for place, choice in enumerate(parameter.choices)
        if low <= choice <= high and choice not in holes  # type: ignore[operator]
    ]


def _at_share(parameter: Parameter, share: float, low: Number, high: Number) -> Number:
    """The value at a share from 0 to 1 of a range, on the parameter's own scale."""
    if parameter.kind is Kind.FLOAT:
        value = low * (high / low) ** share if parameter.log else low + (high - low) * share
        return min(max(value, low), high)
    step = int(parameter.step or 1)
    count = (int(high) - int(low)) // step + 1
    if not parameter.log:
        return int(low) + min(int(share * count), count - 1) * step
    return min(int(low * ((high + 1) / low) ** share), int(high))


def _share_of(parameter: Parameter, value: Number, low: Number, high: Number) -> float:
    """The share that stands for a value: for a whole number the middle of its part."""
    if parameter.kind is Kind.FLOAT:
        if high == low:
            return 0.5
        share = (
            math.log(value / low) / math.log(high / low)
            if parameter.log
            else (value - low) / (high - low)
        )
        return min(max(share, 0.0), 1.0)
    step = int(parameter.step or 1)
    if parameter.log:
        return math.log((value + 0.5) / low) / math.log((high + 1) / low)
    return (round((value - low) / step) + 0.5) / ((high - low) // step + 1)


def _beside_hole(
    parameter: Parameter,
    value: Number,
    low: Number,
    high: Number,
    more: frozenset[Number] = frozenset(),
) -> Number:
    """The value, or where it is a hole the next legal one above it, else the next below."""
    holes = frozenset(parameter.holes) | more
    if value not in holes:
        return value
    for toward, end in ((1, high), (-1, low)):
        other = value
        while other in holes and other != end:
            other = _next(parameter, other, toward)
        if other not in holes and low <= other <= high:
            return other
    return value


def _next(parameter: Parameter, value: Number, toward: int) -> Number:
    if parameter.kind is Kind.INT:
        return value + toward * int(parameter.step or 1)
    return math.nextafter(value, math.inf * toward)


def draw_for(parameter: Parameter, value: Any, values: Mapping[str, Any]) -> Plain:
    """The draw whose meaning is ``value``, or the nearest value that is legal."""
    kind = parameter.kind
    if kind is Kind.CATEGORICAL:
        return plain(value if is_inside(parameter, value, values) else parameter.choices[0])
    number = number_of(value)
    low, high = window(parameter, values)
    if kind is Kind.ORDERED:
        return _draw_for_ordered(parameter, low if number is None else number, values)
    nearest = _snapped(parameter, low if number is None else min(max(number, low), high), low)
    return _share_of(parameter, nearest, low, high) if parameter.links else nearest


def _snapped(parameter: Parameter, value: Number, low: Number) -> Number:
    if parameter.kind is Kind.FLOAT:
        return float(value)
    step = int(parameter.step or 1)
    return int(low) + int((value - low) // step) * step


def _draw_for_ordered(parameter: Parameter, value: Number, values: Mapping[str, Any]) -> Plain:
    places = _open_places(parameter, values) or list(range(len(parameter.choices)))
    numbers = [number_of(parameter.choices[place]) or 0 for place in places]
    nearest = min(range(len(places)), key=lambda index: abs(numbers[index] - value))
    if not parameter.links and not parameter.weights:
        return places[nearest]
    weights = [parameter.weights[place] if parameter.weights else 1.0 for place in places]
    return (sum(weights[:nearest]) + weights[nearest] / 2) / sum(weights)


def is_inside(parameter: Parameter, value: Any, values: Mapping[str, Any]) -> bool:
    """Whether the parameter could be proposed with ``value``."""
    if parameter.kind is Kind.CATEGORICAL:
        return any(type(one) is type(value) and one == value for one in parameter.choices)
    number = number_of(value)
    if number is None:
        return False
    low, high = window(parameter, values)
    holes = frozenset(parameter.holes) | forbidden(parameter, values)
    if parameter.kind is Kind.ORDERED:
        return number in parameter.choices and low <= number <= high and number not in holes
    on_grid = parameter.kind is Kind.FLOAT or (number - low) % int(parameter.step or 1) == 0
    return low <= number <= high and on_grid and number not in holes
