"""How this program was called, so that the commands it offers run as they are printed."""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["program", "studies_flag", "study_command", "wrapped"]

_NAME = "automl"
_WIDTH = 100
_DEFAULT_STUDIES = Path("studies")


def program() -> str:
    """The program as a shell takes it from here: ``automl`` where that word leads to this one.

    Else the path that was called, from the working folder where it lies below it; or Python with
    ``-m automl``. Of a process that is another program's (a test, a worker) just the word.
    """
    called = Path(sys.argv[0] if sys.argv else "")
    if called.name == "__main__.py" and called.parent.name == _NAME:
        return f"{shlex.quote(_from_here(Path(sys.executable)))} -m {_NAME}"
    if called.name != _NAME or not called.is_file():
        return _NAME
    found = shutil.which(_NAME)
    if found is not None and called.samefile(found):
        return _NAME
    return shlex.quote(_from_here(called))


def _from_here(path: Path) -> str:
    """A path that a shell does not look for among its programs."""
    here = Path.cwd()
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - a link to a Python must stay one
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(whole)


def wrapped(line: str, width: int = _WIDTH) -> list[str]:
    """A command over as many lines as it needs, which a shell reads as one.

    Args:
        line: The command.
        width: Most columns; a single word may be longer.
    """
    rows: list[str] = []
    for word in _words(line):
        if rows and len(rows[-1]) + 1 + len(word) <= width - 2:
            rows[-1] += f" {word}"
        else:
            rows.append(word if not rows else f"  {word}")
    return [*(f"{row} \\" for row in rows[:-1]), *rows[-1:]]


def _words(line: str) -> Sequence[str]:
    """The words as they are quoted in the line."""
    return [shlex.quote(word) for word in shlex.split(line)] if "'" in line else line.split()


def study_command(verb: str, folder: Path, *flag: str, more: Sequence[str] = ()) -> str:
    """A command about a study.

    Args:
        verb: Which command, with what stands before the study's name.
        folder: The study's folder, as it is shown.
        flag: The flag that names the study, where it is one.
        more: What follows the name.
    """
    words = [*verb.split(), *flag, folder.name, *more]
    return f"{program()} " + shlex.join([*words, *studies_flag(folder.parent)])


def studies_flag(studies: Path) -> list[str]:
    """The flag that names a folder of studies, where it is not the usual one."""
    return [] if studies == _DEFAULT_STUDIES else ["--studies-dir", str(studies)]
