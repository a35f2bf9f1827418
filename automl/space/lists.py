"""Lists of numbers, searched element by element with the list's own bounds.

A list of milestones (``lr_steps``) stays strictly rising, because each element's range begins
above the one before it; a list of kernel sizes stays odd where its default is.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automl.errors import FixInput
from automl.skill.model import ParameterSchema
from automl.skill.tree import get
from automl.skill.typewords import number_of
from automl.space.bounds import Number, words_of
from automl.space.conditions import Conditions
from automl.space.listed import finite
from automl.space.model import Constant, Kind, Link, Parameter, Refused, Relation
from automl.space.numeric import numeric_parameter
from automl.space.request import Asked

__all__ = ["list_parameter"]

_MILESTONES = frozenset(("steps", "milestones"))
_INSIDE = "milestones lie inside"


def list_parameter(
    leaf: ParameterSchema,
    base: Any,
    conditions: Conditions,
    asked: Asked,
    spec: Mapping[str, Any],
    epochs: str = "",
) -> Parameter | Refused:
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
    rising = bool(words_of(leaf.key) & _MILESTONES) and all(isinstance(one, int) for one in base)
    if rising:
        asked = _milestone_range(leaf, asked, spec, epochs)
    elements: list[Parameter] = []
    for place, value in enumerate(base):
        element = _element(leaf, place, value, conditions, asked)
        if isinstance(element, Refused):
            return Refused(leaf.key, element.reason.replace(element.key, leaf.key))
        elements.append(element)
    if rising:
        elements = _rising(elements)
    return _whole(leaf, base, elements, rising=rising)


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
            "fractions need low, high and a whole that is a number",
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
    one = replace(
        leaf,
        key=f"{leaf.key}[{place}]",
        type="int" if isinstance(value, int) else "float",
        default=value,
        minimum=_at(leaf.minimum, place),
        maximum=_at(leaf.maximum, place),
        enum=None,
        option_weights=None,
    )
    found = numeric_parameter(one, value, replace(conditions, texts=()), _clipped(asked, one))
    if isinstance(found, Constant):
        return _single(one, found)
    if isinstance(found, Parameter) and "kernel" in words_of(leaf.key) and value % 2:
        return _stepped(found)
    return found


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


def _stepped(element: Parameter) -> Parameter:
    """The odd numbers of an element's range."""
    if element.kind is not Kind.INT or element.step != 1:
        return element
    low = element.low + 1 - element.low % 2
    high = element.high - 1 + element.high % 2
    reasons = {**element.bounds_from, "scale": "odd numbers: a kernel has a middle"}
    return replace(element, low=low, high=high, step=2, log=False, bounds_from=reasons)


def _single(leaf: ParameterSchema, constant: Constant) -> Parameter:
    value = constant.value
    kind = Kind.INT if isinstance(value, int) else Kind.FLOAT
    reasons = {"low": constant.reason, "high": constant.reason, "scale": constant.reason}
    step = 1 if kind is Kind.INT else None
    return Parameter(
        leaf.key,
        leaf.type,
        kind,
        value,
        value,
        step=step,
        default=leaf.default,
        bounds_from=reasons,
    )


def _rising(elements: list[Parameter]) -> list[Parameter]:
    """The elements, each above the one before it and leaving room for those behind it."""
    rising: list[Parameter] = []
    for place, element in enumerate(elements):
        low: Number = max(element.low, rising[-1].low + 1) if rising else element.low
        high: Number = min(later.high - gap for gap, later in enumerate(elements[place:]))
        link = (Link(Relation.ABOVE, (rising[-1].key,)),) if rising else ()
        rising.append(replace(element, low=low, high=high, links=(*element.links, *link)))
    return rising


def _whole(
    leaf: ParameterSchema, base: list[Any], elements: list[Parameter], *, rising: bool
) -> Parameter | Refused:
    cramped = [one for one in elements if one.kind is not Kind.ORDERED and one.low > one.high]
    if cramped:
        first = elements[0]
        return Refused(
            leaf.key,
            f"{len(base)} rising values do not fit from {first.low:g} on "
            f"({first.bounds_from['low']}); give fewer of them or a wider range",
        )
    conditions = ["each above the one before"] if rising else []
    first = elements[0]
    return Parameter(
        leaf.key,
        leaf.type,
        Kind.LIST,
        [one.low for one in elements],
        [one.high for one in elements],
        first.log,
        first.step,
        default=list(base),
        conditions=tuple(conditions),
        bounds_from=first.bounds_from,
        elements=tuple(elements),
    )
