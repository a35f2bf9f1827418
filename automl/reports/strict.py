"""Strict JSON from values that may hold NaN or infinity.

Strict JSON has no word for a number that is not finite. Such a number becomes null here, and its
place is listed together with what stood there, so that nothing disappears in silence.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["strict_json"]


def strict_json(value: Any) -> tuple[Any, dict[str, str]]:
    """``value`` in plain types, and what was replaced by null.

    Args:
        value: Mappings, sequences, numbers, texts, paths and enumerations, nested.

    Returns:
        The value as ``json`` can write it with ``allow_nan=False``, and the place
        (``trials[3].metrics.loss``) of each null that was put there, with the reason.
    """
    reasons: dict[str, str] = {}
    return _plain(value, "", reasons), reasons


def _plain(value: Any, place: str, reasons: dict[str, str]) -> Any:
    if isinstance(value, Mapping):
        dot = "." if place else ""
        return {
            str(name): _plain(entry, f"{place}{dot}{name}", reasons)
            for name, entry in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry, f"{place}[{i}]", reasons) for i, entry in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        reasons[place] = f"not finite: {value}"
        return None
    if isinstance(value, str | Path):
        return str(value)
    return value
