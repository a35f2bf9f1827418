"""One number of a schema as a searched parameter: bounds, open ends, multiples, powers, holes."""

import math
from dataclasses import replace

from automl.errors import FixInput
from automl.skill.asked import Asked
from automl.skill.model import ParameterSchema
from automl.skill.typewords import number_of
from automl.space.bounds import Bounds, derive, is_wide
from automl.space.conditions import Comparison, Conditions
from automl.space.listed import (
    MOST_VALUES,
    check_asked,
    empty_text,
    finite,
    from_set,
    is_int,
    listed_parameter,
    reasons_of,
)
from automl.space.model import Ceiling, Constant, Refused
from automl.space.parameter import Parameter
from automl.space.ranges import FloatRange, IntRange
from automl.space.relations import Number, Relation

__all__ = ["numeric_parameter"]

#: An open end of a continuous range starts this share of the range away from the forbidden value.
OPEN_SHARE = 1e-3


def numeric_parameter(
    leaf: ParameterSchema,
    base: Number | None,
    conditions: Conditions,
    asked: Asked,
    ceiling: Ceiling | None = None,
) -> Parameter | Constant | Refused:
    """The number as a parameter, a constant if one value is legal, or the reason it is neither.

    Args:
        leaf: The number's schema.
        base: Value of trial 0; None where the skill gives none.
        conditions: The leaf's own conditions; those on parents are left to the caller.
        asked: The user's or the profile's range or options.
        ceiling: Bound by the data or the hardware.

    Raises:
        FixInput: What was asked for breaks the schema's type, bounds or conditions.
    """
    _check_bounds(leaf)
    if asked.choices or leaf.enum:
        return listed_parameter(leaf, base, conditions, asked)
    bounds = _asked_bounds(leaf, base, asked)
    if bounds is None:
        return Refused(leaf.key, _no_range(leaf))
    bounds = _obeying(_under(bounds, ceiling), leaf, base, conditions)
    if conditions.power is not None or not _is_plain(leaf, conditions):
        return from_set(leaf, base, conditions, bounds)
    return _ranged(leaf, base, conditions, bounds)


def _check_bounds(leaf: ParameterSchema) -> None:
    for name, bound in (("minimum", leaf.minimum), ("maximum", leaf.maximum)):
        if bound is not None and number_of(bound) is None:
            raise FixInput(
                f"the {name} of a number must be a number", got=repr(bound), where=leaf.key
            )


def _is_plain(leaf: ParameterSchema, conditions: Conditions) -> bool:
    """Whether the legal values are a range with a whole step and at most a few holes."""
    multiple = conditions.multiple
    if multiple is None:
        return True
    return is_int(leaf) and multiple == int(multiple)


def _no_range(leaf: ParameterSchema) -> str:
    missing = [
        name
        for name, bound in (("minimum", leaf.minimum), ("maximum", leaf.maximum))
        if finite(bound) is None
    ]
    return (
        f"the schema gives no finite {' or '.join(missing)} and no rule derives one; "
        f"give the range: --search {leaf.key}=LOW..HIGH"
    )


def _asked_bounds(leaf: ParameterSchema, base: Number | None, asked: Asked) -> Bounds | None:
    low, high = finite(leaf.minimum), finite(leaf.maximum)
    if low is not None and high is not None and low > high:
        raise FixInput(
            "a schema's minimum must not be above its maximum",
            got=f"{low:g} > {high:g}",
            where=leaf.key,
        )
    check_asked(leaf, asked, low, high)
    wanted_low = low if asked.low is None else asked.low
    wanted_high = high if asked.high is None else asked.high
    if asked.low is not None and asked.high is not None:
        bounds: Bounds | None = _given(asked.low, asked.high)
    else:
        bounds = derive(leaf, base, wanted_low, wanted_high)
    return None if bounds is None else _scaled(_sourced(bounds, asked), asked)


def _given(low: Number, high: Number) -> Bounds:
    log = is_wide(low, high)
    text = "log: the range spans two decades or more" if log else "linear: less than two decades"
    return Bounds(low, high, log, "", "", text)


def _sourced(bounds: Bounds, asked: Asked) -> Bounds:
    if asked.low is not None:
        bounds = replace(bounds, low=asked.low, low_from=asked.source)
    if asked.high is not None:
        bounds = replace(bounds, high=asked.high, high_from=asked.source)
    return bounds


def _scaled(bounds: Bounds, asked: Asked) -> Bounds:
    if asked.log is None:
        return bounds
    if asked.log and bounds.low <= 0:
        raise FixInput(
            "a log scale must begin above 0",
            got=f"low {bounds.low:g}",
            where=f"{asked.source} {asked.key}",
            fix="give a low above 0",
        )
    return replace(bounds, log=asked.log, scale_from=asked.source)


def _under(bounds: Bounds, ceiling: Ceiling | None) -> Bounds:
    if ceiling is None or bounds.high <= ceiling.high:
        return bounds
    return replace(bounds, high=ceiling.high, high_from=ceiling.reason)


def _obeying(
    bounds: Bounds, leaf: ParameterSchema, base: Number | None, conditions: Conditions
) -> Bounds:
    """The bounds after every comparison with a number; whole for a whole number."""
    for comparison in conditions.comparisons:
        if comparison.number is not None:
            bounds = _compared(bounds, leaf, base, comparison)
    if not is_int(leaf):
        return replace(bounds, low=float(bounds.low), high=float(bounds.high))
    step = int(conditions.multiple or 1) if _is_plain(leaf, conditions) else 1
    return replace(
        bounds,
        low=math.ceil(bounds.low / step) * step,
        high=math.floor(bounds.high / step) * step,
        log=bounds.log and step == 1,
        scale_from=bounds.scale_from if step == 1 else f"linear: multiples of {step}",
    )


def _compared(
    bounds: Bounds, leaf: ParameterSchema, base: Number | None, comparison: Comparison
) -> Bounds:
    number, relation = comparison.number, comparison.relation
    assert number is not None  # noqa: S101 - the caller has looked
    if relation is Relation.NOT:
        relation = _END_RELATION.get((number == bounds.low, number == bounds.high), relation)
    reason = f"condition {comparison.relation} {number:g}"
    match relation:
        case Relation.ABOVE if bounds.low <= number:
            least = _beyond(leaf, number, bounds.high, base)
            return replace(bounds, low=least, low_from=reason)
        case Relation.AT_LEAST if bounds.low < number:
            return replace(bounds, low=number, low_from=reason)
        case Relation.BELOW if bounds.high >= number:
            most = _beyond(leaf, number, bounds.low, base)
            return replace(bounds, high=most, high_from=reason)
        case Relation.AT_MOST if bounds.high > number:
            return replace(bounds, high=number, high_from=reason)
        case _:
            return bounds


#: What ``!= x`` is for a range that begins, or ends, with x.
_END_RELATION = {(True, False): Relation.ABOVE, (False, True): Relation.BELOW}


def _beyond(leaf: ParameterSchema, number: Number, far: Number, base: Number | None) -> Number:
    """The first value to propose on ``far``'s side of a forbidden ``number``."""
    toward = 1 if far >= number else -1
    if is_int(leaf):
        return math.floor(number) + 1 if toward > 0 else math.ceil(number) - 1
    start = number + (far - number) * OPEN_SHARE
    if base is not None and base != number and (base > number) == (toward > 0):
        start = min(start, base) if toward > 0 else max(start, base)
    return start if start != number else math.nextafter(number, math.inf * toward)


def _holes(conditions: Conditions, low: Number, high: Number) -> tuple[Number, ...]:
    return tuple(
        comparison.number
        for comparison in conditions.comparisons
        if comparison.relation is Relation.NOT
        and comparison.number is not None
        and low <= comparison.number <= high
    )


def _ranged(
    leaf: ParameterSchema, base: Number | None, conditions: Conditions, bounds: Bounds
) -> Parameter | Constant | Refused:
    if bounds.low > bounds.high:
        return Refused(leaf.key, empty_text(bounds))
    if bounds.low == bounds.high:
        return Constant(leaf.key, bounds.low, bounds.low_from)
    whole = is_int(leaf)
    step = int(conditions.multiple or 1)
    holes = _holes(conditions, bounds.low, bounds.high)
    if holes and whole and bounds.high - bounds.low < MOST_VALUES * step:
        return from_set(leaf, base, conditions, bounds)
    ends = (bounds.low, bounds.high, bounds.log, holes)
    return Parameter(
        leaf.key,
        leaf.type,
        IntRange(*ends, step) if whole else FloatRange(*ends),
        default=base,
        conditions=conditions.texts,
        bounds_from=reasons_of(bounds),
    )
