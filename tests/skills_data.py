"""Stand-in data for the inputs of any skill, and the flags that name it."""

from collections.abc import Iterator
from pathlib import Path

from automl.skill.model import Skill
from automl.spec.inputs import input_keys
from automl.spec.rules import rules_for

__all__ = ["data_flags", "mandatory_keys", "stand_in"]


def mandatory_keys(skill: Skill) -> list[str]:
    """The inputs that a training cannot do without, by what the skill says."""
    info = skill.actions["train"]
    return [key for key, about in info.inputs.items() if about.get("optional") is not True]


def stand_in(skill: Skill, folder: Path, keys: list[str]) -> Iterator[tuple[str, Path]]:
    """Makes a file or a folder for each input; hands out key and path."""
    known = input_keys(rules_for(skill, "train"))
    for number, key in enumerate(keys):
        path = folder / f"{number}-{key.rpartition('.')[2]}"
        if known.get(key, {}).get("type") == "folder":
            path.mkdir(parents=True)
        else:
            path = path.with_suffix(".json")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}", encoding="utf-8")
        yield key, path


def data_flags(pairs: list[tuple[str, Path]]) -> list[str]:
    """``--data KEY=PATH`` for each."""
    return [word for key, path in pairs for word in ("--data", f"{key}={path}")]
