"""Which folders of the host a container sees, where, and how a spec's paths read inside it.

The attempt's folder is at ``/results``, and is all that a container can write to; the spec in it,
which reproduces the attempt, it can only read. Nothing else of the study is there. Every other
path of the spec that exists on the host gets a place of its own under ``/inputs``, named for its
setting and read-only, a checkpoint to go on from among them. A path that does not exist here is
left as it is: it may be one of the image's own.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from automl.skill.tree import Tree
from automl.study.layout import AttemptPaths

__all__ = ["INPUTS", "RESULTS", "Mount", "Mounts", "mounts_for", "rewritten"]

RESULTS = PurePosixPath("/results")
INPUTS = PurePosixPath("/inputs")

#: Never mounted, whatever a spec says: they are the container's own.
_OWN = ("/dev", "/proc", "/sys")
#: Folders of the image that decide what its programs are.
_OF_THE_IMAGE = ("/bin", "/etc", "/lib", "/lib64", "/root", "/sbin", "/usr", "/var")
#: A file that a skill asks for lies in a folder at least: no top folder is replaced.
_DEPTH = 2
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Mount:
    """One bind.

    Attributes:
        host: Absolute path on the machine of the engine.
        inside: Where the container sees it.
        read_only: Whether the container may only read it.
    """

    host: Path
    inside: PurePosixPath
    read_only: bool = True


@dataclass(frozen=True, slots=True)
class Mounts:
    """The binds of one container, and the way of a path through them."""

    mounts: tuple[Mount, ...]

    def inside(self, path: str) -> str | None:
        """Where the container sees a path of the host; None if it does not."""
        here = PurePosixPath(path)
        above = [mount for mount in self.mounts if here.is_relative_to(str(mount.host))]
        if not above:
            return None
        mount = max(above, key=lambda mount: len(mount.host.parts))
        return str(mount.inside / here.relative_to(str(mount.host)))

    def host(self, path: str) -> str | None:
        """Which path of the host the container sees there; None if it is its own."""
        there = PurePosixPath(path)
        for mount in self.mounts:
            if there.is_relative_to(mount.inside):
                return str(PurePosixPath(str(mount.host)) / there.relative_to(mount.inside))
        return None

    def text_on_host(self, text: str) -> str:
        """A line of the container's output with the host's paths in place of its own."""
        for mount in self.mounts:
            place = re.escape(str(mount.inside))
            whole = re.compile(rf"(?<![\w./-]){place}(?=$|[^\w.-]|\.(?:\s|$))")
            text = whole.sub(lambda _, host=str(mount.host): host, text)  # type: ignore[misc]
        return text

    def to_json(self) -> list[dict[str, Any]]:
        """A plain value that ``json`` can write."""
        return [
            {"host": str(mount.host), "inside": str(mount.inside), "read_only": mount.read_only}
            for mount in self.mounts
        ]

    @classmethod
    def from_json(cls, value: Any) -> "Mounts":
        """The mounts that ``to_json`` wrote."""
        return cls(
            tuple(
                Mount(Path(bind["host"]), PurePosixPath(bind["inside"]), bool(bind["read_only"]))
                for bind in value
            )
        )


def mounts_for(
    spec: Mapping[str, Any],
    attempt: AttemptPaths,
    exists: Callable[[Path], bool],
    wanted: Mapping[str, str] = MappingProxyType({}),
) -> Mounts:
    """The binds that a spec needs.

    Args:
        spec: The nested spec, with the host's paths.
        attempt: Where the results go; the only folder that can be written.
        exists: Whether a path of the spec is one of the host's.
        wanted: Where the skill expects the file of a setting, by dotted key.
    """
    own = attempt.folder
    mounts = {
        own: Mount(own, RESULTS, read_only=False),
        attempt.spec: Mount(attempt.spec, RESULTS / attempt.spec.name),
    }
    taken = {RESULTS}
    for key, text in _texts(spec):
        path = Path(text)
        if path.is_relative_to(own) or path in mounts or not _is_hosts(path, exists):
            continue
        inside = _wanted(wanted.get(key, ""), taken) or _place(key, path, taken)
        taken.add(inside)
        mounts[path] = Mount(path, inside)
    return Mounts(tuple(mounts.values()))


def _is_hosts(path: Path, exists: Callable[[Path], bool]) -> bool:
    """Whether the text of a setting is a path of the host that a container may see."""
    is_plain = path.is_absolute() and len(path.parts) > 1 and ".." not in path.parts
    return is_plain and not any(path.is_relative_to(own) for own in _OWN) and exists(path)


def _wanted(place: str, taken: set[PurePosixPath]) -> PurePosixPath | None:
    """The place that a skill asks for; None where it asks for none, or for one that is not free.

    A skill is not trusted to hide what the image or this program has there.
    """
    path = PurePosixPath(place)
    is_plain = path.is_absolute() and len(path.parts) > _DEPTH and ".." not in path.parts
    is_systems = any(path.is_relative_to(own) for own in (*_OWN, *_OF_THE_IMAGE))
    if not is_plain or is_systems or any(_overlap(path, other) for other in taken):
        return None
    return path


def _overlap(one: PurePosixPath, other: PurePosixPath) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _place(key: str, path: Path, taken: set[PurePosixPath]) -> PurePosixPath:
    """A free place, named for the setting; a file keeps its name, which may say what it is."""
    word = _UNSAFE.sub("-", key).strip("-")
    folder, count = INPUTS / word, 1
    while any(place == folder or place.is_relative_to(folder) for place in taken):
        count += 1
        folder = INPUTS / f"{word}-{count}"
    return folder / path.name if path.suffix else folder


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a nested value with its dotted key; entries of a list go by the list's key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, below in value.items():
            yield from _texts(below, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for below in value:
            yield from _texts(below, key)


def rewritten(spec: Mapping[str, Any], way: Callable[[str], str | None]) -> Tree:
    """A copy of a spec with each path that ``way`` knows replaced by what it says."""
    return {name: _replaced(value, way) for name, value in spec.items()}


def _replaced(value: Any, way: Callable[[str], str | None]) -> Any:
    if isinstance(value, str):
        return (way(value) or value) if value.startswith("/") else value
    if isinstance(value, Mapping):
        return {name: _replaced(below, way) for name, below in value.items()}
    if isinstance(value, list):
        return [_replaced(below, way) for below in value]
    return value
