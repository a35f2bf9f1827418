"""How values are written for a reader: numbers, durations, settings, sparklines."""

import json
import math
from collections.abc import Iterable, Sequence

from automl.skill.tree import ParamValue

__all__ = [
    "chance",
    "count",
    "duration",
    "money",
    "one_line",
    "param",
    "short_names",
    "signed",
    "sparkline",
    "value",
]

_BARS = "▁▂▃▄▅▆▇█"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def value(number: float | None) -> str:
    """A metric's value with four decimals, or three digits where four decimals say too little."""
    if number is None or math.isnan(number):
        return "-"
    if number == 0 or 1e-2 <= abs(number) < 1e4:
        return f"{number:.4f}"
    return _digits(number, 3)


def signed(number: float | None) -> str:
    """A difference with its sign: ``+0.0631``."""
    if number is None:
        return "-"
    return value(number) if number < 0 else f"+{value(number)}"


def param(setting: ParamValue) -> str:
    """A setting's value as one would write it in a study file, floats to four digits."""
    if isinstance(setting, bool) or setting is None:
        return json.dumps(setting)
    if isinstance(setting, float):
        return _digits(setting, 4)
    if isinstance(setting, list | tuple):
        return "[" + ", ".join(param(entry) for entry in setting) + "]"
    return str(setting)


def _digits(number: float, digits: int) -> str:
    text = f"{number:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text


def duration(seconds: float | None) -> str:
    """Wall time in at most two units: ``4.2s``, ``48s``, ``3m12s``, ``1h52m``, ``2d04h``."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    if round(seconds, 1) < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02d}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02d}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02d}h"


def count(n: int, noun: str) -> str:
    """A number with its noun: ``1 trial``, ``3 trials``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def money(amount: float) -> str:
    """An amount of some currency to a hundredth: ``1,234.50``."""
    return f"{amount:,.2f}"


def chance(probability: float) -> str:
    """A probability to two decimals, which never says 0 or 1: ``0.42``, ``> 0.99``, ``< 0.01``."""
    if probability > 0.995:
        return "> 0.99"
    return "< 0.01" if probability < 0.005 else f"{probability:.2f}"


def one_line(text: str, width: int) -> str:
    """``text`` on one line of at most ``width`` characters, an ellipsis where it was cut."""
    flat = " ".join(text.split())
    return flat if len(flat) <= width else f"{flat[: max(0, width - 1)]}…"


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Each dotted key with the shortest tail that no other key ends in: ``train.optim.lr``, lr."""
    names = {}
    for key in keys:
        parts = key.split(".")
        tails = (".".join(parts[start:]) for start in range(len(parts) - 1, -1, -1))
        others = [other for other in keys if other != key]
        names[key] = next((tail for tail in tails if not _is_tail_of(tail, others)), key)
    return names


def _is_tail_of(tail: str, others: Iterable[str]) -> bool:
    return any(other == tail or other.endswith(f".{tail}") for other in others)


def sparkline(values: Sequence[float]) -> str:
    """One bar a value, from the lowest to the highest; equal values give middling bars."""
    if not values:
        return ""
    low, high = min(values), max(values)
    if low == high:
        return _BARS[3] * len(values)
    top = len(_BARS) - 1
    return "".join(_BARS[round((number - low) / (high - low) * top)] for number in values)
