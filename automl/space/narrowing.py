"""Parameters with fewer values: those that compare in some way with a number."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from automl.space.bounds import Number
from automl.space.conditions import compare
from automl.space.model import Kind, Parameter, Relation
from automl.space.ranges import first_above, last_below

__all__ = ["LOWER", "UPPER", "count_between", "narrowed"]

LOWER = (Relation.ABOVE, Relation.AT_LEAST)
UPPER = (Relation.BELOW, Relation.AT_MOST)


def count_between(part: Parameter, low: Number, high: Number) -> float:
    """How many values of a parameter lie in a range."""
    if low > high:
        return 0
    if part.kind is Kind.ORDERED:
        return sum(low <= choice <= high for choice in part.choices)  # type: ignore[operator]
    holes = sum(low <= hole <= high for hole in part.holes)
    if part.kind is Kind.INT:
        return (high - low) // int(part.step or 1) + 1 - holes
    return float("inf") if high > low else 1 - holes


def narrowed(
    parameter: Parameter, relation: Relation, end: Number, reason: str
) -> Parameter | None:
    """The parameter with only the values that compare so with ``end``; None if none is left."""
    if parameter.kind is Kind.CATEGORICAL:
        return parameter
    if parameter.kind is Kind.LIST:
        return _narrowed_list(parameter, relation, end, reason)
    if parameter.kind is Kind.ORDERED:
        return _narrowed_choices(parameter, lambda one: compare(one, relation, end), reason)
    if relation is Relation.NOT:
        holes = tuple(dict.fromkeys((*parameter.holes, end)))
        found = replace(parameter, holes=holes)
        return found if count_between(found, found.low, found.high) >= 1 else None
    return _narrowed_range(parameter, relation, end, reason)


def _narrowed_range(
    parameter: Parameter, relation: Relation, end: Number, reason: str
) -> Parameter | None:
    low, high, reasons = parameter.low, parameter.high, dict(parameter.bounds_from)
    if relation in LOWER:
        low = max(low, first_above(parameter, end, strict=relation is Relation.ABOVE))
        reasons |= {"low": reason} if low != parameter.low else {}
    else:
        high = min(high, last_below(parameter, end, strict=relation is Relation.BELOW))
        reasons |= {"high": reason} if high != parameter.high else {}
    found = replace(parameter, low=low, high=high, bounds_from=reasons)
    return found if count_between(found, low, high) >= 1 else None


def _narrowed_choices(
    parameter: Parameter, keep: Callable[[Any], bool], reason: str
) -> Parameter | None:
    places = [place for place, choice in enumerate(parameter.choices) if keep(choice)]
    if not places or len(places) == len(parameter.choices):
        return parameter if places else None
    choices = tuple(parameter.choices[place] for place in places)
    weights = tuple(parameter.weights[place] for place in places) if parameter.weights else ()
    if weights and not sum(weights):
        weights = ()
    source = f"{parameter.bounds_from.get('choices', '')}; {reason}"
    return replace(
        parameter,
        choices=choices,
        weights=weights,
        low=choices[0],
        high=choices[-1],
        bounds_from={**parameter.bounds_from, "choices": source},
    )


def _narrowed_list(
    parameter: Parameter, relation: Relation, end: Number, reason: str
) -> Parameter | None:
    elements = [narrowed(one, relation, end, reason) for one in parameter.elements]
    kept = tuple(one for one in elements if one is not None)
    if len(kept) < len(elements):
        return None
    return replace(
        parameter,
        elements=kept,
        low=[one.low for one in kept],
        high=[one.high for one in kept],
    )
