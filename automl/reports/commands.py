"""The command lines a report offers: each is complete, quoted, and ready to use."""

import shlex
from pathlib import Path

from automl.reports.model import Command, Summary, Winner
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.study.state import StudyStatus

__all__ = ["commands_for"]

_DEFAULT_STUDIES = Path("studies")


def commands_for(summary: Summary) -> tuple[Command, ...]:
    """What one can do next with a study, the most useful first."""
    folder, winner = summary.folder, summary.winner
    commands = []
    if winner is not None:
        purpose = "where the winner is" if summary.is_search else "where the result is"
        commands.append(Command("best", purpose, _study("best", folder)))
        if winner.spec and summary.is_search:
            commands.append(
                Command("train", "train the winner again", _again(folder, summary.config, winner))
            )
    if summary.n_finished < summary.n_asked and summary.status is not StudyStatus.RUNNING:
        commands.append(Command("resume", "go on with this study", _study("resume", folder)))
    commands.append(Command("report", "write this report again", _study("report", folder)))
    request = StudyPaths(folder).request
    if request.is_file():
        line = shlex.join(["automl", "run", str(request), "--name", f"{summary.name}-again"])
        commands.append(Command("repeat", "repeat it under a new name", line))
    return tuple(commands)


def _study(verb: str, folder: Path) -> str:
    words = ["automl", verb, folder.name]
    if folder.parent != _DEFAULT_STUDIES:
        words += ["--studies-dir", str(folder.parent)]
    return shlex.join(words)


def _again(folder: Path, config: StudyConfig, winner: Winner) -> str:
    words = ["automl", "run", "--policy", "off", "--spec", str(folder / winner.spec)]
    for flag, path in (("--train-data", config.data.train), ("--val-data", config.data.val)):
        if path:
            words += [flag, path]
    return shlex.join([*words, "--name", f"{config.name}-winner"])
