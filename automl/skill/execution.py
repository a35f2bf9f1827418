"""How an action is started, as a skill's metadata says it: a script, or a command's arguments.

::

    execution: {type: python_script, script: scripts/train.py, args: [--config, '{config_path}'],
                cwd: .}
    mode: args                       # config (the default), args, or passthrough
    args: {--lr: train.lr, --out: results_dir}

Paths are relative to the skill's folder and stay below it.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.skill.model import Execution

__all__ = ["MODES", "args_in", "credentials_in", "execution_in", "mode_in"]

MODES = ("config", "args", "passthrough")
_SCRIPT = "python_script"
_WORDS = ("type", "script", "args", "cwd")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def execution_in(about: Mapping[str, Any], folder: Path, where: str) -> Execution | None:
    """The script that an action's metadata names; None for an action with a command.

    Args:
        about: The action's block.
        folder: The skill's folder.
        where: What to call the block.

    Raises:
        FixInput: The block is of another kind, lacks its script, or leaves the skill's folder.
    """
    block = about.get("execution")
    if block is None:
        return None
    place = f"{where}.execution"
    if not isinstance(block, Mapping):
        raise FixInput("execution must be a mapping", got=repr(block)[:80], where=place)
    unknown = [str(name) for name in block if name not in _WORDS]
    if unknown:
        rule = f"execution may hold {', '.join(_WORDS)}"
        raise FixInput(rule, got=unknown[0], where=place)
    if block.get("type") != _SCRIPT:
        raise FixInput(
            f"execution.type must be {_SCRIPT}", got=repr(block.get("type")), where=place
        )
    script = _below(folder, block.get("script"), f"{place}.script")
    cwd = _below(folder, block.get("cwd") or ".", f"{place}.cwd")
    return Execution(script, _texts(block.get("args"), f"{place}.args"), cwd)


def _below(folder: Path, name: Any, where: str) -> Path:
    """A path below the skill's folder.

    Raises:
        FixInput: It is none.
    """
    if not isinstance(name, str) or not name.strip():
        raise FixInput("a path of the skill must be text", got=repr(name), where=where)
    path = (folder / name).resolve()
    if Path(name).is_absolute() or not path.is_relative_to(folder.resolve()):
        raise FixInput("a path of the skill must lie below its folder", got=name, where=where)
    return path


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or any(isinstance(word, list | dict) for word in value):
        raise FixInput(
            "args must be a list of words",
            got=repr(value)[:80],
            where=where,
            fix="write [--config, '{config_path}']",
        )
    return tuple(str(word) for word in value)


def mode_in(about: Mapping[str, Any], where: str) -> str:
    """What the program of an action gets.

    Raises:
        FixInput: The word is not known.
    """
    mode = str(about.get("mode") or MODES[0])
    if mode not in MODES:
        raise FixInput(f"mode must be one of {', '.join(MODES)}", got=mode, where=where)
    return mode


def args_in(about: Mapping[str, Any], where: str) -> dict[str, str]:
    """Flag to dotted key; either may be written first, and a key alone is a flag of its name.

    Raises:
        FixInput: It is neither a mapping nor a list of keys.
    """
    block = about.get("args")
    if block is None:
        return {}
    if isinstance(block, list):
        block = {f"--{str(key).rpartition('.')[2]}": key for key in block}
    if not isinstance(block, Mapping):
        raise FixInput("args must be a mapping of flags to keys", got=repr(block), where=where)
    pairs = ((str(one), str(other)) for one, other in block.items())
    return dict(_pair(one, other) for one, other in pairs)


def _pair(one: str, other: str) -> tuple[str, str]:
    if one.startswith("-"):
        return one, other
    return (other, one) if other.startswith("-") else (f"--{one}", other)


def credentials_in(tree: Mapping[str, Any], info: Path) -> tuple[str, ...]:
    """The variables that ``required_credentials`` names.

    Raises:
        FixInput: An entry is no name of a variable: it may be the secret itself, and is not shown.
    """
    listed = tree.get("required_credentials") or []
    names = [listed] if isinstance(listed, str) else listed
    if not isinstance(names, list) or not all(
        isinstance(name, str) and _VARIABLE.fullmatch(name) for name in names
    ):
        raise FixInput(
            "required_credentials must be a list of names of variables", where=str(info)
        )
    return tuple(dict.fromkeys(names))
