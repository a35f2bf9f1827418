"""Trainers that other packages bring, each by an entry point of one group.

A package that cannot be loaded must not keep a study from another trainer: it is
named, with what went wrong, and left out.
"""

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from automl.trainers.entry import TrainerEntry

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "Broken", "Installed", "installed_names", "read_installed"]

#: The group of entry points. Each is named as its trainer, and its object is a ``TrainerEntry``
#: whose settings begin with that name.
GROUP = "automl.trainers"


@dataclass(frozen=True, slots=True)
class Broken:
    """An installed trainer that cannot be used.

    Attributes:
        name: Name of its entry point.
        package: The distribution that brings it.
        problem: What is wrong with it, as one line.
    """

    name: str
    package: str
    problem: str

    def __str__(self) -> str:
        return f"the trainer {self.name} of the package {self.package} is left out: {self.problem}"


@dataclass(frozen=True, slots=True)
class Installed:
    """Trainers by name, and those that cannot be used."""

    entries: Mapping[str, TrainerEntry]
    broken: tuple[Broken, ...] = ()


def installed_names() -> tuple[str, ...]:
    """Names of the trainers that installed packages bring, broken ones too; imports none."""
    return tuple(point.name for point in _entry_points(tuple(sys.path)))


def read_installed(taken: Collection[str] = ()) -> Installed:
    """The trainers that installed packages bring; imports their modules.

    Args:
        taken: Names that are given away already.
    """
    entries: dict[str, TrainerEntry] = {}
    broken: list[Broken] = []
    for point in _entry_points(tuple(sys.path)):
        loaded = _load(point, {*taken, *entries})
        if isinstance(loaded, TrainerEntry):
            entries[loaded.name] = loaded
        else:
            broken.append(Broken(point.name, _package(point), loaded))
    return Installed(entries, tuple(broken))


@lru_cache(maxsize=1)
def _entry_points(path: tuple[str, ...]) -> tuple["EntryPoint", ...]:  # noqa: ARG001 -- the key
    """The entry points of the group in order; every package on the path is asked, but once."""
    from importlib.metadata import entry_points  # slow to import, and few commands need it

    return tuple(sorted(entry_points(group=GROUP), key=_place))


def _load(point: "EntryPoint", taken: Collection[str]) -> TrainerEntry | str:
    """The entry that an entry point names, or what is wrong with it."""
    if point.name in taken:
        return "its name is another trainer's"
    try:
        entry = point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - another package's code, while it is imported
        return _one_line(error)
    if not isinstance(entry, TrainerEntry):
        return f"{point.value} must be a TrainerEntry, but is a {type(entry).__name__}"
    if entry.name != point.name:
        return f"its entry point must be named '{entry.name}', as the trainer is"
    return _wrong_setting(entry) or entry


def _wrong_setting(entry: TrainerEntry) -> str:
    """What is wrong with the settings of an entry; empty if they can stand beside all others."""
    for setting in entry.settings:
        if not setting.name.startswith(f"{entry.name}_"):
            return f"its setting {setting.name} must begin with '{entry.name}_'"
        if setting.trainer != entry.name:
            return f"its setting {setting.name} must say trainer='{entry.name}'"
    return ""


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _package(point: "EntryPoint") -> str:
    return point.dist.name if point.dist is not None else "unknown"


def _place(point: "EntryPoint") -> tuple[str, str]:
    return point.name, _package(point)
