"""What a command said of a study that nobody drives, kept until the study or the question changes.

To read a study of thousands of trials takes seconds, and scripts ask the same again and again. An
answer is kept in the user's cache, one a study and command, with marks of the files that it rests
on: those of a glance, the files that it names, and the folders of evaluations and other actions.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import automl
from automl.app.glances import Marks, mark_of, marks_of
from automl.data.cache import cache_dir
from automl.errors import AutomlError
from automl.files import write_text
from automl.jsontext import read_json
from automl.study.clock import utc_now
from automl.study.layout import StudyPaths
from automl.study.lock import read_owner

if TYPE_CHECKING:
    from automl.reports.model import Summary

__all__ = ["KeptAnswer", "kept_answer"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a command says of a study.

    Attributes:
        text: What it prints.
        exit_code: How it ends.
        files: The files that it names, relative to the study.
        is_lasting: Whether it stays true for as long as the study is not written to.
    """

    text: str
    exit_code: int = 0
    files: tuple[str, ...] = ()
    is_lasting: bool = True

    @classmethod
    def of(cls, summary: "Summary", text: str, exit_code: int = 0) -> "KeptAnswer":
        """An answer that was made from a summary of the study."""
        winner = summary.winner
        files = () if winner is None else (winner.spec, winner.checkpoint)
        # Notes tell of files that no mark watches, and a database has none.
        is_lasting = not summary.notes and not summary.config.storage_url
        return cls(text, exit_code, tuple(filter(None, files)), is_lasting)


def kept_answer(
    paths: StudyPaths, command: str, question: str, make: Callable[[], KeptAnswer]
) -> tuple[str, int]:
    """The answer to a question about a study: as it was kept, else as it is made now.

    Args:
        paths: The study.
        command: Who asks.
        question: All that the answer depends on beside the study.
        make: Reads the study.

    Returns:
        What to print, and the exit code.
    """
    file = None if _is_driven(paths) else _file(paths, command)
    known = None if file is None else _known(file, paths, question)
    if known is not None:
        return known
    before = _marks(paths, ())
    answer = make()
    is_unchanged = before == _marks(paths, ()) and not _is_driven(paths)
    if file is not None and answer.is_lasting and is_unchanged:
        value = {
            "format": FORMAT,
            "version": automl.__version__,
            "question": question,
            "files": answer.files,
            "marks": _marks(paths, answer.files),
            "text": answer.text,
            "exit_code": answer.exit_code,
        }
        with suppress(OSError, AutomlError):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, json.dumps(value))
    return answer.text, answer.exit_code


def _known(file: Path, paths: StudyPaths, question: str) -> tuple[str, int] | None:
    try:
        value = read_json(file, follow=False)
        asked = (value["format"], value["version"], value["question"])
        if asked != (FORMAT, automl.__version__, question):
            return None
        if value["marks"] != _marks(paths, value["files"]):
            return None
        return str(value["text"]), int(value["exit_code"])
    except (OSError, LookupError, ValueError, TypeError):
        return None


def _marks(paths: StudyPaths, files: Iterable[str]) -> Marks:
    actions = sorted(paths.actions.glob("*")) if paths.actions.is_dir() else []
    watched = [
        paths.actions,
        *(path for action in actions for path in (action, action / "outcome.json")),
    ]
    watched += [paths.folder / str(name) for name in files]
    return marks_of(paths) | {str(path): mark_of(path) for path in watched}


def _is_driven(paths: StudyPaths) -> bool:
    owner = read_owner(paths)
    return owner is not None and owner.is_alive(utc_now())


def _file(paths: StudyPaths, command: str) -> Path | None:
    try:
        digest = hashlib.sha256(str(paths.folder.resolve()).encode()).hexdigest()
        return cache_dir() / "answers" / f"{digest[:32]}-{command}.json"
    except (OSError, AutomlError):
        return None
