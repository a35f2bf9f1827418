"""Where the ticks of an axis stand, and how they are written."""

import math
from collections.abc import Iterator, Sequence

__all__ = ["linear_ticks", "log2_ticks", "log_ticks", "number_text"]

_MOST = 6
#: Digits of a decade that get a tick, by how many decades an axis spans at most.
_DIGITS = ((2.0 - 1e-9, (1, 2, 5)), (3.5, (1, 3)))


def number_text(number: float) -> str:
    """A tick's label: ``0.05``, ``3e-5``, ``2048``."""
    if number == 0 or 1e-2 <= abs(number) < 1e6:
        return f"{number:.6g}"
    mantissa, _, exponent = f"{number:.2e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def log_ticks(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: 1 and 3 of each decade, more of a short one, fewer of a long.

    Args:
        low: Lower end; above 0.
        high: Upper end.
    """
    decades = math.log10(high / low)
    digits = next((digits for most, digits in _DIGITS if decades <= most), (1,))
    step = max(1, math.ceil(decades / _MOST)) if len(digits) == 1 else 1
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers = [power for power in range(first, last + 1) if power % step == 0]
    ticks = [float(f"{digit}e{power}") for power in powers for digit in digits]
    return [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)] or [low, high]


def log2_ticks(low: float, high: float) -> list[float]:
    """Powers of two between two ends; the ends themselves where there is none."""
    powers = range(math.ceil(math.log2(low) - 1e-9), math.floor(math.log2(high) + 1e-9) + 1)
    stride = max(1, math.ceil(len(powers) / (_MOST + 2)))
    return [2.0**power for power in powers][::stride] or [low, high]


def linear_ticks(low: float, high: float, most: int = _MOST) -> list[float]:
    """Round numbers between two ends, at most ``most`` and one of them."""
    if high <= low:
        return [low]
    step = _round_step((high - low) / most)
    first = math.ceil(low / step - 1e-9)
    return list(_multiples(step, first, math.floor(high / step + 1e-9)))


def _multiples(step: float, first: int, last: int) -> Iterator[float]:
    for i in range(first, last + 1):
        yield float(f"{i * step:.10g}")


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    rounds: Sequence[float] = (1.0, 2.0, 5.0, 10.0)
    return next(digit * power for digit in rounds if digit * power >= least * (1 - 1e-9))
