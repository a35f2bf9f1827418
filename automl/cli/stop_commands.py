"""``automl stop``: ends a study that another terminal, or nobody's, drives."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.carried import studies_dir
from automl.cli.json_out import print_json
from automl.cli.read_commands import study_named

if TYPE_CHECKING:
    from automl.app.stop import StopEffect
    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_stop", "stop"]

_HEARS_WITHIN_S = 10.0
#: A trainer may take ten seconds to leave a checkpoint, and the report is written after it.
_ENDS_WITHIN_S = 60.0


def add_stop(commands: "Commands") -> None:
    """Declares the command."""
    text = "stop a running study after its running trials, or now"
    command = commands.add_parser("stop", help=text, description=f"{text.capitalize()}.")
    command.epilog = "automl resume goes on with a study that was stopped"
    command.set_defaults(handler="automl.cli.stop_commands:stop")
    command.add_argument("study", nargs="?", help="name of the study (default: the running one)")
    command.add_argument("--name", help="the same, as a flag")
    command.add_argument("--studies-dir", type=Path, metavar="DIR", help="folder of studies")
    command.add_argument(
        "--now", action="store_true", help="end the running trials too; checkpoints are kept"
    )
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def stop(arguments: argparse.Namespace) -> int:
    """Asks the study's driver to stop, and says what it answered."""
    from automl.app.stop import ask_to_stop
    from automl.study.choice import find_study

    paths = find_study(studies_dir(arguments), study_named(arguments))
    within_s = _ENDS_WITHIN_S if arguments.now else _HEARS_WITHIN_S
    asked = ask_to_stop(paths, now=arguments.now, within_s=within_s)
    name = paths.folder.name
    if arguments.json:
        answer = asked.answer.name.lower().replace("_", "-")
        print_json("automl.stop/1", {"study": name, "answer": answer, "driver": asked.driver})
    else:
        print(_text(name, asked.answer, asked.driver))
    return 0


def _text(name: str, answer: "StopEffect", driver: str) -> str:
    from automl.app.stop import StopEffect

    return {
        StopEffect.NOT_DRIVEN: f"{name} is not running",
        StopEffect.ENDED: f"{name} has stopped; automl resume {name} goes on",
        StopEffect.HEARD: f"{name} starts no further trial and ends after those that run; "
        f"automl stop {name} --now ends these too",
        StopEffect.SILENT: f"{name} was asked to stop, and has not ended yet ({driver}); "
        f"automl status {name} shows it",
    }[answer]
