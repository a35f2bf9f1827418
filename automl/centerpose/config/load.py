"""From a nested tree of plain values to a typed spec, and back.

The rules are the container's: a key that no block knows is an error, so is a value of the wrong
type, while bounds and legal values are not enforced. Numbers written as text are accepted where
they read as a number of the field's kind, whole numbers where a fraction is expected, and plain
scalars where text is expected. References are those of ``automl.references``.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_args

from automl.centerpose.config.experiment import ACTIONS, Experiment
from automl.centerpose.config.fields import MISSING_VALUE, Entry, entries, leaf_entries
from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.references import resolved

__all__ = ["load_spec", "to_tree"]

_TRUE = frozenset({"true", "yes", "on", "y", "1"})
_FALSE = frozenset({"false", "no", "off", "n", "0"})
_T = TypeVar("_T")
_BEYOND = 1 << 63  # the first whole number that 64 bits do not hold


def load_spec(tree: Mapping[str, Any], action: str) -> Experiment:
    """The typed spec of ``tree`` laid on the defaults.

    Args:
        tree: Nested plain values; blocks of other actions are accepted.
        action: The action about to run: what it cannot do without must be given.

    Raises:
        FixInput: An unknown key, a value of the wrong type, a reference to nothing, or a value
            that the action needs and the spec leaves out.
    """
    if action not in ACTIONS:
        raise FixInput(
            "the action must be one of " + ", ".join(ACTIONS),
            got=repr(action),
            fix=did_you_mean(action, ACTIONS),
        )
    spec = _load_block(Experiment, resolved(tree, _default_of), "")
    _check_required(spec, action)
    return spec


def _default_of(key: str) -> Any:
    defaults = dict(leaf_entries(Experiment))
    if key in defaults:
        return _plain(defaults[key].default)
    raise FixInput(
        "a reference must name a setting", got=f"${{{key}}}", fix=did_you_mean(key, defaults)
    )


def _load_block(kind: type[_T], tree: Any, prefix: str) -> _T:
    place = prefix.rstrip(".")
    if not isinstance(tree, Mapping):
        raise FixInput("a block of settings must be a mapping", got=repr(tree), where=place)
    known = {entry.name: entry for entry in entries(kind)}
    given: dict[str, Any] = {}
    for name, value in tree.items():
        if name not in known:
            raise _unknown(f"{prefix}{name}")
        entry = known[name]
        given[entry.attribute] = _load_entry(entry, value, f"{prefix}{name}")
    return kind(**given)


def _load_entry(entry: Entry, value: Any, key: str) -> Any:
    if entry.is_block:
        return _load_block(entry.annotation, value, f"{key}.")
    if value is None and entry.facts.optional:
        return () if entry.is_list else ""
    return _convert(entry.annotation, value, key)


def _unknown(key: str) -> FixInput:
    keys = [known for known, _ in leaf_entries(Experiment)]
    return FixInput("the spec must hold known settings only", got=key, fix=did_you_mean(key, keys))


def _convert(annotation: Any, value: Any, key: str) -> Any:
    if annotation in _SCALARS:
        return _SCALARS[annotation](value, key)
    (inner, *_) = get_args(annotation)
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _wrong("a list", value, key)
    return tuple(_convert(inner, item, f"{key}[{n}]") for n, item in enumerate(value))


def _whole(value: Any, key: str) -> int:
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d{1,20}", value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -_BEYOND <= value < _BEYOND:
        return value
    raise _wrong("a whole number (int)", value, key)


def _fraction(value: Any, key: str) -> float:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise _wrong("a number (float)", value, key)


def _switch(value: Any, key: str) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if isinstance(value, str | int) and word in _TRUE | _FALSE:
        return word in _TRUE
    raise _wrong("true or false (bool)", value, key)


def _text(value: Any, key: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    raise _wrong("text (string)", value, key)


_SCALARS: Mapping[Any, Callable[[Any, str], Any]] = {
    bool: _switch,
    int: _whole,
    float: _fraction,
    str: _text,
}


def _wrong(wanted: str, value: Any, key: str) -> FixInput:
    got = "null" if value is None else f"{repr(value)[:80]} ({type(value).__name__})"
    return FixInput(f"{key} must be {wanted}", got=got)


def _check_required(spec: Experiment, action: str) -> None:
    blocks: Any = getattr(spec, action)
    for key, entry in leaf_entries(type(blocks)):
        if not entry.facts.required:
            continue
        block = blocks
        *parents, _ = key.split(".")
        for part in parents:
            block = getattr(block, part)
        if getattr(block, entry.attribute) in (MISSING_VALUE, (MISSING_VALUE,), ()):
            raise FixInput(
                f"{action}.{key} must have a value",
                fix=f"give it in the spec or as {action}.{key}=...",
            )


def to_tree(spec: Any) -> dict[str, Any]:
    """The spec, or one block of it, as nested plain values in the order of the fields."""
    tree: dict[str, Any] = {}
    for entry in entries(type(spec)):
        value = getattr(spec, entry.attribute)
        tree[entry.name] = to_tree(value) if entry.is_block else _plain(value)
    return tree


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
