"""What a study is required to have reached, as a small expression over its own numbers.

::

    val_3DIoU >= 0.8 and gain_low > 0
    not (failures > 3 or gpu_hours > 12)

Comparisons of names and numbers, ``and``, ``or``, ``not`` and parentheses; nothing is computed
and nothing else can be named, so that an expression from anywhere does no harm.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.study.condition import (
    OPERATORS,
    Both,
    Compared,
    Condition,
    Known,
    Opposite,
    shown_side,
)

__all__ = ["NAMES", "Requirement", "check_names", "parse_requirement"]

#: Every name but the metric's own, with what it stands for.
NAMES: Mapping[str, str] = {
    "value": "the metric: mean of fresh seeds where the winner has some, else its best epoch",
    "best": "the winner at its best epoch, with the one seed of the search",
    "mean": "the winner's mean over fresh seeds",
    "expected": "what the winner would give with another seed, by all trials",
    "default": "trial 0 at its best epoch",
    "default_mean": "trial 0's mean over fresh seeds",
    "gain": "winner against trial 0, more being better: of the means where there are some",
    "gain_low": "lower end of the 95 % interval of that difference of means",
    "gain_high": "upper end of it",
    "test": "the winner's checkpoint on the test images",
    "test_gain": "the same against trial 0's, more being better",
    "test_gap": "test minus validation value of the winner's checkpoint",
    "trials": "trials that have ended, confirmations included",
    "usable": "trials of the search with a value",
    "failures": "trials that failed",
    "gpu_hours": "GPU hours of the whole study",
    "wall_hours": "hours that its drivers have run",
}

_WORDS = ("and", "or", "not")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_][\w./]*)|(?P<sign>>=|<=|==|!=|>|<|\(|\)))"
)
#: Parentheses and ``not`` inside one another; deeper ones are nobody's wish.
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must hold at the end of a study.

    Attributes:
        text: As it was written.
        condition: What it says.
    """

    text: str
    condition: Condition

    @property
    def names(self) -> tuple[str, ...]:
        """The names in it, each once."""
        sides = (side for leaf, _ in self.condition.leaves(wanted=True)
                 for side in (leaf.left, leaf.right))  # fmt: skip
        return tuple(dict.fromkeys(side for side in sides if isinstance(side, str)))

    def unmet(self, known: Known) -> tuple[str, ...]:
        """Why it is not met, one comparison each with its values; empty if it is.

        Args:
            known: Every name to its value; None for one that the study does not know.
        """
        if self.condition.holds(known):
            return ()
        return tuple(
            _why(leaf, known, wanted=wanted)
            for leaf, wanted in self.condition.leaves(wanted=True)
            if leaf.holds(known) is not wanted
        )


def _why(leaf: Compared, known: Known, *, wanted: bool) -> str:
    names = [side for side in (leaf.left, leaf.right) if isinstance(side, str)]
    missing = [name for name in names if known[name] is None]
    if missing:
        return f"{leaf}: {' and '.join(missing)} is not known"
    values = ", ".join(f"{name} is {known[name]:.6g}" for name in names)
    return f"{leaf} {'does not hold' if wanted else 'holds'}: {values}"


# Reading


def check_names(requirement: Requirement, metric: str, where: str) -> None:
    """Refuses a name that stands for nothing.

    Args:
        requirement: What was asked for.
        metric: The study's own metric, whose name stands for ``value``.
        where: Where it was asked for.

    Raises:
        FixInput: A name is unknown.
    """
    for name in requirement.names:
        if name not in NAMES and name != metric:
            raise FixInput(
                "a requirement names the study's own numbers",
                got=name,
                where=where,
                fix=did_you_mean(name, (*NAMES, metric)) or f"known: {metric}, {', '.join(NAMES)}",
            )


def parse_requirement(text: str, where: str) -> Requirement:
    """The requirement that a text says.

    Raises:
        FixInput: It is none.
    """
    return Requirement(" ".join(text.split()), _Reader(text, where).whole())


class _Reader:
    """Reads one text, a word after the other.

    Args:
        text: The requirement.
        where: Where it was given.
    """

    def __init__(self, text: str, where: str) -> None:
        self._text = text
        self._where = where
        self._words = list(self._split())
        self._at = 0
        self._depth = 0

    def whole(self) -> Condition:
        condition = self._either()
        if self._next:
            raise self._broken(f"{self._next!r} after {' '.join(self._words[: self._at])!r}")
        return condition

    def _split(self) -> Iterator[str]:
        text, start = self._text.rstrip(), 0
        while start < len(text):
            found = _TOKEN.match(text, start)
            if found is None:
                raise self._broken(repr(text[start:].strip()[:20]))
            yield found[0].strip()
            start = found.end()

    @property
    def _next(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else ""

    def _take(self) -> str:
        self._at += 1
        return self._words[self._at - 1]

    def _either(self) -> Condition:
        left = self._both()
        while self._next == "or":
            self._take()
            left = Both(left, self._both(), is_either=True)
        return left

    def _both(self) -> Condition:
        left = self._single()
        while self._next == "and":
            self._take()
            left = Both(left, self._single(), is_either=False)
        return left

    def _single(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._broken(f"more than {_DEEPEST} parentheses inside one another")
        try:
            if self._next == "not":
                self._take()
                return Opposite(self._single())
            return self._parenthesis() if self._next == "(" else self._compared()
        finally:
            self._depth -= 1

    def _parenthesis(self) -> Condition:
        self._take()
        inner = self._either()
        if self._next != ")":
            raise self._broken("a parenthesis that is not closed")
        self._take()
        return inner

    def _compared(self) -> Compared:
        left = self._side()
        if self._next not in OPERATORS:
            raise self._broken(f"{self._next!r} where one of {', '.join(OPERATORS)} was expected")
        sign = self._take()
        right = self._side()
        if self._next in OPERATORS:
            raise self._broken("a chain of comparisons: write a < b and b < c")
        if not isinstance(left, str) and not isinstance(right, str):
            raise self._broken(f"two numbers: {shown_side(left)} {sign} {shown_side(right)}")
        return Compared(left, sign, right)

    def _side(self) -> str | float:
        word = self._next
        if not word or word in _WORDS or word in OPERATORS or word in "()":
            shown = repr(word) if word else "the end"
            raise self._broken(f"{shown} where a name or a number was expected")
        self._take()
        return word if word[0].isalpha() or word[0] == "_" else float(word)

    def _broken(self, got: str) -> FixInput:
        return FixInput(
            "a requirement compares names and numbers, joined by and, or, not",
            got=got,
            where=f"{self._where} {self._text!r}",
            fix="write: val_3DIoU >= 0.8 and gain_low > 0",
        )
