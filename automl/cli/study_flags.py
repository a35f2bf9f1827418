"""How every command takes a study: by its place behind the command, or by a flag."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automl.cli.usage import Parser

__all__ = ["add_study", "add_trial_first"]


def add_study(command: "Parser", flag: str = "--study") -> None:
    """The study by position and by ``flag``, and the folder of studies.

    Args:
        command: The command.
        flag: ``--name`` for the commands that have always called it so.
    """
    command.add_argument(
        "study", nargs="?", metavar="STUDY", help="name or folder (default: the newest)"
    )
    command.add_argument(flag, dest="name", metavar="STUDY", help="the same, as a flag")
    command.add_argument(
        "--studies-dir", type=Path, metavar="DIR", help="folder of studies (default: studies)"
    )


def add_trial_first(command: "Parser", default: str = "last") -> None:
    """The trial, by its place before the study's."""
    command.add_argument(
        "trial",
        nargs="?",
        default=default,
        metavar="TRIAL",
        help=f"a number, best, default or last (default: {default})",
    )
