"""What is asked of the search of one parameter: a range, options, or a value it is frozen at.

A flag, a study file and a skill's search profile all ask in these words, and the space is built
from them. Its reader of YAML is imported when a request is read: the table of settings, which
``automl --help`` is made from, imports this.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from automl.errors import FixInput

__all__ = ["Asked", "Frozen", "parse_freeze", "parse_search", "text_of"]

_KEY = re.compile(r"[A-Za-z_]\w*(?:\[\d+\])?(?:\.\w+(?:\[\d+\])?)*")
#: Characters of a wrong request that an error shows.
_MOST_SHOWN = 80
_RANGE = re.compile(r"(?P<low>[^:]+?)\.\.(?P<high>[^:]+?)(?::(?P<scale>\w+))?")


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
        text: The request as it was written; empty where nobody wrote it as text.
    """

    key: str
    low: float | int | None = None
    high: float | int | None = None
    log: bool | None = None
    choices: tuple[Any, ...] = ()
    weights: tuple[float, ...] = ()
    fraction_of: str = ""
    source: str = "--search"
    text: str = field(default="", compare=False)

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
                "a range must go from low to high",
                got=f"{self.low:g}..{self.high:g}",
                where=f"{self.source} {self.key}",
            )
        if self.log and self.low is not None and self.low <= 0:
            raise FixInput(
                "a log scale must begin above 0",
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
                "weights must be one per option, not negative, and not all 0",
                got=f"{list(self.weights)}",
                where=f"{self.source} {self.key}",
            )
        return self


@dataclass(frozen=True, slots=True)
class Frozen:
    """A parameter that is asked not to be searched.

    Attributes:
        key: Dotted key.
        given: The value it is frozen at, in a tuple; empty to keep the base spec's.
        text: The request as it was written.
    """

    key: str
    given: tuple[Any, ...] = ()
    text: str = field(default="", compare=False)


def text_of(key: str, value: Any) -> str:
    """A request that a study file holds as key and value, written as a flag writes it."""
    if isinstance(value, Mapping):
        raise FixInput(
            "what is searched or frozen must be written as text, or as a list of options",
            got=f"{dict(value)}",
            where=key,
            fix=f'write {key}: "LOW..HIGH" or {key}: "LOW..HIGH:log"',
        )
    entries = ",".join(map(str, value)) if isinstance(value, list) else value
    return f"{key}={entries}"


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
        return Asked(key, text=text)
    found = _RANGE.fullmatch(value)
    if found is None or value.startswith("["):
        return Asked(key, choices=_options(value, text), text=text)
    scale = found["scale"]
    if scale not in (None, "log", "linear"):
        raise _form(text)
    low, high = _number(found["low"], text), _number(found["high"], text)
    log = None if scale is None else scale == "log"
    return Asked(key, low, high, log, text=text).check()


def parse_freeze(text: str) -> Frozen:
    """The request written as ``KEY`` or ``KEY=VALUE``.

    Raises:
        FixInput: The text has another form.
    """
    key, equals, value = text.strip().partition("=")
    key = key.strip()
    if not _KEY.fullmatch(key):
        raise FixInput(
            "a parameter must be frozen as KEY or KEY=VALUE", got=repr(text), where="--freeze"
        )
    from automl.yamltext import load_yaml

    given = (load_yaml(value, where=f"--freeze {key}"),) if equals else ()
    return Frozen(key, given, text)


def _form(text: str) -> FixInput:
    return FixInput(
        "a parameter must be searched as KEY, KEY=LOW..HIGH, KEY=LOW..HIGH:log or KEY=a,b,c",
        got=repr(text),
        where="--search",
    )


def _number(text: str, whole: str) -> float | int:
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        is_held = not isinstance(value, int) or value.bit_length() < 64
        if is_held and value == value and abs(value) != float("inf"):
            return value
    got = repr(whole) if len(whole) < _MOST_SHOWN else f"{whole[:_MOST_SHOWN]!r}..."
    raise FixInput("the ends of a range must be finite numbers", got=got, where="--search")


def _options(value: str, text: str) -> tuple[Any, ...]:
    from automl.yamltext import load_yaml

    options = load_yaml(f"[{value}]", where=f"--search {text}")
    unique: list[Any] = []
    for option in options:
        if not any(type(option) is type(other) and option == other for other in unique):
            unique.append(option)
    return tuple(unique)
