"""One setting as a user writes it, and as its schema wants it."""

import math
from typing import Any

from automl.errors import FixInput
from automl.skill.model import ParameterSchema
from automl.skill.typewords import Family, as_type, family_of, number_of
from automl.yamltext import load_yaml

__all__ = ["coerce", "is_reference", "out_of_bounds", "parse_assignment", "read_as"]


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


def read_as(value: Any, leaf: ParameterSchema, where: str) -> Any:
    """A value as a training reads it: text for a number or a switch in its type, and back.

    Only what a spec may write in another way is changed; what fits as it is stays as it is.

    Raises:
        FixInput: The value is of another type.
    """
    family = family_of(leaf)
    if family is Family.TEXT and isinstance(value, bool | int | float):
        return str(value)
    if family is Family.LIST and isinstance(value, list):
        return _entries_as(value, leaf, where)
    if family is Family.BOOL and type(value) is int and value in (0, 1):
        return bool(value)
    is_number = family in (Family.INT, Family.FLOAT)
    is_text = isinstance(value, str) and (is_number or family is Family.BOOL)
    is_fraction = isinstance(value, float) and family is Family.INT and not value.is_integer()
    is_endless = isinstance(value, float) and is_number and not math.isfinite(value)
    return as_type(value, leaf, where) if is_text or is_fraction or is_endless else value


def _entries_as(entries: list[Any], leaf: ParameterSchema, where: str) -> list[Any]:
    """A list whose default holds numbers, with numbers for text."""
    examples = leaf.default if isinstance(leaf.default, list) else []
    if not examples or any(number_of(example) is None for example in examples):
        return entries
    word = "int" if all(isinstance(example, int) for example in examples) else "float"
    return [
        as_type(entry, ParameterSchema(f"{leaf.key}[{place}]", word), where)
        if isinstance(entry, str) and not is_reference(entry)
        else entry
        for place, entry in enumerate(entries)
    ]


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
