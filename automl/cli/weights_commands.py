"""``automl weights``: checkpoints of the container's network into ours, and back."""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from automl.errors import FixInput

if TYPE_CHECKING:
    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_weights", "convert"]

_WAYS = {
    "import": "a CenterPose checkpoint of NVIDIA's as one of this program's",
    "export": "a checkpoint of this program's as one that the TAO container reads",
}


def add_weights(commands: "Commands") -> None:
    """Declares the command."""
    text = "convert a CenterPose checkpoint between this program and the TAO container"
    group = commands.add_parser("weights", help=text, description=f"{text[0].upper()}{text[1:]}.")
    verbs = group.add_subparsers(metavar="VERB", required=True, title="verbs")
    for way, what in _WAYS.items():
        command = verbs.add_parser(way, help=what, description=f"Write {what}.")
        command.set_defaults(handler="automl.cli.weights_commands:convert", way=way)
        command.add_argument("file", type=Path, metavar="FILE", help="the checkpoint")
        command.add_argument(
            "--to", type=Path, required=True, metavar="OUT.pth", help="the file to write"
        )


def convert(arguments: argparse.Namespace) -> int:
    """Converts in a process of its own, since the program itself never loads torch."""
    from automl.checkpointfile import check_checkpoint_file, check_not_encrypted
    from automl.trainers.process import OWN_PROGRAMS

    check_checkpoint_file(arguments.file)
    check_not_encrypted(arguments.file)
    words = ["weights", arguments.way, str(arguments.file), "--to", str(arguments.to)]
    ended = subprocess.run(
        [sys.executable, "-P", "-m", OWN_PROGRAMS["centerpose"], *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise FixInput("\n".join(_said(ended.stdout)) or ended.stderr.strip())
    sys.stdout.write(ended.stdout)
    return 0


def _said(text: str) -> list[str]:
    """What the program said of its refusal, without the mark at its end."""
    return [line for line in text.splitlines() if not line.startswith("Execution status")]
