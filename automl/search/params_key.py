"""Settings as a key of a table."""

from collections.abc import Hashable, Mapping
from typing import Any

from automl.skill.tree import ParamValue

__all__ = ["params_key"]


def params_key(params: Mapping[str, ParamValue]) -> Hashable:
    """A key that equal settings share, and no others."""
    return frozenset((key, _frozen(value)) for key, value in params.items())


def _frozen(value: Any) -> Hashable:
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    if isinstance(value, Mapping):
        return params_key(value)
    return value if isinstance(value, Hashable) else repr(value)
