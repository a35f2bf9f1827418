"""Quantities that people type, such as durations."""

import re

from automl.errors import FixInput

__all__ = ["seconds"]

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(s|m|h|d)?$")
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(value: str | float, where: str) -> float:
    """A duration in seconds: ``90``, ``90s``, ``10m``, ``2h`` or ``1d``.

    Raises:
        FixInput: The text is no such duration.
    """
    found = _DURATION.match(str(value).strip())
    if not found:
        raise FixInput(
            "a duration must be a number with an optional unit s, m, h or d",
            got=repr(value),
            where=where,
            fix="write 90s, 10m or 2h",
        )
    return float(found[1]) * _UNIT_S[found[2] or "s"]
