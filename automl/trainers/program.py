"""What every real trainer starts: the command of a skill's action, with its threads bounded."""

import shlex

from automl.errors import FixInput
from automl.skill.model import Skill

__all__ = ["command_of", "thread_variables"]

_THREAD_COUNTS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def command_of(skill: Skill, action: str, spec_path: str) -> list[str]:
    """The argument list of a skill's action for one spec file.

    Raises:
        FixInput: The skill has no command for the action.
    """
    info = skill.actions.get(action)
    words = shlex.split(info.command) if info else []
    if not words:
        raise FixInput(
            f"the skill must have a command for the action '{action}'",
            got="none",
            where=str(skill.folder / "references" / "skill_info.yaml"),
        )
    return [word.replace("{config_path}", spec_path) for word in words]


def thread_variables(threads: int) -> dict[str, str]:
    """The variables that numeric libraries read their number of threads from."""
    return dict.fromkeys(_THREAD_COUNTS, str(threads))
