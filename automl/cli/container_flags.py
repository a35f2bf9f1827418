"""The flags that speak of the containers of ``--trainer docker``."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_container_flags"]


def add_container_flags(group: "argparse._ArgumentGroup") -> None:
    """Adds them to a command's group."""
    group.add_argument("--image", help="image to train in (default: the skill's)")
    group.add_argument("--shm-size", metavar="SIZE", help="shared memory (default: 16g or more)")
    group.add_argument("--memory", metavar="SIZE", help="memory limit (default: none)")
    group.add_argument("--pids-limit", metavar="N", help="most processes and threads")
    group.add_argument("--network", metavar="NAME", help="network (default: none)")
    group.add_argument(
        "--env",
        action="append",
        metavar="NAME",
        help="pass a variable of this environment on; its value is written nowhere; repeatable",
    )
