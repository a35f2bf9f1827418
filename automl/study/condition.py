"""Conditions over named numbers, of which some may not be known."""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["OPERATORS", "Both", "Compared", "Condition", "Known", "Opposite", "shown_side"]

#: A name to its value; None where it is not known.
Known: TypeAlias = Mapping[str, float | None]

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison of two names or numbers."""

    left: str | float
    sign: str
    right: str | float

    def holds(self, known: Known) -> bool | None:
        """Whether it holds; None where a value is not known."""
        left, right = (_value(side, known) for side in (self.left, self.right))
        return None if left is None or right is None else OPERATORS[self.sign](left, right)

    def leaves(self, *, wanted: bool) -> Iterator[tuple["Compared", bool]]:
        """Itself, and whether it should hold."""
        yield self, wanted

    def __str__(self) -> str:
        return f"{shown_side(self.left)} {self.sign} {shown_side(self.right)}"


@dataclass(frozen=True, slots=True)
class Both:
    """``and``, or with ``is_either`` ``or``, of two conditions."""

    left: "Condition"
    right: "Condition"
    is_either: bool

    def holds(self, known: Known) -> bool | None:
        """As Kleene's logic has it: what is not known decides only where it must."""
        values = (self.left.holds(known), self.right.holds(known))
        decided = self.is_either
        if decided in values:
            return decided
        return None if None in values else not decided

    def leaves(self, *, wanted: bool) -> Iterator[tuple[Compared, bool]]:
        """Each comparison in it, and whether it should hold."""
        yield from self.left.leaves(wanted=wanted)
        yield from self.right.leaves(wanted=wanted)


@dataclass(frozen=True, slots=True)
class Opposite:
    """The opposite of a condition."""

    inner: "Condition"

    def holds(self, known: Known) -> bool | None:
        """The opposite; None where that is not known."""
        value = self.inner.holds(known)
        return None if value is None else not value

    def leaves(self, *, wanted: bool) -> Iterator[tuple[Compared, bool]]:
        """Each comparison in it, and whether it should hold."""
        yield from self.inner.leaves(wanted=not wanted)


Condition: TypeAlias = Compared | Both | Opposite


def _value(side: str | float, known: Known) -> float | None:
    return known[side] if isinstance(side, str) else side


def shown_side(side: str | float) -> str:
    """A name, or a number in as many digits as it has."""
    return side if isinstance(side, str) else f"{side:.15g}"
