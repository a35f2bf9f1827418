"""``automl status``, ``best``, ``report`` and ``list``: readable at any time, driven or not."""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from automl.cli.carried import studies_dir
from automl.cli.json_out import json_text
from automl.cli.loudness import is_quiet
from automl.cli.paths import shown
from automl.errors import FixInput
from automl.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from automl.app.kept_answers import KeptAnswer
    from automl.reports.glance import Glance
    from automl.reports.model import Summary

_Made = TypeVar("_Made")

__all__ = [
    "answered",
    "list_studies",
    "note",
    "of_study",
    "status",
    "study_named",
    "summary_of",
]


def note(text: str) -> None:
    """Says something beside a command's own output."""
    if is_quiet():
        return
    print(f"note: {visible(text, keep='')}", file=sys.stderr)


def study_named(arguments: argparse.Namespace) -> str | None:
    """The study that a command names; None for the newest.

    Raises:
        FixInput: Two names were given.
    """
    if arguments.study and arguments.name and arguments.study != arguments.name:
        raise FixInput(
            "a study must be named once", got=f"{arguments.study} and --name {arguments.name}"
        )
    name: str | None = arguments.study or arguments.name
    return name


def of_study(arguments: argparse.Namespace, read: "Callable[[Path], _Made]") -> "_Made":
    """What a reader makes of the study that was named, or of the newest that can be read.

    Raises:
        FixInput: There is no such study, or it is broken.
    """
    from automl.study.choice import find_study, studies_meant

    folder, name = studies_dir(arguments), study_named(arguments)
    if name is not None:
        return read(find_study(folder, name).folder)
    meant = [paths.folder for paths in studies_meant(folder, tell=note)]
    for study in meant[:-1]:
        try:
            return read(study)
        except FixInput as error:
            note(f"{study.name} is passed over: {error}")
    return read(meant[-1])


def summary_of(arguments: argparse.Namespace) -> "Summary":
    """The study that a command means, read; with ``--json`` its paths are absolute."""
    from automl.reports.summary import read_summary

    return of_study(
        arguments, lambda folder: read_summary(folder if arguments.json else shown(folder))
    )


def answered(
    arguments: argparse.Namespace,
    command: str,
    answer: "Callable[[Summary, argparse.Namespace], KeptAnswer]",
) -> tuple[str, int]:
    """What a command says of the study that it means, by what was kept if that still holds.

    Args:
        arguments: The command line.
        command: Its command.
        answer: Makes the answer from the study, read.

    Returns:
        What to print, and the exit code.
    """
    from automl.app.kept_answers import kept_answer
    from automl.cli.terminal import text_width
    from automl.study.layout import StudyPaths

    def _made(named: "Path") -> "KeptAnswer":
        from automl.reports.summary import read_summary

        return answer(read_summary(named), arguments)

    def _read(folder: "Path") -> tuple[str, int]:
        named = folder if arguments.json else shown(folder)
        plain = (str, int, float, Path, type(None))
        words = {n: str(v) for n, v in sorted(vars(arguments).items()) if isinstance(v, plain)}
        variables = {name: os.environ[name] for name in sorted(os.environ) if "AUTOML" in name}
        question = [str(named), str(Path.cwd()), text_width(), words, variables]
        return kept_answer(
            StudyPaths(named),
            command,
            json.dumps(question),
            lambda: _made(named),
        )

    return of_study(arguments, _read)


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False))


def status(arguments: argparse.Namespace) -> int:
    """Shows where a study stands, driven or not."""
    if arguments.json:
        return _status_json(arguments)
    print(of_study(arguments, lambda folder: _status_of(shown(folder))))
    return 0


def _status_json(arguments: argparse.Namespace) -> int:
    text, code = answered(arguments, "status", _status_answer)
    print(text)
    return code


def _status_answer(summary: "Summary", _: argparse.Namespace) -> "KeptAnswer":
    from automl.app.kept_answers import KeptAnswer
    from automl.reports.glancing import left_of
    from automl.study.folder import epochs_of
    from automl.study.layout import StudyPaths
    from automl.study.state import read_state

    paths, now = StudyPaths(summary.folder), datetime.now(UTC)
    state, epochs = read_state(paths), epochs_of(paths, summary.config.keys.epochs)
    left = left_of(summary, state, now, epochs)
    value = {
        "status": str(summary.status),
        "state": None if state is None else state.to_json(),
        "left_s": None if left is None else [left.low_s, left.high_s],
        "summary": summary.to_json(),
    }
    return KeptAnswer.of(summary, json_text("automl.status/1", value))


def _status_of(folder: "Path") -> str:
    """Where a study stands, by what was kept of it if that still holds."""
    from automl.app.glances import glance_at
    from automl.reports.status import status_text
    from automl.study.layout import StudyPaths
    from automl.study.state import read_state

    paths, now = StudyPaths(folder), datetime.now(UTC)
    state = read_state(paths)

    def _glance() -> "Glance":
        from automl.reports.glancing import glance_of
        from automl.reports.summary import read_summary
        from automl.study.folder import epochs_of

        summary = read_summary(folder)
        epochs = epochs_of(paths, summary.config.keys.epochs)
        return glance_of(summary, state, now, epochs)

    seen, _ = glance_at(paths, _glance)
    return status_text(seen.glance, folder, state, now, seen.age_s)


def list_studies(arguments: argparse.Namespace) -> int:
    """Lists the studies of a folder, or of a shared database, newest first."""
    if arguments.storage is not None:
        return _list_shared(arguments)
    from automl.app.listings import listings_of
    from automl.reports.listing import list_text

    folder = studies_dir(arguments)
    listings = listings_of(folder)
    if arguments.json:
        _print_json(
            {
                "schema": "automl.list/1",
                "folder": str(folder),
                "studies": [listing.to_json() for listing in listings],
            }
        )
        return 0
    if not listings:
        print(f"no studies in {folder}", file=sys.stderr)
    else:
        print(list_text(listings, datetime.now(UTC)))
    return 0


def _list_shared(arguments: argparse.Namespace) -> int:
    from automl.cli.database_flags import take_password
    from automl.cli.shared_text import shared_text
    from automl.study.database_url import database_url
    from automl.study.shared import shared_studies

    take_password(arguments, ())
    url = database_url(arguments.storage, "--storage")
    studies = shared_studies(url)
    if arguments.json:
        found = [study.to_json() for study in studies]
        _print_json({"schema": "automl.list-shared/1", "storage": url, "studies": found})
    elif not studies:
        print(f"no studies in {visible(url, keep='')}", file=sys.stderr)
    else:
        print(shared_text(studies, datetime.now(UTC)))
    return 0
