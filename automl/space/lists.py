"""Lists of numbers, searched element by element with the list's own bounds.

A list of milestones (``lr_steps``) stays strictly rising, because each element's range begins
above the one before it; a list of kernel sizes stays odd where its default is.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automl.errors import FixInput
from automl.skill.asked import Asked
from automl.skill.model import ParameterSchema
from automl.skill.tree import get
from automl.skill.typewords import number_of
from automl.space.bounds import words_of
from automl.space.conditions import Conditions
from automl.space.list_parameter import ListParameter
from automl.space.listed import finite
from automl.space.model import Constant, Refused
from automl.space.numeric import numeric_parameter
from automl.space.parameter import Link, Parameter
from automl.space.ranges import FloatRange, IntRange
from automl.space.relations import Relation

__all__ = ["list_parameter"]

_MILESTONES = frozenset(("steps", "milestones"))
_INSIDE = "milestones lie inside"
_RISING = "each above the one before"


def list_parameter(
    leaf: ParameterSchema,
    base: Any,
    conditions: Conditions,
    asked: Asked,
    spec: Mapping[str, Any],
    epochs: str = "",
) -> ListParameter | Refused:
    """A list of numbers as one parameter whose elements are sampled in turn.

    Args:
        leaf: The list's schema; a bound may be one number or one per element.
        base: The list of trial 0; its length is the number of elements.
        conditions: Conditions that each element obeys.
        asked: The user's or the profile's range for every element.
        spec: The base spec.
        epochs: The setting that says how many epochs there are for milestones; empty for none.

    Raises:
        FixInput: What was asked for breaks the schema.
    """
    if not isinstance(base, list) or not base or None in map(number_of, base):
        return Refused(leaf.key, f"only a list of numbers is searched by element, not {base!r}")
    rises = _are_milestones(leaf, base)
    if rises:
        asked = _milestone_range(leaf, asked, spec, epochs)
    elements = [_element(leaf, at, value, conditions, asked) for at, value in enumerate(base)]
    for element in elements:
        if isinstance(element, Refused):
            return Refused(leaf.key, element.reason.replace(element.key, leaf.key))
    numbers = [element for element in elements if isinstance(element, Parameter)]
    if not rises:
        return _whole(leaf, base, numbers)
    rising = _rising(numbers)
    return _cramped(leaf, numbers) if rising is None else _whole(leaf, base, rising, _RISING)


def _are_milestones(leaf: ParameterSchema, base: list[Any]) -> bool:
    whole = all(isinstance(value, int) for value in base)
    return whole and bool(words_of(leaf.key) & _MILESTONES)


def _milestone_range(
    leaf: ParameterSchema, asked: Asked, spec: Mapping[str, Any], key: str
) -> Asked:
    if asked.fraction_of:
        return _of_fraction(leaf, asked, spec)
    if asked.low is not None and asked.high is not None:
        return asked
    epochs = number_of(get(spec, key, None)) if key else None
    if epochs is None or epochs < 2:
        return asked
    return replace(
        asked,
        low=1 if asked.low is None else asked.low,
        high=int(epochs) - 1 if asked.high is None else asked.high,
        log=False,
        source=f"{_INSIDE} the {epochs:g} epochs",
    )


def _of_fraction(leaf: ParameterSchema, asked: Asked, spec: Mapping[str, Any]) -> Asked:
    whole = number_of(get(spec, asked.fraction_of, None))
    if whole is None or asked.low is None or asked.high is None:
        raise FixInput(
            "fractions must have low, high and a whole that is a number",
            got=f"{asked.fraction_of} = {whole}",
            where=f"{asked.source} {leaf.key}",
        )
    low = max(1, round(asked.low * whole))
    text = f"{asked.low:g} to {asked.high:g} of {asked.fraction_of} = {whole:g}"
    high = min(round(asked.high * whole), int(whole) - 1)
    source = f"{asked.source} ({text})"
    return replace(asked, low=low, high=max(low, high), log=False, fraction_of="", source=source)


def _element(
    leaf: ParameterSchema, place: int, value: Any, conditions: Conditions, asked: Asked
) -> Parameter | Refused:
    element = replace(
        leaf,
        key=f"{leaf.key}[{place}]",
        type="int" if isinstance(value, int) else "float",
        default=value,
        minimum=_at(leaf.minimum, place),
        maximum=_at(leaf.maximum, place),
        enum=None,
        option_weights=None,
    )
    shape = numeric_parameter(
        element, value, replace(conditions, texts=()), _clipped(asked, element)
    )
    if isinstance(shape, Constant):
        return _single(element, shape)
    if isinstance(shape, Parameter) and "kernel" in words_of(leaf.key) and value % 2:
        return _odd(shape)
    return shape


def _clipped(asked: Asked, element: ParameterSchema) -> Asked:
    """A derived range cut to the element's own bounds; a user's is left to be judged."""
    low, high = finite(element.minimum), finite(element.maximum)
    if not asked.source.startswith(_INSIDE):
        return asked
    return replace(
        asked,
        low=asked.low if low is None or asked.low is None else max(asked.low, low),
        high=asked.high if high is None or asked.high is None else min(asked.high, high),
    )


def _at(bound: Any, place: int) -> Any:
    if not isinstance(bound, list):
        return bound
    return bound[place] if place < len(bound) else None


def _odd(element: Parameter) -> Parameter:
    """The odd numbers of an element's range."""
    numbers = element.distribution
    if not isinstance(numbers, IntRange) or numbers.step != 1:
        return element
    reasons = {**element.bounds_from, "scale": "odd numbers: a kernel has a middle"}
    return replace(element, distribution=numbers.odd(), bounds_from=reasons)


def _single(leaf: ParameterSchema, constant: Constant) -> Parameter:
    value = number_of(constant.value) or 0
    point = IntRange(value, value) if isinstance(value, int) else FloatRange(value, value)
    reasons = dict.fromkeys(("low", "high", "scale"), constant.reason)
    return Parameter(leaf.key, leaf.type, point, default=leaf.default, bounds_from=reasons)


def _rising(elements: list[Parameter]) -> list[Parameter] | None:
    """The elements, each above the one before it and leaving room for those behind it."""
    rising: list[Parameter] = []
    for place, element in enumerate(elements):
        room = min(later.ends[1] - gap for gap, later in enumerate(elements[place:]))
        part = element.distribution.narrowed(Relation.AT_MOST, room)
        if part is not None and rising:
            part = part.narrowed(Relation.ABOVE, rising[-1].ends[0])
        if part is None:
            return None
        link = (Link(Relation.ABOVE, (rising[-1].key,)),) if rising else ()
        rising.append(replace(element, distribution=part, links=(*element.links, *link)))
    return rising


def _cramped(leaf: ParameterSchema, elements: list[Parameter]) -> Refused:
    first = elements[0]
    return Refused(
        leaf.key,
        f"{len(elements)} rising values do not fit from {first.ends[0]:g} on "
        f"({first.bounds_from['low']}); give fewer of them or a wider range",
    )


def _whole(
    leaf: ParameterSchema, base: list[Any], elements: list[Parameter], *conditions: str
) -> ListParameter:
    sources = elements[0].bounds_from
    return ListParameter(leaf.key, leaf.type, tuple(elements), list(base), conditions, sources)
