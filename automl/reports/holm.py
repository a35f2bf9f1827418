"""Which p-values stand when there are many of them."""

from collections.abc import Hashable, Mapping
from typing import Final, TypeVar

__all__ = ["LEVEL", "by_holm"]

LEVEL: Final = 0.05

Name = TypeVar("Name", bound=Hashable)


def by_holm(p: Mapping[Name, float]) -> dict[Name, float]:
    """Those of the p-values that stand at 5 % when there are so many of them (Holm 1979)."""
    passed = {}
    for i, (name, value) in enumerate(sorted(p.items(), key=lambda item: item[1])):
        if value > LEVEL / (len(p) - i):
            break
        passed[name] = value
    return passed
