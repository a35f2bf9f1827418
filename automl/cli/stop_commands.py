"""``automl stop`` and ``pause``: end a study that another terminal, or nobody's, drives."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.carried import studies_dir
from automl.cli.json_out import print_json
from automl.cli.read_commands import study_named

if TYPE_CHECKING:
    from automl.app.stop import StopAnswer, StopEffect
    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_pause", "add_stop", "pause", "stop"]

_HEARS_WITHIN_S = 10.0
#: A trainer may take ten seconds to leave a checkpoint, and the report is written after it.
_ENDS_WITHIN_S = 60.0


def add_stop(commands: "Commands") -> None:
    """Declares the command."""
    text = "stop a running study after its running trials, or now"
    command = commands.add_parser("stop", help=text, description=f"{text.capitalize()}.")
    command.epilog = (
        "stop lets running trials end first, unless --now; automl pause frees the machine now.\n"
        "automl resume goes on after either"
    )
    command.set_defaults(handler="automl.cli.stop_commands:stop")
    _add_choice(command)
    command.add_argument(
        "--now", action="store_true", help="end the running trials too; checkpoints are kept"
    )
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def add_pause(commands: "Commands") -> None:
    """Declares the command."""
    text = "free the machine of a running study now, and keep everything"
    command = commands.add_parser("pause", help=text, description=f"{text.capitalize()}.")
    command.epilog = (
        "pause ends the running trials at their checkpoints, waits until the driver and its\n"
        "trainers have gone, and says what automl resume will go on from; automl stop lets\n"
        "running trials end first. The time until automl resume counts for no limit but --deadline"
    )
    command.set_defaults(handler="automl.cli.stop_commands:pause")
    _add_choice(command)
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def _add_choice(command: "Parser") -> None:
    command.add_argument("study", nargs="?", help="name of the study (default: the running one)")
    command.add_argument("--name", help="the same, as a flag")
    command.add_argument("--studies-dir", type=Path, metavar="DIR", help="folder of studies")


def stop(arguments: argparse.Namespace) -> int:
    """Asks the study's driver to stop, and says what it answered."""
    from automl.app.stop import ask_to_stop
    from automl.study.choice import find_study

    paths = find_study(studies_dir(arguments), study_named(arguments))
    within_s = _ENDS_WITHIN_S if arguments.now else _HEARS_WITHIN_S
    asked = ask_to_stop(paths, now=arguments.now, within_s=within_s)
    name = paths.folder.name
    if arguments.json:
        print_json("automl.stop/1", _answer(name, asked))
    else:
        print(_text(name, asked.answer, asked.driver))
    return 0


def pause(arguments: argparse.Namespace) -> int:
    """Asks the driver to end now, and says what a resume will do."""
    from automl.app.going_on import GoingOn
    from automl.app.resume_plan import plan_resume
    from automl.app.stop import StopEffect, ask_to_stop
    from automl.errors import AutomlError
    from automl.execution.control import PAUSED
    from automl.study.choice import find_study

    paths = find_study(studies_dir(arguments), study_named(arguments))
    asked = ask_to_stop(paths, now=True, within_s=_ENDS_WITHIN_S, reason=PAUSED)
    name, plan, why = paths.folder.name, None, ""
    if asked.answer is not StopEffect.SILENT:
        try:
            plan = plan_resume(paths, GoingOn())
        except AutomlError as error:
            why = str(error)
    if arguments.json:
        planned = None if plan is None else plan.to_json()
        print_json("automl.pause/1", {**_answer(name, asked), "resume": planned})
        return 0
    if asked.answer is StopEffect.ENDED:
        print(f"{name} is paused: its driver and its trainers have gone, nothing is lost")
        print(f"automl resume {name} goes on:")
    else:
        print(_text(name, asked.answer, asked.driver))
    print("\n".join(f"  {line}" for line in ((why,) if plan is None else plan.lines()) if line))
    return 0


def _answer(name: str, asked: "StopAnswer") -> dict[str, str]:
    answer = asked.answer.name.lower().replace("_", "-")
    return {"study": name, "answer": answer, "driver": asked.driver}


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
