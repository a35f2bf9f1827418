"""Numbers searched over a listed set: an enum, the user's options, powers, a range with holes."""

import math

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.skill.asked import Asked
from automl.skill.model import ParameterSchema
from automl.skill.typewords import Family, enum_values, family_of, number_of
from automl.space.bounds import Bounds
from automl.space.choices import weights_note
from automl.space.conditions import Conditions
from automl.space.model import Constant, Refused
from automl.space.options import Choice
from automl.space.parameter import Parameter
from automl.space.relations import Number, compare

__all__ = [
    "MOST_VALUES",
    "check_asked",
    "empty_text",
    "finite",
    "from_set",
    "is_int",
    "listed_parameter",
    "reasons_of",
]

#: More legal values than this are not listed one by one.
MOST_VALUES = 1000


def from_set(
    leaf: ParameterSchema, base: Number | None, conditions: Conditions, bounds: Bounds
) -> Parameter | Constant | Refused:
    """The parameter over a listed set: powers, multiples of a fraction, or a range with holes."""
    if bounds.low > bounds.high:
        return Refused(leaf.key, empty_text(bounds))
    values = [value for value in _candidates(leaf, conditions, bounds) if _fits(value, conditions)]
    if not values:
        return Refused(leaf.key, f"{empty_text(bounds)} under {' and '.join(conditions.texts)}")
    if len(values) > MOST_VALUES:
        return Refused(
            leaf.key, f"{len(values)} legal values; narrow it: --search {leaf.key}=L..H"
        )
    reason = {
        **reasons_of(bounds),
        "choices": f"condition {' and '.join(conditions.texts)}".rstrip(),
    }
    return _ordered(leaf, base, conditions, tuple(values), reason)


def _candidates(leaf: ParameterSchema, conditions: Conditions, bounds: Bounds) -> list[Number]:
    low, high = bounds.low, bounds.high
    if conditions.power is not None:
        return _powers(conditions.power, low, high, is_int=is_int(leaf))
    multiple = conditions.multiple or 1
    first, last = math.ceil(low / multiple), math.floor(high / multiple)
    if last - first > MOST_VALUES * 10:
        last = first + MOST_VALUES * 10
    values = [index * multiple for index in range(first, last + 1)]
    if not is_int(leaf):
        return [float(value) for value in values]
    return [int(value) for value in values if value == int(value)]


def _powers(base: Number, low: Number, high: Number, *, is_int: bool) -> list[Number]:
    """The powers of ``base`` with whole exponents in a range; nothing below 1 for whole ones."""
    if high <= 0:
        return []
    floor = 1 if is_int else max(low, 1e-12)
    lowest = math.floor(math.log(floor, base)) - 1
    highest = math.ceil(math.log(high, base)) + 1
    powers: list[Number] = [base**exponent for exponent in range(lowest, highest + 1)]
    kept = [power for power in powers if low <= power <= high]
    return (
        [int(power) for power in kept if power == int(power)] if is_int else list(map(float, kept))
    )


def _fits(value: Number, conditions: Conditions) -> bool:
    """Whether a listed value obeys the comparisons with numbers and the multiple."""
    return all(
        comparison.number is None or compare(value, comparison.relation, comparison.number)
        for comparison in conditions.comparisons
    ) and (conditions.multiple is None or _is_multiple(value, conditions.multiple))


def _is_multiple(value: Number, multiple: Number) -> bool:
    return abs(value / multiple - round(value / multiple)) < 1e-9


def listed_parameter(
    leaf: ParameterSchema, base: Number | None, conditions: Conditions, asked: Asked
) -> Parameter | Constant | Refused:
    """The parameter over options that the user or the schema lists."""
    check_asked(leaf, asked, finite(leaf.minimum), finite(leaf.maximum))
    enum = [option for option in enum_values(leaf) if number_of(option) is not None]
    foreign = [option for option in asked.choices if enum and option not in enum]
    if foreign:
        raise FixInput(
            f"{leaf.key} must be one of {', '.join(map(str, enum))}",
            got=str(foreign[0]),
            where=f"{asked.source} {leaf.key}",
            fix=did_you_mean(str(foreign[0]), map(str, enum)),
        )
    options = sorted(asked.choices or enum)
    low, high = finite(leaf.minimum), finite(leaf.maximum)
    inside = [
        option
        for option in options
        if (low is None or option >= low) and (high is None or option <= high)
    ]
    typed = [int(option) if is_int(leaf) else float(option) for option in inside]
    values = tuple(value for value in typed if _allowed(value, leaf, asked, conditions))
    if not values:
        return Refused(leaf.key, "none of its options is legal")
    return _ordered(leaf, base, conditions, values, {"choices": _source(asked)}, asked)


def _source(asked: Asked) -> str:
    return asked.source if asked.choices else "schema enum"


def _allowed(value: Number, leaf: ParameterSchema, asked: Asked, conditions: Conditions) -> bool:
    legal = _fits(value, conditions) and _is_power(value, conditions.power)
    if not legal and asked.choices:
        raise FixInput(
            f"{leaf.key} must obey {' and '.join(conditions.texts)}",
            got=f"{value:g}",
            where=f"{asked.source} {leaf.key}",
        )
    return legal


def _is_power(value: Number, power: Number | None) -> bool:
    if power is None:
        return True
    return value > 0 and abs(math.log(value, power) - round(math.log(value, power))) < 1e-9


def _ordered(
    leaf: ParameterSchema,
    base: Number | None,
    conditions: Conditions,
    values: tuple[Number, ...],
    reasons: dict[str, str],
    asked: Asked | None = None,
) -> Parameter | Constant:
    if len(values) == 1:
        return Constant(leaf.key, values[0], reasons["choices"])
    weights = _weights(leaf, values, asked)
    note = weights_note(leaf, weights, values) if leaf.enum or weights else ""
    return Parameter(
        leaf.key,
        leaf.type,
        Choice(values, weights, is_ordered=True),
        default=base,
        conditions=conditions.texts,
        bounds_from=reasons | ({"weights": note} if note else {}),
    )


def _weights(
    leaf: ParameterSchema, values: tuple[Number, ...], asked: Asked | None
) -> tuple[float, ...]:
    """A weight per value, from the request or the schema; none unless each value has one."""
    if asked is not None and asked.weights:
        table = dict(zip(asked.choices, asked.weights, strict=True))
    else:
        table = dict(zip(leaf.enum or (), leaf.option_weights or (), strict=False))
    weights = tuple(float(table.get(value, -1)) for value in values)
    return weights if weights and min(weights) >= 0 and sum(weights) > 0 else ()


def reasons_of(bounds: Bounds) -> dict[str, str]:
    """Where each part of a range came from, as ``Parameter.bounds_from`` keeps it."""
    return {"low": bounds.low_from, "high": bounds.high_from, "scale": bounds.scale_from}


def empty_text(bounds: Bounds) -> str:
    """Why a range without values is refused, in words."""
    return (
        f"no value is left between {bounds.low:g} ({bounds.low_from}) "
        f"and {bounds.high:g} ({bounds.high_from})"
    )


def check_asked(
    leaf: ParameterSchema, asked: Asked, low: Number | None, high: Number | None
) -> None:
    """Checks a request for a number against the schema's type and finite bounds.

    Raises:
        FixInput: A value is of another type or outside the schema's minimum or maximum.
    """
    where = f"{asked.source} {leaf.key}"
    for value in (asked.low, asked.high, *asked.choices):
        number = number_of(value)
        if number is None and value is not None:
            raise FixInput(f"{leaf.key} must be {family_of(leaf)}", got=repr(value), where=where)
        if number is None:
            continue
        if is_int(leaf) and number != int(number):
            raise FixInput(f"{leaf.key} must be a whole number", got=f"{number:g}", where=where)
        if low is not None and number < low:
            rule = f"{leaf.key} must be at least {low:g}, the schema's minimum"
            raise FixInput(rule, got=f"{number:g}", where=where)
        if high is not None and number > high:
            rule = f"{leaf.key} must be at most {high:g}, the schema's maximum"
            raise FixInput(rule, got=f"{number:g}", where=where)


def finite(value: object) -> Number | None:
    """The value if it is a finite number, else None."""
    number = number_of(value)
    return None if number is None or abs(number) == math.inf else number


def is_int(leaf: ParameterSchema) -> bool:
    """Whether a leaf takes whole numbers."""
    return family_of(leaf) is Family.INT
