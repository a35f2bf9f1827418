"""The forms of the fields of a journal's operations, and of this program's own notes on trials."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, Final

from optuna.distributions import BaseDistribution, json_to_distribution

from automl.jsontext import parse_json
from automl.study import attributes
from automl.study.clock import moment_of
from automl.study.records import MOST_EPOCHS, FailureClass, Measurement

__all__ = [
    "ATTRIBUTE",
    "COUNT",
    "DIRECTIONS",
    "DISTRIBUTION",
    "DISTRIBUTIONS",
    "ENTRY",
    "EPOCH",
    "MAPPING",
    "NUMBER",
    "NUMBERS",
    "STATE",
    "STEPS",
    "TEXT",
    "TIME",
    "FieldRule",
    "distribution_of",
    "optional",
    "shortened",
]

#: Above it nothing here counts: trials, epochs, attempts.
_MOST: Final = 1 << 31
_SHOWN: Final = 60
_LONGEST_PATH: Final = 1024


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What a value must be.

    Attributes:
        words: For an error: what it must be.
        holds: Whether a value is so; what it raises of ``LookupError``, ``TypeError`` and
            ``ValueError`` means that it is not.
    """

    words: str
    holds: Callable[[Any], bool]

    def check(self, name: str, value: Any) -> None:
        """Makes sure that a field has the form.

        Raises:
            ValueError: It has not.
        """
        try:
            is_so = self.holds(value)
        except (LookupError, TypeError, ValueError, OverflowError, AttributeError):
            is_so = False
        if not is_so:
            raise ValueError(f"its {name} must be {self.words}, but is {shortened(value)}")


def shortened(value: Any) -> str:
    """A value for an error, in one line of bounded length."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 63:
        return "a huge number"
    try:
        text = repr(value)
    except RecursionError:
        return f"a deeply nested {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def optional(form: FieldRule) -> FieldRule:
    """The form, or null."""
    return FieldRule(f"{form.words} or null", lambda value: value is None or form.holds(value))


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MOST


def _is_number(value: Any) -> bool:
    return type(value) is float or (type(value) is int and abs(value) < 1 << 63)


def _is_finite(value: Any) -> bool:
    return _is_number(value) and math.isfinite(value)


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and moment_of(value).year > 0


def _is_short(part: str) -> bool:
    return len(part.encode(errors="replace")) < 256


def _is_path(value: Any) -> bool:
    path = PurePosixPath(value)
    is_short = len(value) < _LONGEST_PATH and all(map(_is_short, path.parts))
    is_below = not path.is_absolute() and ".." not in path.parts
    return bool(value) and "\0" not in value and is_short and is_below


def _is_param(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_param(entry) for entry in value)
    return value is None or isinstance(value, bool | str) or _is_number(value)


def _are_params(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_param(entry) for entry in value.values())


def _is_epoch(value: Any) -> bool:
    return _is_count(value) and value < MOST_EPOCHS


def _is_history(value: Any) -> bool:
    return isinstance(value, list) and all(Measurement.from_json(entry) for entry in value)


@lru_cache(maxsize=1024)
def distribution_of(text: str) -> BaseDistribution:
    """The distribution that a text of Optuna's stands for.

    Raises:
        ValueError: It stands for none.
    """
    parse_json(text)
    try:
        return json_to_distribution(text)
    except (LookupError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"no distribution: {error!r}") from error


def _is_distribution(value: Any) -> bool:
    return isinstance(value, str) and distribution_of(value) is not None


def _is_steps(value: Any) -> bool:
    return all(_is_epoch(int(step)) and _is_number(n) for step, n in value.items())


EPOCH: Final = FieldRule(f"a whole number from 0, below {MOST_EPOCHS}", _is_epoch)
COUNT: Final = FieldRule("a whole number from 0", _is_count)
NUMBER: Final = FieldRule("a number", _is_number)
NUMBERS: Final = FieldRule(
    "a list of numbers", lambda value: isinstance(value, list) and all(map(_is_number, value))
)
TEXT: Final = FieldRule("a text", lambda value: isinstance(value, str))
TIME: Final = FieldRule("a time (ISO 8601)", _is_time)
MAPPING: Final = FieldRule("a mapping", lambda value: isinstance(value, dict))
ENTRY: Final = FieldRule(
    "a mapping of one entry", lambda value: isinstance(value, dict) and len(value) == 1
)
STATE: Final = FieldRule(
    "a trial's state (0 to 4)", lambda value: type(value) is int and 0 <= value <= 4
)
DIRECTIONS: Final = FieldRule(
    "a list of directions (1 or 2)",
    lambda value: bool(value) and all(type(one) is int and one in (0, 1, 2) for one in value),
)
DISTRIBUTION: Final = FieldRule("a distribution of Optuna's", _is_distribution)
DISTRIBUTIONS: Final = FieldRule(
    "a mapping of distributions", lambda value: all(map(_is_distribution, value.values()))
)
STEPS: Final = FieldRule("a mapping of epochs to numbers", _is_steps)
_PATH: Final = FieldRule("a path within the study", _is_path)
_SECONDS: Final = FieldRule("a number of seconds", lambda value: _is_finite(value) and value >= 0)
_WHOLE: Final = FieldRule(
    "a whole number", lambda value: type(value) is int and abs(value) < 1 << 63
)

#: This program's notes on a trial, by name.
ATTRIBUTE: Final[Mapping[str, FieldRule]] = {
    attributes.NUMBER: COUNT,
    attributes.ATTEMPT: FieldRule(
        "a whole number from 1", lambda value: _is_count(value) and value > 0
    ),
    attributes.DRAW: COUNT,
    attributes.SOURCE: TEXT,
    attributes.FIXED: MAPPING,
    attributes.OUTSIDE: TEXT,
    attributes.RESUME_FROM: _PATH,
    attributes.HISTORY: FieldRule("a list of measurements", _is_history),
    attributes.CONFIRMS: COUNT,
    attributes.SEED: _WHOLE,
    attributes.PARAMS: FieldRule("a mapping of settings to values", _are_params),
    attributes.ASKED_AT: TIME,
    attributes.NOTE: TEXT,
    attributes.REFUSED: TEXT,
    attributes.FAILURE: FieldRule(
        "a class of failure", lambda value: FailureClass(value) is not None
    ),
    attributes.EVIDENCE: TEXT,
    attributes.EXIT_CODE: _WHOLE,
    attributes.CHECKPOINT: _PATH,
    attributes.SECONDS: _SECONDS,
    attributes.GPU_SECONDS: _SECONDS,
    attributes.SUPERSEDED: TEXT,
}
