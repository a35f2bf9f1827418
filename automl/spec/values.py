"""One setting as a user writes it, and as its schema wants it."""

import math
from typing import Any

from automl.errors import FixInput
from automl.skill.model import ParameterSchema
from automl.skill.typewords import Family, as_type, family_of, number_of
from automl.yamltext import load_yaml

__all__ = ["coerce", "is_reference", "out_of_bounds", "parse_assignment"]


def parse_assignment(text: str, where: str = "--set") -> tuple[str, Any]:
    """Key and value of ``a.b.c=value``; the value is YAML: ``1e-4``, ``[18,25]``, ``'8'``.

    Everything behind the first ``=`` is the value; nothing behind it is empty text.

    Raises:
        FixInput: There is no ``=``, no key, or the value is not YAML.
    """
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not key or any(letter.isspace() for letter in key):
        raise FixInput(
            "a setting must be written KEY=VALUE with a dotted key",
            got=repr(text),
            where=where,
            fix=f"for example {where} group.setting=1e-4",
        )
    if not value.strip():
        return key, ""
    return key, load_yaml(value, where=f"{where} {key}")


def is_reference(value: Any) -> bool:
    """Whether a value is filled in later: ``${train.num_epochs}``, or ``???`` for one to come."""
    return isinstance(value, str) and ("${" in value or value == "???")


def coerce(value: Any, leaf: ParameterSchema, where: str) -> Any:
    """``value`` in the leaf's own type and inside its bounds.

    A value equal to the leaf's default passes whatever the bounds say: published packages ship
    such defaults. A reference such as ``${train.num_epochs}`` passes unread.

    Args:
        value: What was given, as YAML reads it.
        leaf: What the schema says of the setting.
        where: What to call the place in an error.

    Raises:
        FixInput: The value is of another type, not one of the options, or outside the bounds.
    """
    if is_reference(value):
        return value
    if leaf.has_default and type(value) is type(leaf.default) and value == leaf.default:
        return value
    typed = as_type(value, leaf, where)
    broken = out_of_bounds(typed, leaf)
    if broken:
        raise FixInput(broken, got=_shown(value), where=where)
    return typed


def out_of_bounds(value: Any, leaf: ParameterSchema) -> str:
    """The bound of the schema that a value breaks, as a rule; empty if it breaks none."""
    if family_of(leaf) is Family.LIST and isinstance(value, list):
        places = enumerate(value)
        rules = (
            _broken(
                entry, f"{leaf.key}[{place}]", _at(leaf.minimum, place), _at(leaf.maximum, place)
            )
            for place, entry in places
        )
        return next((rule for rule in rules if rule), "")
    return _broken(value, leaf.key, leaf.minimum, leaf.maximum)


def _at(bound: Any, place: int) -> Any:
    if not isinstance(bound, list):
        return bound
    return bound[place] if place < len(bound) else None


def _broken(value: Any, key: str, minimum: Any, maximum: Any) -> str:
    number, low, high = number_of(value), number_of(minimum), number_of(maximum)
    if number is None:
        return ""
    if low is not None and number < low:
        return f"{key} must be at least {low:g}"
    if high is not None and high != math.inf and number > high:
        return f"{key} must be at most {high:g}"
    return ""


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)
