"""``automl card``: a model card of a study's winner."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.json_out import print_json
from automl.cli.paths import shown
from automl.cli.read_commands import note, of_study
from automl.cli.study_flags import add_study
from automl.errors import FixInput, NoUsableTrial

if TYPE_CHECKING:
    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_card", "card"]


def add_card(commands: "Commands") -> None:
    """Declares the command."""
    text = "print a model card of the winner: data, settings, metrics, limits"
    command = commands.add_parser("card", help=text, description=f"{text.capitalize()}.")
    command.set_defaults(handler="automl.cli.card_command:card")
    add_study(command)
    command.add_argument(
        "--out", type=Path, metavar="FILE.md", help="write it to a file that is new instead"
    )
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def card(arguments: argparse.Namespace) -> int:
    """Prints the card, or writes it; exit 4 if no trial is usable."""
    from automl.files import write_text
    from automl.reports.card import card_text
    from automl.reports.poses.page import pose_part
    from automl.reports.summary import read_summary

    summary = of_study(arguments, lambda folder: read_summary(shown(folder)))
    text = card_text(summary, pose_part(summary, images=False))
    out: Path | None = arguments.out
    if out is not None:
        if out.exists():
            raise FixInput("a model card never writes over a file", got=str(out), where="--out")
        write_text(out, text)
        note(f"wrote {shown(out.absolute())}")
    if arguments.json:
        print_json("automl.card/1", {"study": summary.name, "text": text})
    elif out is None:
        print(text, end="")
    return 0 if summary.winner is not None else NoUsableTrial.exit_code
