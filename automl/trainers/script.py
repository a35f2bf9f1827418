"""Running somebody's Python script: its interpreter, and what must be there."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from automl.errors import FixInput
from automl.skill.model import Execution
from automl.trainers.base import Problem

__all__ = ["interpreter_of", "missing_files", "variables_of"]

_VENV_PYTHON = Path("bin", "python")


def interpreter_of(python: Path | None, venv: Path | None) -> str:
    """The absolute path of the interpreter that was asked for; empty if none was.

    Args:
        python: An interpreter.
        venv: The folder of a virtual environment.

    Raises:
        FixInput: Both were given, or there is no such interpreter.
    """
    if python is not None and venv is not None:
        raise FixInput(
            "a script must have one interpreter",
            got=f"{python} and {venv}",
            fix="drop one of them",
        )
    if venv is not None:
        python, flag = venv / _VENV_PYTHON, "--venv"
    else:
        flag = "--python"
    if python is None:
        return ""
    # The link itself is kept: an environment's interpreter knows by its path where it belongs.
    path = Path(os.path.abspath(python.expanduser()))  # noqa: PTH100
    if not path.is_file() or not os.access(path, os.X_OK):
        raise FixInput(
            "an interpreter must be a file that can be run",
            got=str(path),
            where=flag,
            fix="name the python of the environment, or its folder with --venv",
        )
    return str(path)


def variables_of(python: str) -> Mapping[str, str]:
    """Variables with which what a script starts finds the same environment."""
    if not python:
        return {}
    folder = Path(python).parent
    search = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
    is_venv = (folder.parent / "pyvenv.cfg").is_file()
    return {"PATH": search, **({"VIRTUAL_ENV": str(folder.parent)} if is_venv else {})}


def missing_files(execution: Execution, python: str) -> Sequence[Problem]:
    """The script, its folder or its interpreter, where it is not there."""
    problems = []
    if not execution.script.is_file():
        problems.append(
            Problem("the script of a skill must exist", str(execution.script), "restore it")
        )
    if not execution.cwd.is_dir():
        problems.append(
            Problem("the folder of a script must exist", str(execution.cwd), "make it")
        )
    if python and not os.access(python, os.X_OK):
        problems.append(
            Problem("the interpreter of a script must be there", python, "give another --python")
        )
    return problems
