"""How tests are dealt to several workers: file by file, and first what takes longest.

A file's tests share what its fixtures made, so one worker runs them all. Files that need a Docker
engine go to one worker together, which starts one engine and makes its images once.
"""

from collections import Counter

import pytest
from xdist.scheduler import LoadFileScheduling

__all__ = ["FilesInOrder", "longest_first"]

_SLOW = ("slow", "ray", "docker")
_DOCKER = "docker"


def _share(nodeid: str) -> str:
    """What one worker runs as a whole: a file, or all that need an engine."""
    file = nodeid.partition("::")[0]
    return _DOCKER if _DOCKER in file.rpartition("/")[2] else file


def _limit_s(item: pytest.Item) -> float:
    """How long a slow test may take, in seconds; 0 for a quick one."""
    if not any(map(item.get_closest_marker, _SLOW)):
        return 0.0
    own = item.get_closest_marker("timeout")
    return float(own.args[0] if own and own.args else item.config.getini("timeout"))


def longest_first(items: list[pytest.Item]) -> None:
    """Sorts in place: shares by the sum of their slow tests' limits, quick ones as they stand."""
    limits: Counter[str] = Counter()
    for item in items:
        limits[_share(item.nodeid)] += round(_limit_s(item))
    items.sort(key=lambda item: -limits[_share(item.nodeid)])


class FilesInOrder(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """Gives a worker that has nothing left to do the next file, in the order of the items."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return _share(nodeid)
