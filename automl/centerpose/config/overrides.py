"""Settings from the command line, laid on a spec in Hydra's four forms.

================  ===============================================================================
``key=value``     sets a setting; a group of settings is laid over what the group holds
``+key=value``    adds one that the spec does not hold
``++key=value``   adds or sets it
``~key``          takes it out of the spec, so that its default stands; ``~key=value`` does so
                  where it has this very value
================  ===============================================================================
"""

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from automl.errors import FixInput
from automl.yamltext import load_yaml

__all__ = ["apply_overrides"]

_FORM = re.compile(r"(?P<sign>\+{0,2}|~)(?P<key>[^=+~][^=]*)(?P<equals>=)?(?P<text>.*)", re.DOTALL)
_MOST_SHOWN = 80  # characters of an override in an error
_FORMS = "key=value, +key=value, ++key=value or ~key"


def apply_overrides(tree: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """A copy of ``tree`` in which every override holds, the last of a key winning.

    Values are read as YAML, so ``[18,25]`` is a list and ``1e-4`` a number; nothing after the sign
    is the empty text. Keys are not checked here: loading the result does that.

    Raises:
        FixInput: An override has none of the forms, its key leads through a setting, it adds what
            is there, or takes out what is not.
    """
    result = copy.deepcopy(dict(tree))
    for override in overrides:
        _apply(result, _parsed(override))
    return result


@dataclass(frozen=True, slots=True)
class _Override:
    """One override.

    Attributes:
        sign: Empty, ``+``, ``++`` or ``~``.
        key: The parts of its key.
        has_value: Whether it names a value.
        value: That value.
    """

    sign: str
    key: tuple[str, ...]
    has_value: bool
    value: Any

    @property
    def name(self) -> str:
        """Its dotted key."""
        return ".".join(self.key)


def _parsed(override: str) -> _Override:
    found = _FORM.fullmatch(override.strip())
    key = found["key"].strip().split(".") if found else []
    if found is None or not all(key) or any(not part.isprintable() or " " in part for part in key):
        raise _of_no_form(override)
    has_value = found["equals"] is not None
    if not has_value and found["sign"] != "~":
        raise _of_no_form(override)
    text = found["text"]
    value = load_yaml(text, where=f"override {'.'.join(key)}") if text.strip() else ""
    return _Override(found["sign"], tuple(key), has_value, value)


def _of_no_form(override: str) -> FixInput:
    return FixInput(f"an override must be written as {_FORMS}", got=repr(override[:_MOST_SHOWN]))


def _apply(tree: dict[str, Any], override: _Override) -> None:
    *parents, last = override.key
    block = _block(tree, parents, override)
    if override.sign == "~":
        _take_out(block, last, override)
        return
    if override.sign == "+" and last in block:
        raise FixInput(
            f"+{override.name} must name a setting that the spec does not hold",
            got=f"one that is {_short(block[last])}",
            fix=f"write {override.name}=... or ++{override.name}=...",
        )
    block[last] = _laid_over(block.get(last), override.value)


def _laid_over(below: Any, value: Any) -> Any:
    """A value in the place of another; of two groups the settings of both."""
    if not isinstance(below, dict) or not isinstance(value, dict):
        return value
    return below | {name: _laid_over(below.get(name), inner) for name, inner in value.items()}


def _block(tree: dict[str, Any], parents: list[str], override: _Override) -> dict[str, Any]:
    """The block that the last part of a key stands in; made where it is not there."""
    block = tree
    for part in parents:
        inner = block.get(part)
        if inner is None and override.sign != "~":
            inner = block[part] = {}
        elif inner is None:
            inner = {}
        if not isinstance(inner, dict):
            raise FixInput(
                "every part of an override's key but the last must name a block",
                got=override.name,
                where=part,
            )
        block = inner
    return block


def _take_out(block: dict[str, Any], last: str, override: _Override) -> None:
    if last not in block:
        raise FixInput(
            f"~{override.name} must name a setting that the spec holds",
            got="a spec without it",
            fix="leave it out: its default stands already",
        )
    if override.has_value and block[last] != override.value:
        raise FixInput(
            f"~{override.name}={_short(override.value)} takes out this value alone",
            got=_short(block[last]),
            fix=f"write ~{override.name} to take it out whatever it is",
        )
    del block[last]


def _short(value: Any) -> str:
    return repr(value)[:_MOST_SHOWN]
