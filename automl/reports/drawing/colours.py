"""Colours between colours, for values on a scale."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

__all__ = ["SCALE", "mixed"]

#: Rising lightness, which every reader can order; its darkest shows on a dark page too.
SCALE: Final = (
    (0.0, "#5e4fa2"), (0.25, "#3b6fb6"), (0.5, "#21918c"), (0.75, "#5ec962"), (1.0, "#fde725"),
)  # fmt: skip


def mixed(scale: Sequence[tuple[float, str]], share: float) -> str:
    """The colour at a share of a scale of ``#rrggbb`` colours, from 0 to 1."""
    for (start, one), (end, other) in pairwise(scale):
        if share <= end:
            t = max(0.0, (share - start) / ((end - start) or 1.0))
            parts = (
                round(int(one[i : i + 2], 16) * (1 - t) + int(other[i : i + 2], 16) * t)
                for i in (1, 3, 5)
            )
            return "#" + "".join(f"{part:02x}" for part in parts)
    return scale[-1][1]
