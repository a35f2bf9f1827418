"""What TAO's type words mean: the family a leaf belongs to, and values turned into its type."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.skill.model import ParameterSchema
from automl.skill.tree import ParamValue

__all__ = ["Family", "as_type", "enum_values", "family_of", "number_of"]


class Family(StrEnum):
    """What kind of value a leaf takes, whatever word its schema uses for it."""

    INT = "a whole number"
    FLOAT = "a number"
    BOOL = "true or false"
    TEXT = "text"
    CHOICE = "one of its options"
    LIST = "a list"
    GROUP = "a group of settings"
    ANY = "any value"


_WORDS = {
    "int": Family.INT,
    "integer": Family.INT,
    "ordered_int": Family.INT,
    "float": Family.FLOAT,
    "number": Family.FLOAT,
    "ordered_float": Family.FLOAT,
    "bool": Family.BOOL,
    "boolean": Family.BOOL,
    "string": Family.TEXT,
    "str": Family.TEXT,
    "categorical": Family.CHOICE,
    "ordered": Family.CHOICE,
    "array": Family.LIST,
    "collection": Family.GROUP,
    "object": Family.GROUP,
    "dict": Family.GROUP,
}


def family_of(leaf: ParameterSchema) -> Family:
    """The family of a leaf; a leaf without a usable type word is judged by what it holds.

    A leaf that may be of several types (``anyOf``) is judged by its default.
    """
    word = leaf.type.strip().lower()
    if word in _WORDS:
        return _WORDS[word]
    if "list" in word:
        return Family.LIST
    return _judged(leaf)


def _judged(leaf: ParameterSchema) -> Family:
    if leaf.enum:
        return Family.CHOICE
    for example in (leaf.default, leaf.minimum, leaf.maximum):
        family = _family_of_value(example)
        if family is not Family.ANY:
            return family
    return Family.ANY


def _family_of_value(value: Any) -> Family:
    if isinstance(value, bool):
        return Family.BOOL
    table: tuple[tuple[type, Family], ...] = (
        (int, Family.INT),
        (float, Family.FLOAT),
        (str, Family.TEXT),
        (list, Family.LIST),
        (dict, Family.GROUP),
    )
    return next((family for kind, family in table if isinstance(value, kind)), Family.ANY)


def number_of(value: Any) -> float | int | None:
    """The value if it is a number, else None; a truth value and NaN are no numbers.

    Nor is a whole number that is too large for any computation with fractions.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return None
    return None if value != value else value


#: Bits of the largest whole number that a float can hold.
_MOST_BITS = 1023


def enum_values(leaf: ParameterSchema) -> tuple[Any, ...]:
    """The leaf's options in their own type, in the schema's order, without repetition.

    Published enums hold texts with spaces around them, truth values spelt as text beside a
    default that is one, and placeholders such as ``niter_[number]``, which are no values.
    """
    options: list[Any] = []
    for option in leaf.enum or ():
        value = _option(option, leaf)
        if not (isinstance(value, str) and "[" in value) and not _holds(options, value):
            options.append(value)
    return tuple(options)


def _holds(options: list[Any], value: Any) -> bool:
    return any(type(option) is type(value) and option == value for option in options)


def _option(option: Any, leaf: ParameterSchema) -> Any:
    if not isinstance(option, str):
        return option
    text = option.strip()
    if isinstance(leaf.default, bool) and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if family_of(leaf) in (Family.INT, Family.FLOAT):
        return _number_in(text)
    return text


def _number_in(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def as_type(value: Any, leaf: ParameterSchema, where: str = "") -> ParamValue | dict[str, Any]:
    """``value`` in the leaf's own type: ``1.0`` becomes 1 for an int, 1 becomes 1.0 for a float.

    Text that reads as a number of the type becomes it, and the words that OmegaConf takes
    for true or false become that: what a training reads is not refused before it. Bounds
    are not looked at. None passes where the leaf's default is null or text.

    Raises:
        FixInput: The value is of another type, or not one of the leaf's options.
    """
    family = family_of(leaf)
    if value is None and (leaf.default is None or family is Family.TEXT):
        return None
    families = (family, *(_WORDS[word] for word in leaf.any_of if word in _WORDS))
    attempts = (
        table[member](value, leaf)
        for table in (_CONVERT, _CONVERT_TEXT)
        for member in families
        if member in table
    )
    converted = next((result for result in attempts if result is not _WRONG), _WRONG)
    if converted is _WRONG:
        raise FixInput(
            f"{leaf.key} must be {family}",
            got=repr(value)[:_MOST_SHOWN],
            where=where,
            fix=_hint(value, family),
        )
    _check_option(converted, leaf, where)
    return converted  # type: ignore[no-any-return]


_WRONG: Any = object()
#: The first whole number that 64 bits do not hold.
_BEYOND = 1 << 63
#: Characters of a wrong value that an error shows.
_MOST_SHOWN = 80


def _hint(value: Any, family: Family) -> str:
    if family is Family.TEXT and isinstance(value, bool | int | float):
        return f"put quotes around it to mean text: '\"{value}\"'"
    return ""


def _whole(value: Any, _leaf: ParameterSchema) -> Any:
    number = number_of(value)
    if number is None or abs(number) == float("inf"):
        return _WRONG
    whole = int(number)
    return whole if number == whole and -_BEYOND <= whole < _BEYOND else _WRONG


def _real(value: Any, _leaf: ParameterSchema) -> Any:
    number = number_of(value)
    return _WRONG if number is None or abs(number) == float("inf") else float(number)


def _truth(value: Any, _leaf: ParameterSchema) -> Any:
    return value if isinstance(value, bool) else _WRONG


def _text(value: Any, _leaf: ParameterSchema) -> Any:
    return value if isinstance(value, str) else _WRONG


def _choice(value: Any, leaf: ParameterSchema) -> Any:
    """An option in its own spelling: ``int8`` is ``INT8`` where no other option reads so."""
    options = enum_values(leaf)
    if isinstance(value, str):
        text = value.strip()
        same = [one for one in options if isinstance(one, str) and one.lower() == text.lower()]
        return same[0] if text not in options and len(same) == 1 else text
    return value if not options or value in options else str(value)


def _list(value: Any, _leaf: ParameterSchema) -> Any:
    return list(value) if isinstance(value, list | tuple) else _WRONG


def _group(value: Any, _leaf: ParameterSchema) -> Any:
    return dict(value) if isinstance(value, dict) else _WRONG


def _as_is(value: Any, _leaf: ParameterSchema) -> Any:
    return value


_CONVERT: dict[Family, Callable[[Any, ParameterSchema], Any]] = {
    Family.INT: _whole,
    Family.FLOAT: _real,
    Family.BOOL: _truth,
    Family.TEXT: _text,
    Family.CHOICE: _choice,
    Family.LIST: _list,
    Family.GROUP: _group,
    Family.ANY: _as_is,
}


_WHOLE_TEXT = re.compile(r"[-+]?\d{1,20}")
_SWITCH_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "y", "1"), True),
    **dict.fromkeys(("false", "no", "off", "n", "0"), False),
}


def _whole_in_text(value: Any, leaf: ParameterSchema) -> Any:
    is_whole = isinstance(value, str) and _WHOLE_TEXT.fullmatch(value)
    return _whole(int(value), leaf) if is_whole else _WRONG


def _real_in_text(value: Any, leaf: ParameterSchema) -> Any:
    try:
        return _real(float(value), leaf) if isinstance(value, str) else _WRONG
    except ValueError:
        return _WRONG


def _truth_in_text(value: Any, _leaf: ParameterSchema) -> Any:
    is_word = isinstance(value, str)
    return _SWITCH_WORDS.get(value.lower(), _WRONG) if is_word else _WRONG


_CONVERT_TEXT: dict[Family, Callable[[Any, ParameterSchema], Any]] = {
    Family.INT: _whole_in_text,
    Family.FLOAT: _real_in_text,
    Family.BOOL: _truth_in_text,
}


def _check_option(value: Any, leaf: ParameterSchema, where: str) -> None:
    options = enum_values(leaf)
    if not options:
        return
    entries = value if isinstance(value, list) else [value]
    for entry in entries:
        if not _holds(list(options), entry) and not _is_pattern(entry, leaf):
            raise FixInput(
                f"{leaf.key} must be one of {', '.join(map(str, options))}",
                got=str(entry),
                where=where,
                fix=did_you_mean(str(entry), map(str, options)),
            )


def _is_pattern(entry: Any, leaf: ParameterSchema) -> bool:
    """Whether ``entry`` fills in a placeholder option: ``niter_16`` for ``niter_[number]``."""
    if not isinstance(entry, str):
        return False
    stems = (str(option).split("[")[0].strip() for option in leaf.enum or () if "[" in str(option))
    return any(stem and entry.startswith(stem) for stem in stems)
