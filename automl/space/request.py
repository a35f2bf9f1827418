"""What a user asks to be searched: ``--space``, ``--search KEY=RANGE`` and ``--freeze KEY``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from automl.errors import FixInput
from automl.skill.keys import NetworkKeys
from automl.skill.profile import ProfileEntry
from automl.yamltext import load_yaml

__all__ = ["Asked", "SpaceRequest", "asked_by_profile", "parse_freeze", "parse_search"]

SPACES = ("default", "profile", "all")

_KEY = re.compile(r"[A-Za-z_]\w*(?:\[\d+\])?(?:\.\w+(?:\[\d+\])?)*")
_RANGE = re.compile(r"(?P<low>[^:]+?)\.\.(?P<high>[^:]+?)(?::(?P<scale>\w+))?")


@dataclass(frozen=True, slots=True)
class SpaceRequest:
    """Which parameters are searched.

    Attributes:
        space: ``default``, ``profile`` or ``all``.
        search: ``KEY``, ``KEY=LOW..HIGH[:log|:linear]`` or ``KEY=a,b,c`` each; adds or narrows.
        freeze: ``KEY`` or ``KEY=VALUE`` each; removes.
        shorthand: Short keys that stand for dotted ones (``learning_rate``).
        keys: Which settings mean what; None to find it by the names in the schema.
    """

    space: str = "default"
    search: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()
    shorthand: Mapping[str, str] = field(default_factory=dict)
    keys: NetworkKeys | None = None

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise FixInput(
                f"a space is one of {', '.join(SPACES)}", got=repr(self.space), where="--space"
            )

    def searched(self) -> dict[str, "Asked"]:
        """Each key named by ``search`` and what was asked of it; the last one wins."""
        parsed = (parse_search(text) for text in self.search)
        return {(key := self.long_key(asked.key)): asked.renamed(key) for asked in parsed}

    def frozen(self) -> dict[str, tuple[Any, ...]]:
        """Each key named by ``freeze`` and its value, if one was given, in a tuple."""
        parsed = (parse_freeze(text) for text in self.freeze)
        return {self.long_key(key): value for key, value in parsed}

    def long_key(self, key: str) -> str:
        """The dotted key that a short key stands for, else the key itself."""
        return self.shorthand.get(key, key)


@dataclass(frozen=True, slots=True)
class Asked:
    """A range or options asked for one parameter; all empty asks for the schema's own range.

    Attributes:
        key: Dotted key.
        low: Lowest value; None to keep the schema's.
        high: Highest value; None likewise.
        log: Whether the scale is logarithmic; None to decide by the range.
        choices: Options; empty for a range.
        weights: One weight per option; empty for equal ones.
        fraction_of: Setting of which the range is a fraction; empty for plain values.
        source: What to call the request in a reason or an error.
    """

    key: str
    low: float | int | None = None
    high: float | int | None = None
    log: bool | None = None
    choices: tuple[Any, ...] = ()
    weights: tuple[float, ...] = ()
    fraction_of: str = ""
    source: str = "--search"

    @property
    def is_explicit(self) -> bool:
        """Whether a range, a scale or options were given, not the name alone."""
        return any(one is not None for one in (self.low, self.high, self.log)) or bool(
            self.choices
        )

    def renamed(self, key: str) -> "Asked":
        """The same request for another key."""
        return replace(self, key=key)

    def check(self) -> "Asked":
        """The request itself, once it is known to make sense in itself.

        Raises:
            FixInput: Low lies above high, or a log scale does not begin above 0.
        """
        if self.low is not None and self.high is not None and self.low > self.high:
            raise FixInput(
                "a range goes from low to high",
                got=f"{self.low:g}..{self.high:g}",
                where=f"{self.source} {self.key}",
            )
        if self.log and self.low is not None and self.low <= 0:
            raise FixInput(
                "a log scale begins above 0",
                got=f"low {self.low:g}",
                where=f"{self.source} {self.key}",
                fix="set low > 0 or search linearly",
            )
        if self.weights and (
            len(self.weights) != len(self.choices)
            or min(self.weights) < 0
            or not sum(self.weights)
        ):
            raise FixInput(
                "weights are one per option, not negative, and not all 0",
                got=f"{list(self.weights)}",
                where=f"{self.source} {self.key}",
            )
        return self


def parse_search(text: str) -> Asked:
    """The request written as ``KEY``, ``KEY=LOW..HIGH[:log|:linear]`` or ``KEY=a,b,c``.

    Raises:
        FixInput: The text has another form, low lies above high, or a log scale begins at 0.
    """
    key, equals, value = text.strip().partition("=")
    key, value = key.strip(), value.strip()
    if not _KEY.fullmatch(key) or (equals and not value):
        raise _form(text)
    if not equals:
        return Asked(key)
    found = _RANGE.fullmatch(value)
    if found is None or value.startswith("["):
        return Asked(key, choices=_options(value, text))
    scale = found["scale"]
    if scale not in (None, "log", "linear"):
        raise _form(text)
    low, high = _number(found["low"], text), _number(found["high"], text)
    return Asked(key, low, high, None if scale is None else scale == "log").check()


def parse_freeze(text: str) -> tuple[str, tuple[Any, ...]]:
    """Key and value, if one is given, of ``KEY`` or ``KEY=VALUE``.

    Raises:
        FixInput: The text has another form.
    """
    key, equals, value = text.strip().partition("=")
    key = key.strip()
    if not _KEY.fullmatch(key):
        raise FixInput(
            "a parameter is frozen as KEY or KEY=VALUE", got=repr(text), where="--freeze"
        )
    return key, (load_yaml(value, where=f"--freeze {key}"),) if equals else ()


def asked_by_profile(entry: ProfileEntry, where: str) -> Asked:
    """What a profile's entry asks for.

    Raises:
        FixInput: A bound is no number, low lies above high, or a log scale begins at 0.
    """
    source = f"profile: {entry.reason}" if entry.reason else "profile"
    for name, value in (("low", entry.low), ("high", entry.high)):
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise FixInput(f"{name} is a number", got=repr(value), where=f"{where}: {entry.key}")
    return Asked(
        entry.key,
        entry.low,
        entry.high,
        entry.log,
        entry.choices,
        entry.weights,
        entry.fraction_of,
        source,
    ).check()


def _form(text: str) -> FixInput:
    return FixInput(
        "a parameter is searched as KEY, KEY=LOW..HIGH, KEY=LOW..HIGH:log or KEY=a,b,c",
        got=repr(text),
        where="--search",
    )


def _number(text: str, whole: str) -> float | int:
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        if value == value and abs(value) != float("inf"):
            return value
    raise FixInput("the ends of a range are finite numbers", got=repr(whole), where="--search")


def _options(value: str, text: str) -> tuple[Any, ...]:
    options = load_yaml(f"[{value}]", where=f"--search {text}")
    unique: list[Any] = []
    for option in options:
        if not any(type(option) is type(other) and option == other for other in unique):
            unique.append(option)
    return tuple(unique)
