"""The forms that values of settings have: text, whole numbers, words, paths, durations, names."""

import importlib
import math
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.settings.setting import Completion, Form, Place

__all__ = [
    "AMOUNT",
    "MAPPING",
    "MOMENT",
    "NAMES",
    "PRICE",
    "SECONDS",
    "SHARE",
    "SWITCH",
    "TARGETS",
    "choice",
    "file",
    "folder",
    "moment",
    "names_in",
    "one_text",
    "one_value",
    "seconds",
    "text",
    "whole",
]

#: The largest whole number of a setting: what 64 bits hold.
MOST = (1 << 63) - 1
#: The longest duration, in seconds: a century.
LONGEST_S = 100 * 366 * 86400.0
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(s|m|h|d)?$")
_CLOCK = re.compile(r"^\d{1,2}:\d{2}$")
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def one_value(value: Any, place: Place) -> Any:
    """The value itself, which is neither a list nor a mapping.

    Raises:
        FixInput: It is one.
    """
    if isinstance(value, Mapping | list):
        raise FixInput(f"{place.name} must be one value", got=repr(value), where=place.where)
    return value


def one_text(value: Any, place: Place) -> str:
    """The text of one value; of a whole number its digits.

    Raises:
        FixInput: It is no text: another spelling of it (``True``, ``1e5``) might be meant.
    """
    if one_value(value, place) is None or isinstance(value, bool | float):
        shown = {None: "null", True: "true", False: "false"}.get(value, value)
        raise FixInput(
            f"{place.name} must be text",
            got=f"{shown}",
            where=place.where,
            fix="write it in quotes if it is meant so",
        )
    return str(value)


def _text(value: Any, place: Place) -> str:
    return one_text(value, place)


def text(metavar: str = "") -> Form:
    """Any text."""
    return Form(metavar, _text)


def whole(least: int, metavar: str = "N") -> Form:
    """A whole number from ``least`` on."""

    def read(value: Any, place: Place) -> int:
        one_value(value, place)
        try:
            number = value if type(value) is int else int(str(value))
        except ValueError:
            rule = f"{place.name} must be a whole number"
            raise FixInput(rule, got=repr(value), where=place.where) from None
        if number < least:
            rule = f"{place.name} must be at least {least}"
            raise FixInput(rule, got=str(number), where=place.where)
        if number > MOST:
            rule = f"{place.name} must be at most {MOST}"
            raise FixInput(rule, got=f"{str(number)[:40]}...", where=place.where)
        return number

    return Form(metavar, read)


def names_in(module: str, table: str) -> Callable[[], Iterable[str]]:
    """The names that a table of another module holds; the module is imported when asked."""
    return lambda: tuple(getattr(importlib.import_module(module), table))


def choice(words: Callable[[], Iterable[str]], metavar: str) -> Form:
    """One of a few words."""

    def read(value: Any, place: Place) -> str:
        options = tuple(words())
        word = str(one_value(value, place))
        if word not in options:
            raise FixInput(
                f"{place.name} must be one of {', '.join(options)}",
                got=f"'{word}'",
                where=place.where,
                fix=did_you_mean(word, options),
            )
        return word

    return Form(metavar, read, words=words)


def _path(value: Any, place: Place) -> Path:
    return Path(place.path(one_text(value, place)))


def file(metavar: str = "FILE") -> Form:
    """The path of a file."""
    return Form(metavar, _path, completion=Completion.FILES)


def folder(metavar: str = "DIR") -> Form:
    """The path of a folder."""
    return Form(metavar, _path, completion=Completion.FOLDERS)


def seconds(value: Any, where: str) -> float:
    """A duration in seconds: ``90``, ``90s``, ``10m``, ``2h`` or ``1d``.

    Raises:
        FixInput: The text is no such duration.
    """
    found = _DURATION.match(str(value).strip())
    if not found:
        raise FixInput(
            "a duration must be a number with an optional unit s, m, h or d",
            got=repr(value),
            where=where,
            fix="write 90s, 10m or 2h",
        )
    duration = float(found[1]) * _UNIT_S[found[2] or "s"]
    if duration > LONGEST_S:
        rule = f"a duration must be at most {LONGEST_S / _UNIT_S['d']:.0f}d"
        raise FixInput(rule, got=str(value)[:40], where=where)
    return duration


def _seconds(value: Any, place: Place) -> float:
    number = seconds(one_value(value, place), place.where)
    if number <= 0:
        rule = f"{place.name} must be longer than nothing"
        raise FixInput(rule, got=f"{number:g} s", where=place.where)
    return number


#: A duration such as ``10m``, as seconds.
SECONDS = Form("TIME", _seconds)


def _switch(value: Any, place: Place) -> bool:
    if isinstance(value, bool):
        return value
    raise FixInput(f"{place.name} must be true or false", got=repr(value), where=place.where)


#: Something that is done or not; its flag takes no value.
SWITCH = Form("", _switch, is_switch=True)


def _amount(value: Any, place: Place) -> float:
    one_value(value, place)
    try:
        number = float(value)
    except (TypeError, ValueError):
        rule = f"{place.name} must be a number"
        raise FixInput(rule, got=repr(value), where=place.where) from None
    if isinstance(value, bool) or not 0.0 < number < math.inf:
        rule = f"{place.name} must be a number above 0"
        raise FixInput(rule, got=str(value), where=place.where)
    return number


#: A number above 0, such as ``1.5``.
AMOUNT = Form("H", _amount)
#: What something costs.
PRICE = Form("P", _amount)


def _share(value: Any, place: Place) -> float:
    number = _amount(value, place)
    if number > 1.0:
        rule = f"{place.name} must be a share, above 0 and at most 1"
        raise FixInput(rule, got=str(value), where=place.where, fix="write 0.5 for a half")
    return number


#: A part of a whole, such as ``0.5``.
SHARE = Form("SHARE", _share)


def moment(value: Any, where: str, now: datetime) -> str:
    """A moment to come, as ISO 8601 in UTC: ``18:30`` is the next one, in this machine's time.

    Args:
        value: ``18:30``, or a date with its time in ISO 8601; without a zone in this machine's.
        where: Where it was given.
        now: The time of day, with its zone.

    Raises:
        FixInput: It names no moment.
    """
    word = str(value).strip()
    try:
        if _CLOCK.match(word):
            hour, minute = map(int, word.split(":"))
            found = now.astimezone().replace(hour=hour, minute=minute, second=0, microsecond=0)
            return (
                (found if found > now else found + timedelta(days=1)).astimezone(UTC).isoformat()
            )
        return datetime.fromisoformat(word).astimezone(UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        raise FixInput(
            "a deadline must be a time of day, or a date with a time",
            got=repr(value),
            where=where,
            fix="write 18:30 or 2027-01-31T18:30",
        ) from None


def _moment(value: Any, place: Place) -> str:
    return moment(one_value(value, place), place.where, datetime.now(UTC))


#: A moment, such as ``18:30``, as ISO 8601 in UTC.
MOMENT = Form("TIME", _moment)


def _names(value: Any, place: Place) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple):
        raise FixInput(
            f"{place.name} must be a list of names", got=type(value).__name__, where=place.where
        )
    return tuple(dict.fromkeys(one_text(name, place) for name in listed))


#: Names, each once, in the order given.
NAMES = Form("NAME", _names, repeats=True)


def _targets(value: Any, place: Place) -> tuple[str, ...]:
    targets = _names(value, place)
    for target in targets:
        try:
            words = shlex.split(target)
        except ValueError:
            words = []
        if not words:
            raise FixInput(
                f"{place.name} must be addresses or commands",
                got="one that a shell could not read",  # it may hold a secret
                where=place.where,
                fix="write https://HOST/PATH, or a command and its arguments",
            )
    return targets


#: Addresses and commands, each once.
TARGETS = Form("TARGET", _targets, repeats=True)


def _mapping(value: Any, place: Place) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise FixInput(f"{place.name} must be a mapping", got=repr(value), where=place.where)
    return value


#: A block of a study file, judged by the part of the program that it is for.
MAPPING = Form("", _mapping)
