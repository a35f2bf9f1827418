"""What every real trainer starts: the command of a skill's action, with its threads bounded."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from automl.errors import FixInput
from automl.skill.model import ActionInfo, Skill
from automl.skill.tree import get

__all__ = ["Filled", "command_of", "script_arguments", "thread_variables"]

_THREAD_COUNTS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Filled:
    """What is filled into a command.

    Attributes:
        config_path: The file with the spec, as the program sees it.
        results_dir: The folder that takes what it writes, as the program sees it.
        spec: The spec, for settings that are given as arguments.
    """

    config_path: str
    results_dir: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)

    def word(self, word: str) -> str:
        """A word of a command with its placeholders filled in."""
        filled = word.replace("{config_path}", self.config_path)
        return filled.replace("{results_dir}", self.results_dir)


def command_of(skill: Skill, action: str, filled: Filled) -> list[str]:
    """The argument list of a skill's action for one spec file.

    Raises:
        FixInput: The skill has no command for the action.
    """
    info = skill.actions.get(action)
    words = shlex.split(info.command) if info else []
    if info is None or not words:
        raise FixInput(
            f"the skill must have a command for the action '{action}'",
            got="none",
            where=str(skill.folder / "references" / "skill_info.yaml"),
        )
    if info.mode == "passthrough":
        return words
    return [*map(filled.word, words), *_arguments(info, filled.spec)]


def script_arguments(info: ActionInfo, filled: Filled) -> list[str]:
    """The arguments of an action's script, then those of its settings in the mode ``args``."""
    given = info.execution.args if info.execution is not None else ()
    return [*map(filled.word, given), *_arguments(info, filled.spec)]


def _arguments(info: ActionInfo, spec: Mapping[str, Any]) -> list[str]:
    """Settings as arguments, in the mode ``args``; what is empty or false is left out."""
    if info.mode != "args":
        return []
    values = ((flag, get(spec, key, info.defaults.get(key))) for flag, key in info.args.items())
    return [word for flag, value in values for word in _words_of(flag, value)]


def _words_of(flag: str, value: Any) -> Iterator[str]:
    if value is None or value is False or value == "":
        return
    yield flag
    if isinstance(value, list):
        yield from map(str, value)
    elif value is not True:
        yield str(value)


def thread_variables(threads: int) -> dict[str, str]:
    """The variables that numeric libraries read their number of threads from."""
    return dict.fromkeys(_THREAD_COUNTS, str(threads))
