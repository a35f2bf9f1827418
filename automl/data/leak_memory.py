"""What a check of two splits found in common, kept until one of them changes.

A plan has no time to compare what images show; where somebody had ``automl data check --against``
do it, the plan says again what was found.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from automl.data.cache import cache_dir
from automl.data.split_digest import split_digest
from automl.files import write_json
from automl.jsontext import read_json

__all__ = ["KnownLeak", "known_leak", "remember_leak"]


@dataclass(frozen=True, slots=True)
class KnownLeak:
    """What was found.

    Attributes:
        count: Images of the one split that are, or nearly are, images of the other.
        first: One of them; empty where there is none.
    """

    count: int
    first: str


def remember_leak(one: Path, two: Path, leak: KnownLeak) -> None:
    """Keeps what was found for two splits as they are now."""
    value = {"splits": _digests(one, two), "count": leak.count, "first": leak.first}
    with suppress(OSError):  # a cache that cannot be written keeps nothing, and breaks nothing
        write_json(_file(one, two), value)


def known_leak(one: Path, two: Path) -> KnownLeak | None:
    """What is known of two splits; None where nothing is, or one of them has changed since."""
    path = _file(one, two)
    try:
        value = read_json(path)
    except (OSError, ValueError):
        return None
    if not isinstance(value, dict) or value.get("splits") != _digests(one, two):
        return None
    return KnownLeak(int(value.get("count", 0)), str(value.get("first", "")))


def _digests(one: Path, two: Path) -> dict[str, str]:
    return {str(path.resolve()): split_digest(path) for path in sorted((one, two))}


def _file(one: Path, two: Path) -> Path:
    names = "\0".join(sorted(str(path.resolve()) for path in (one, two)))
    digest = hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()
    return cache_dir() / "checked" / "leaks" / f"{digest}.json"
