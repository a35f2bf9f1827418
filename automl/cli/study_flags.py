"""How every command takes a study: by its place behind the command, or by a flag."""

from pathlib import Path
from typing import TYPE_CHECKING

from automl.errors import FixInput

if TYPE_CHECKING:
    import argparse

    from automl.cli.usage import Parser

__all__ = ["add_study", "add_trial_first", "study_meant"]


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


def study_meant(arguments: "argparse.Namespace") -> str | None:
    """The study of a command whose flag for it is ``--study``; None for the newest.

    Raises:
        FixInput: Two were named.
    """
    by_place, by_flag = arguments.study, arguments.study_flag
    if by_place and by_flag and by_place != by_flag:
        raise FixInput("a study must be named once", got=f"{by_place} and --study {by_flag}")
    study: str | None = by_place or by_flag
    return study


def add_trial_first(command: "Parser", default: str = "last") -> None:
    """The trial, by its place before the study's."""
    command.add_argument(
        "trial",
        nargs="?",
        default=default,
        metavar="TRIAL",
        help=f"a number, best, default or last (default: {default})",
    )
