"""What Linux control groups leave this process of its machine: CPUs, memory, and who was killed.

Batch systems and containers limit what runs in them this way. A limit of a group holds for all
groups below it, so every group from this process's own to the top is asked; in a container the
upper ones may not be seen. Both versions are read: in version 2 one tree holds every limit, in
version 1 each resource has a tree of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ControlGroups"]

#: Version 1 writes "no limit" as the largest whole number of pages.
_NO_LIMIT = 1 << 60
#: Controller, and where its groups say their limit, their use, and of that the idle file cache.
_MEMORY = (
    ("", "memory.max", "memory.current", "inactive_file"),
    ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


@dataclass(frozen=True, slots=True)
class ControlGroups:
    """The control groups of one process.

    Attributes:
        own: The kernel's list of them.
        root: Where their file systems are mounted.
    """

    own: Path = Path("/proc/self/cgroup")
    root: Path = Path("/sys/fs/cgroup")

    def cpus(self) -> float | None:
        """CPUs' worth of time that these groups may use; None for no limit.

        Which CPUs a process may run on is another limit: the scheduler says that one.
        """
        quotas = (_text(group / "cpu.max").split() for group in self._groups(""))
        found = [int(each[0]) / int(each[1]) for each in quotas if each and each[0] != "max"]
        for group in self._groups("cpu"):
            quota, period = (_number(group / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
            if quota and period:
                found.append(quota / period)
        return min(found, default=None)

    def memory(self) -> int | None:
        """Bytes that these groups may hold; None for no limit."""
        return min((limit for limit, _ in self._memory()), default=None)

    def memory_left(self) -> int | None:
        """Bytes that may still be taken, those of idle file caches included; None for no limit."""
        return min((max(0, limit - used) for limit, used in self._memory()), default=None)

    def memory_kills(self) -> int | None:
        """How often the kernel has killed a process of this group for memory; None if unknown."""
        for controller, name in (("", "memory.events"), ("memory", "memory.oom_control")):
            own = next(self._groups(controller), None)
            count = "" if own is None else _table(own / name).get("oom_kill", "")
            if count.isdigit():
                return int(count)
        return None

    def _memory(self) -> Iterator[tuple[int, int]]:
        """Limit and use of each group that has a limit, in bytes."""
        for controller, most, used, idle in _MEMORY:
            for group in self._groups(controller):
                limit = _number(group / most)
                if limit is not None and limit < _NO_LIMIT:
                    cached = int(_table(group / "memory.stat").get(idle, "0"))
                    yield limit, (_number(group / used) or 0) - cached

    def _groups(self, controller: str) -> Iterator[Path]:
        """This process's group and those above it: a controller's of version 1, or version 2's."""
        for line in _text(self.own).splitlines():
            _, names, group = line.split(":", 2)
            if controller in names.split(","):
                top = self.root / controller
                path = top / group.lstrip("/")
                above = (each for each in (path, *path.parents) if each.is_relative_to(top))
                yield from (each for each in above if each.is_dir())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    """A number that is not below 0; None for anything else, such as ``max``."""
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _table(path: Path) -> dict[str, str]:
    """Rows of a name and a value."""
    rows = (row.partition(" ") for row in _text(path).splitlines())
    return {name: value.strip() for name, _, value in rows}
