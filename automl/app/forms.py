"""The forms of a study's settings that need to know more than a form of any setting does.

What they need is imported when a value is read: the table of settings stays cheap to import.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.errors import FixInput
from automl.settings.forms import NAMES, choice, names_in, one_text, one_value, whole
from automl.settings.setting import Completion, Form, Place

if TYPE_CHECKING:
    from automl.skill.asked import Asked, Frozen

__all__ = [
    "CHECKPOINT",
    "FREEZE",
    "GPUS",
    "MIRRORED",
    "OVERRIDES",
    "PATHS",
    "POLICY",
    "RAY_ADDRESS",
    "REQUIREMENT",
    "SEARCH",
    "SEEDS",
    "SOURCE",
    "SPACE",
    "STORAGE",
]

_SPACES = names_in("automl.space.request", "SPACES")


def _policy(value: Any, place: Place) -> Any:
    from automl.skill.policy import policy_of

    where = place.where if place.folder is None else f"{place.where}: {place.name}"
    return policy_of(value, where)


def _overrides(value: Any, place: Place) -> dict[str, Any]:
    """Dotted key to value: of a study file's block, nested or dotted, or of a flag's texts."""
    from automl.skill.tree import leaves
    from automl.spec.values import parse_assignment

    if isinstance(value, Mapping):
        return dict(leaves(value))
    if place.folder is not None:
        raise FixInput(f"{place.name} must be a mapping", got=repr(value), where=place.where)
    return dict(parse_assignment(text) for text in value)


def _paths(value: Any, place: Place) -> dict[str, str]:
    """Dotted key to a path or an address."""
    if isinstance(value, Mapping):
        return {str(key): place.path(one_text(path, place)) for key, path in value.items()}
    if place.folder is not None:
        raise FixInput(f"{place.name} must be a mapping", got=repr(value), where=place.where)
    pairs = [(key.strip(), path) for key, _, path in (text.partition("=") for text in value)]
    for (key, path), text in zip(pairs, value, strict=True):
        if not key or not path:
            rule = "an input must be written KEY=PATH"
            raise FixInput(rule, got=repr(text), where=place.where)
    return _once(pairs, place)


def _storage(value: Any, place: Place) -> str:
    from automl.study.database_url import database_url

    return database_url(one_text(value, place), place.where)


def _search(value: Any, place: Place) -> dict[str, "Asked"]:
    from automl.skill.asked import parse_search

    requests = _requests(value, place, parse_search)
    return _once([(asked.key, asked) for asked in requests], place)


def _freeze(value: Any, place: Place) -> dict[str, "Frozen"]:
    from automl.skill.asked import parse_freeze

    requests = _requests(value, place, parse_freeze)
    return _once([(frozen.key, frozen) for frozen in requests], place)


def _once(pairs: Iterable[tuple[str, Any]], place: Place) -> dict[str, Any]:
    """Key to what is said of it, each said once: no word is dropped in silence."""
    said: dict[str, Any] = {}
    for key, value in pairs:
        if key in said:
            rule = f"{place.name} must name each key once"
            raise FixInput(rule, got=f"{key} twice", where=place.where, fix="leave one of them")
        said[key] = value
    return said


def _requests(value: Any, place: Place, parse: Callable[[str], Any]) -> list[Any]:
    """A list of texts as the flag takes them, or a mapping of key to what follows the ``=``."""
    from automl.skill.asked import text_of

    if isinstance(value, Mapping):
        return [parse(text_of(key, entry)) for key, entry in value.items()]
    listed = value if isinstance(value, list | tuple) else [value]
    if all(isinstance(text, str) for text in listed):
        return [parse(text) for text in listed]
    raise FixInput(
        f"{place.name} must be a mapping, or a list of texts as its flag takes them",
        got=repr(value),
        where=place.where,
    )


def _space(value: Any, place: Place) -> str:
    word = one_text(value, place)
    return word if word in _SPACES() else place.path(word)


def _source(value: Any, place: Place) -> str:
    return place.path(one_text(value, place))


def _checkpoint(value: Any, place: Place) -> str:
    """A file by its absolute path, or the words that name a study's checkpoint as they are."""
    words = one_text(value, place)
    path = Path(place.path(words)).expanduser()
    return str(path.absolute()) if path.is_file() or "/" in words else words


def _gpus(value: Any, place: Place) -> tuple[str, ...] | None:
    """Indices and UUIDs as text; None for all."""
    if isinstance(value, Mapping):
        return one_value(value, place)  # type: ignore[no-any-return] # raises
    listed = value if isinstance(value, list | tuple) else str(value).split(",")
    texts = tuple(str(entry).strip() for entry in listed)
    return None if texts == ("all",) else texts


def _ray_address(value: Any, place: Place) -> str:
    """``auto`` or ``HOST:PORT``; empty for a Ray of our own on this machine."""
    word = str(one_value(value, place)).strip()
    host, colon, port = word.rpartition(":")
    is_address = bool(colon and host and port.isdigit() and 0 < int(port) < 65536)
    if word in ("auto", "local") or (is_address and "://" not in word):
        return "" if word == "local" else word
    raise FixInput(
        "a Ray cluster must be given as auto or HOST:PORT",
        got=repr(word),
        where=place.where,
        fix="auto: the one that this machine belongs to; local: none, trials run here",
    )


def _seeds(value: Any, place: Place) -> int | str:
    from automl.study.limits import AUTO

    return AUTO if value == AUTO else whole(0).read(value, place)


def _requirement(value: Any, place: Place) -> str:
    """The text of a requirement whose grammar holds; its names are looked at by the plan."""
    from automl.study.requirement import parse_requirement

    where = place.where if place.folder is None else f"{place.where}: {place.name}"
    return parse_requirement(str(one_value(value, place)), where).text


def _mirrored(value: Any, place: Place) -> tuple[str, ...]:
    """Trackers whose libraries are there."""
    from automl.reports.mirrors.table import MIRRORS, check_mirror

    one = choice(lambda: tuple(MIRRORS), "")
    names = tuple(one.read(name, place) for name in NAMES.read(value, place))
    for name in names:
        check_mirror(name)
    return names


MIRRORED = Form("TRACKER", _mirrored, repeats=True)
POLICY = Form("on|off", _policy, words=lambda: ("on", "off"))
REQUIREMENT = Form("EXPR", _requirement)
OVERRIDES = Form("KEY=VALUE", _overrides, repeats=True, adds_up=True)
PATHS = Form("KEY=PATH", _paths, repeats=True, adds_up=True)
SEARCH = Form("KEY=RANGE", _search, repeats=True, adds_up=True)
FREEZE = Form("KEY[=VALUE]", _freeze, repeats=True, adds_up=True)
#: A database of PostgreSQL.
STORAGE = Form("URL", _storage)
SPACE = Form("SPACE", _space, words=_SPACES, completion=Completion.FILES)
CHECKPOINT = Form("CHECKPOINT", _checkpoint, completion=Completion.FILES)
SOURCE = Form("PATH", _source, completion=Completion.FILES)
GPUS = Form("0,1", _gpus)
SEEDS = Form("N", _seeds)
RAY_ADDRESS = Form("auto|HOST:PORT", _ray_address, words=lambda: ("auto", "local"))
