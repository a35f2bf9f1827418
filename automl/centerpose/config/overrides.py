"""Settings from the command line, laid on a spec: ``train.num_epochs=30``."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from automl.errors import FixInput
from automl.yamltext import load_yaml

__all__ = ["apply_overrides"]


def apply_overrides(tree: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """A copy of ``tree`` in which every ``dotted.key=value`` holds, the last of a key winning.

    Values are read as YAML, so ``[18,25]`` is a list and ``1e-4`` a number; nothing after the sign
    is the empty text. Keys are not checked here: loading the result does that.

    Raises:
        FixInput: An override is not of that form, or its key leads through a setting.
    """
    result = copy.deepcopy(dict(tree))
    for override in overrides:
        key, sign, text = override.partition("=")
        if not sign or not all(part.strip() for part in key.split(".")):
            raise FixInput("an override must be written as key=value", got=repr(override))
        value = load_yaml(text, where=f"override {key}") if text.strip() else ""
        _place(result, key.strip(), value)
    return result


def _place(tree: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    block = tree
    for part in parents:
        inner = block.setdefault(part, {})
        if not isinstance(inner, dict):
            raise FixInput(
                "every part of an override's key but the last must name a block",
                got=key,
                where=part,
            )
        block = inner
    block[last] = value
