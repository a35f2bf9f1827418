"""Whether a value that was read from disk has the types that its dataclass declares.

Python does not look at annotations, so a record with a text where a number belongs is made without
a word and breaks its reader later, far from the file. Records of a study are looked at when read.
"""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

__all__ = ["check_fields"]

_SHOWN = 60


def check_fields(record: Any) -> None:
    """Looks at every field of a dataclass, and of those within it.

    Args:
        record: The instance.

    Raises:
        TypeError: A field has another type than it declares, or a number is not finite or beyond
            64 bits; the error names it.
    """
    for name, declared in _declared(record.__class__).items():
        value = getattr(record, name)
        if not _fits(value, declared):
            text = "a huge number" if _is_huge(value) else repr(value)[:_SHOWN]
            raise TypeError(f"{name} must be {_named(declared)}, but is {text}")


@cache
def _declared(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _fits(value: Any, declared: Any) -> bool:
    origin, inner = get_origin(declared), get_args(declared)
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(each, inner[0]) for each in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        key, below = inner
        return isinstance(value, Mapping) and all(
            _fits(name, key) and _fits(each, below) for name, each in value.items()
        )
    if origin is list:
        return isinstance(value, list)
    return _is(value, declared)


def _is(value: Any, declared: Any) -> bool:
    if declared is Any:
        return True
    if declared is float:
        return type(value) in (int, float) and not _is_huge(value) and math.isfinite(value)
    if declared is int:
        return type(value) is int and not _is_huge(value)
    if is_dataclass(declared):
        if isinstance(value, declared):  # type: ignore[arg-type]
            check_fields(value)
            return True
        return False
    return isinstance(value, declared)


def _is_huge(value: Any) -> bool:
    return type(value) is int and abs(value) >= 1 << 63


def _named(declared: Any) -> str:
    """A type in words for an error."""
    if declared is NoneType:
        return "null"
    if get_origin(declared) in (Union, UnionType):
        return " or ".join(map(_named, get_args(declared)))
    kind = get_origin(declared) or declared
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(str(each) for each in kind)
    return _WORDS.get(kind, "an object")


_WORDS: Mapping[Any, str] = {
    str: "a text", int: "a whole number", float: "a finite number", bool: "true or false",
    tuple: "a list", list: "a list",
}  # fmt: skip
