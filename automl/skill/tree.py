"""Nested settings addressed by dotted keys: ``train.optim.lr``, ``data.sets[0].dir``."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, TypeAlias

from automl.references import value_at

__all__ = [
    "MISSING",
    "ParamValue",
    "Tree",
    "get",
    "leaves",
    "merged",
    "whole_number",
    "with_value",
]

Tree: TypeAlias = dict[str, Any]
ParamValue: TypeAlias = bool | int | float | str | list[Any] | None

MISSING: Any = object()

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def parts_of(key: str) -> tuple[str | int, ...]:
    """A dotted key as its steps: names, and integers for list positions."""
    return tuple(name or int(index) for name, index in _PART.findall(key))


def get(tree: Mapping[str, Any], key: str, default: Any = MISSING) -> Any:
    """The value at a dotted key, or ``default`` where the path ends early.

    A reference (``${a.b}``) is followed to what it stands for, unless it leads to nothing.
    """
    here: Any = tree
    for part in parts_of(key):
        if not _leads_on(here, part):
            return default
        here = here[part]
    return value_at(tree, key, here)


def whole_number(tree: Mapping[str, Any], key: str) -> int | None:
    """The whole number at a dotted key; None where there is none, or ``key`` is empty."""
    value = get(tree, key, None) if key else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def with_value(tree: Mapping[str, Any], key: str, value: Any) -> Tree:
    """A copy of ``tree`` in which the dotted key holds ``value``; groups on the way are made.

    Raises:
        KeyError: A step of the key leads through a value that is no group, or past a list's end.
    """
    copy = deepcopy(dict(tree))
    here: Any = copy
    *way, last = parts_of(key)
    for part in way:
        if isinstance(here, dict) and isinstance(part, str):
            here.setdefault(part, {})
        if not _leads_on(here, part):
            raise KeyError(key)
        here = here[part]
    if not (isinstance(here, dict) and isinstance(last, str)) and not _leads_on(here, last):
        raise KeyError(key)
    here[last] = deepcopy(value)
    return copy


def _leads_on(here: Any, part: str | int) -> bool:
    if isinstance(part, str):
        return isinstance(here, Mapping) and part in here
    return isinstance(here, list) and part < len(here)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Tree:
    """A copy of ``base`` with ``over`` laid on it, group by group; lists are replaced whole."""
    result = deepcopy(dict(base))
    for name, value in over.items():
        below = result.get(name)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            result[name] = merged(below, value)
        else:
            result[name] = deepcopy(value)
    return result


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each dotted key and its value, in order; an empty group is a leaf, a list is one value."""
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{key}.")
        else:
            yield key, value
