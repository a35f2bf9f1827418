"""``automl logs``: what a trial's trainings have written, attempt after attempt."""

import argparse
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from automl.cli.json_out import print_json
from automl.cli.read_commands import of_study
from automl.cli.study_flags import add_study, add_trial_first
from automl.cli.usage import count
from automl.errors import FixInput

if TYPE_CHECKING:
    from pathlib import Path

    from automl.app.logs import AttemptLog, LogLine
    from automl.cli.usage import Parser
    from automl.study.layout import StudyPaths

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_logs", "logs"]

_LOOK_EVERY_S = 0.5


def add_logs(commands: "Commands") -> None:
    """Declares the command."""
    text = "show the log of a trial, over all its attempts"
    command = commands.add_parser("logs", help=text, description=f"{text.capitalize()}.")
    command.set_defaults(handler="automl.cli.log_commands:logs")
    add_trial_first(command)
    add_study(command)
    command.add_argument(
        "-f", "--follow", action="store_true", help="go on as it is written, until it has ended"
    )
    command.add_argument("--tail", type=count, metavar="N", help="the last N lines alone")
    command.add_argument(
        "--errors", action="store_true", help="the lines alone that show why it failed"
    )
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def logs(arguments: argparse.Namespace) -> int:
    """Shows the logs of a trial; with ``-f`` as they grow."""
    if arguments.follow and (arguments.json or arguments.errors or arguments.tail is not None):
        raise FixInput(
            "a log is followed whole",
            got="-f together with --json, --errors or --tail",
            fix="drop one of them",
        )
    paths, number = of_study(arguments, lambda folder: _trial(folder, str(arguments.trial)))
    if arguments.follow:
        _follow(paths, number)
        return 0
    from automl.app.logs import read_logs

    attempts = [_shortened(log, arguments) for log in read_logs(paths, number)]
    if arguments.json:
        attempts_json = [log.to_json() for log in attempts]
        value = {"study": paths.folder.name, "trial": number, "attempts": attempts_json}
        print_json("automl.logs/1", value)
        return 0
    _show(attempts, number, errors=arguments.errors)
    return 0


def _trial(folder: "Path", word: str) -> "tuple[StudyPaths, int]":
    from automl.app.trial_names import trial_named
    from automl.reports.summary import read_summary
    from automl.study.layout import StudyPaths

    return StudyPaths(folder), trial_named(word, read_summary(folder))


def _shortened(log: "AttemptLog", arguments: argparse.Namespace) -> "AttemptLog":
    from automl.app.logs import error_lines

    lines = error_lines(log) if arguments.errors else log.lines
    if arguments.tail is not None:
        lines = lines[len(lines) - min(arguments.tail, len(lines)) :]
    return replace(log, lines=lines)


def _show(attempts: "Iterable[AttemptLog]", number: int, *, errors: bool) -> None:
    shown = list(attempts)
    for log in shown:
        if len(shown) > 1 or errors:
            ended = f"  {log.state}" if log.state else "  has not ended"
            print(f"==> trial {number} attempt {log.attempt}{ended}  {log.log}".rstrip())
        for line in log.lines:
            print(f"{line.number:>6}  {line.text}" if errors else line.text)
        if errors and not log.lines:
            print(f"        {log.evidence or 'no line of the log shows an error'}")
    if not shown:
        print(f"trial {number} has not been started yet")


def _follow(paths: "StudyPaths", number: int) -> None:
    from automl.app.logs import follow

    for line in _headed(follow(paths, number, lambda: time.sleep(_LOOK_EVERY_S)), number):
        print(line, flush=True)


def _headed(lines: "Iterator[LogLine]", number: int) -> Iterator[str]:
    attempt = 1
    for line in lines:
        if line.attempt != attempt:
            attempt = line.attempt
            yield f"==> trial {number} attempt {attempt}"
        yield line.text
