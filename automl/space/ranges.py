"""The range of a parameter that is left once the values of its parents are known."""

import math
from collections.abc import Mapping
from typing import Any

from automl.skill.typewords import number_of
from automl.space.bounds import Number
from automl.space.model import Kind, Link, Parameter, Relation

__all__ = ["first_above", "forbidden", "last_below", "limit_of", "window"]


def window(parameter: Parameter, values: Mapping[str, Any]) -> tuple[Number, Number]:
    """The range that the parents' values leave, both ends inclusive and legal."""
    low, high = parameter.low, parameter.high
    for link in parameter.links:
        end = limit_of(link, values)
        if end is None or link.relation is Relation.NOT:
            continue
        if link.relation in (Relation.ABOVE, Relation.AT_LEAST):
            low = max(low, first_above(parameter, end, strict=link.relation is Relation.ABOVE))
        else:
            high = min(high, last_below(parameter, end, strict=link.relation is Relation.BELOW))
    return low, high


def limit_of(link: Link, values: Mapping[str, Any]) -> Number | None:
    """The number that a link compares with; None where no parent is a number."""
    numbers = [number_of(values.get(parent)) for parent in link.parents]
    known = [number for number in (*numbers, link.cap) if number is not None]
    return min(known) / link.divisor if known and link.divisor != 1 else min(known, default=None)


def forbidden(parameter: Parameter, values: Mapping[str, Any]) -> frozenset[Number]:
    """The values that links rule out, given the values of the parents."""
    ends = (limit_of(one, values) for one in parameter.links if one.relation is Relation.NOT)
    return frozenset(end for end in ends if end is not None)


def first_above(parameter: Parameter, end: Number, *, strict: bool) -> Number:
    """The lowest value of the parameter's own grid above ``end``, or at it unless ``strict``."""
    if parameter.kind is Kind.INT:
        least = math.floor(end) + 1 if strict else math.ceil(end)
        step = int(parameter.step or 1)
        return parameter.low + max(0, math.ceil((least - parameter.low) / step)) * step  # type: ignore[no-any-return]
    return math.nextafter(end, math.inf) if strict else float(end)


def last_below(parameter: Parameter, end: Number, *, strict: bool) -> Number:
    """The highest value of the parameter's own grid below ``end``, or at it unless ``strict``."""
    if parameter.kind is Kind.INT:
        most = math.ceil(end) - 1 if strict else math.floor(end)
        step = int(parameter.step or 1)
        return parameter.low + math.floor((most - parameter.low) / step) * step  # type: ignore[no-any-return]
    return math.nextafter(end, -math.inf) if strict else float(end)
