"""Values of settings as text."""

import json

from automl.skill.tree import ParamValue

__all__ = ["Plain", "plain", "value_text"]

Plain = bool | int | float | str | None


def value_text(value: object) -> str:
    """A value as it would be typed into a spec; floats as short as they are exact."""
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return value if isinstance(value, str) and value else json.dumps(value)


def plain(value: ParamValue) -> Plain:
    """A value as a storage can keep it: a list as its JSON text, anything else as it is."""
    return json.dumps(value) if isinstance(value, list) else value
