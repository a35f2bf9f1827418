"""``automl best``: the winner, one fact of it for a script, or a copy of its files."""

import argparse
import errno
import shutil
from collections.abc import Callable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.json_out import json_text
from automl.cli.paths import shown
from automl.cli.read_commands import answered, note, summary_of
from automl.cli.terminal import text_width
from automl.errors import FixInput, NoUsableTrial
from automl.nearest import did_you_mean

if TYPE_CHECKING:
    from automl.app.kept_answers import KeptAnswer
    from automl.cli.usage import Parser
    from automl.reports.findings import Winner
    from automl.reports.model import Summary

__all__ = ["FIELDS", "add_best_flags", "best"]


#: Facts of the winner; None or empty where the study has none.
_OF_WINNER: Mapping[str, "Callable[[Winner], object]"] = {
    "trial": attrgetter("number"),
    "value": lambda winner: winner.value if winner.mean is None else winner.mean,
    "best": attrgetter("value"),
    "mean": attrgetter("mean"),
    "epoch": attrgetter("epoch"),
    "default": attrgetter("baseline"),
    "sha256": attrgetter("checkpoint_sha256"),
}
#: Facts of the study that has one.
_OF_STUDY: Mapping[str, "Callable[[Summary], object]"] = {
    "checkpoint": lambda summary: _inside(summary, "checkpoint"),
    "spec": lambda summary: _inside(summary, "spec"),
    "test": lambda summary: None if summary.held_out is None else summary.held_out.winner.value,
    "folder": lambda summary: summary.folder.absolute(),
    "metric": lambda summary: summary.objective.metric,
    "study": lambda summary: summary.name,
}
FIELDS = (*_OF_WINNER, *_OF_STUDY)


def _inside(summary: "Summary", name: str) -> Path | None:
    """The absolute path of a file of the winner."""
    relative = getattr(summary.winner, name, "")
    return (summary.folder / relative).absolute() if relative else None


def add_best_flags(command: "Parser") -> None:
    """What ``automl best`` takes beside the study."""
    command.add_argument(
        "--field",
        metavar="NAME",
        help=f"one fact alone, for a script: {', '.join(FIELDS)}, or a searched setting's key",
    )
    command.add_argument(
        "--copy-to",
        type=Path,
        metavar="DIR",
        help="copy spec, checkpoint and provenance into a folder that is new or empty",
    )


def best(arguments: argparse.Namespace) -> int:
    """Shows the winner; exit 4 if no trial is usable."""
    if arguments.copy_to is not None:
        summary = summary_of(arguments)
        _copy(summary, arguments.copy_to)
        text, code = _said(summary, arguments), _code(summary)
    else:
        text, code = answered(arguments, "best", _answer)
    print(text)
    return code


def _answer(summary: "Summary", arguments: argparse.Namespace) -> "KeptAnswer":
    from automl.app.kept_answers import KeptAnswer

    return KeptAnswer.of(summary, _said(summary, arguments), _code(summary))


def _code(summary: "Summary") -> int:
    return 0 if summary.winner is not None else NoUsableTrial.exit_code


def _said(summary: "Summary", arguments: argparse.Namespace) -> str:
    from automl.reports.text import best_text

    if arguments.field is not None:
        return _field(summary, arguments.field)
    if not arguments.json:
        return best_text(summary, text_width())
    value = summary.to_json()
    names = ("study", "folder", "fake", "winner", "validation_images", "held_out")
    return json_text("automl.best/1", {name: value[name] for name in names})


def _field(summary: "Summary", name: str) -> str:
    """One fact of the winner as a line.

    Raises:
        FixInput: There is no such field.
        NoUsableTrial: There is no winner, or it has no such fact.
    """
    params: Mapping[str, object] = {}
    trial = None if summary.winner is None else summary.trial(summary.winner.number)
    if trial is not None:
        params = trial.record.params
    known = (*FIELDS, *summary.param_keys)
    if name not in known:
        fix = did_you_mean(name, known) or f"known: {', '.join(known)}"
        raise FixInput("a field of the winner must be one of its facts", got=name,
                       where="--field", fix=fix)  # fmt: skip
    value: object = None
    if summary.winner is not None:
        value = _known(summary, summary.winner, name, params)
    if value is None or value == "":
        raise NoUsableTrial(f"{summary.name} has no {name} of a winner", where=str(summary.folder))
    return str(value)


def _known(
    summary: "Summary", winner: "Winner", name: str, params: Mapping[str, object]
) -> object:
    if name in _OF_WINNER:
        return _OF_WINNER[name](winner)
    return _OF_STUDY[name](summary) if name in _OF_STUDY else params.get(name)


def _copy(summary: "Summary", target: Path) -> None:
    """Copies ``best/`` into a folder.

    Raises:
        FixInput: The folder holds something already, or is none.
        NoUsableTrial: ``best/`` holds nothing.
    """
    from automl.inside import read_file
    from automl.study.layout import StudyPaths

    paths = StudyPaths(summary.folder.absolute())
    winner = summary.winner
    names = [paths.best_spec, paths.best_provenance]
    if winner is not None and winner.checkpoint:
        names.append(summary.folder.absolute() / winner.checkpoint)
    if winner is None or not all(path.is_file() for path in names):
        raise NoUsableTrial(f"{summary.name} has no winner's files to copy", where=str(paths.best))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FixInput("--copy-to never writes over anything", got=f"{target}, which is not empty")
    target.mkdir(parents=True, exist_ok=True)
    for path in names:
        try:
            with read_file(path) as source, (target / path.name).open("xb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise FixInput("a winner's file must not be a link", where=str(path)) from error
            raise
    note(f"copied {', '.join(path.name for path in names)} to {shown(target.absolute())}")
