"""The flags that say how large an object is, and what they say together."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automl.cli.usage import Parser

__all__ = ["add_known_size", "known_size_text"]


def add_known_size(command: "Parser") -> None:
    """Declares ``--known-height`` and ``--known-size``."""
    group = command.add_argument_group(
        "metres", "true size of the object, of each category if there are several"
    )
    group.add_argument(
        "--known-height", action="append", metavar="[CATEGORY=]METRES", help="edge along y (up)"
    )
    group.add_argument(
        "--known-size",
        action="append",
        metavar="[CATEGORY=]WxHxD",
        help="edges along x, y (up) and z, metres",
    )


def known_size_text(arguments: argparse.Namespace) -> str:
    """What both flags say, as ``automl.poses.known_size`` reads it; empty for nothing."""
    flags = ("known_height", "known_size")
    return ", ".join(text for flag in flags for text in getattr(arguments, flag, None) or ())
