"""What becomes of every leaf of a skill's train schema, as a table with the reasons."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl.skill.profile_file import load_profile
from automl.skill.read import (
    base_tree,
    own_skill_dir,
    profile_path,
    read_action_schema,
    read_skill,
)
from automl.space.build import build_space
from automl.space.model import SearchSpace
from automl.space.request import SpaceRequest

Golden = Callable[[str, str], None]

_KITCHEN = Path(__file__).parents[2] / "fixtures" / "kitchen"
_FOLDER = os.environ.get("AUTOML_TAO_SKILLS", "")
_PUBLISHED = sorted(
    path.parent.parent for path in Path(_FOLDER).glob("*/schemas/train.schema.json")
)
_COLUMNS = ("leaves", "searched", "fixed", "refused", "inert")


def _table(folders: list[Path]) -> str:
    """A line for each skill and space; then, by skill, why leaves of the whole are left out."""
    heads = "".join(f"{name:>9}" for name in _COLUMNS)
    lines, reasons = [f"{'skill':28}{'space':9}{heads}"], list[str]()
    for folder in folders:
        skill = read_skill(folder)
        schema, base = read_action_schema(skill, "train"), base_tree(skill, "train")
        profile = load_profile(profile_path(skill))
        spaces = dict[str, SearchSpace]()
        for name in ("default", "all"):
            space = spaces[name] = build_space(schema, base, SpaceRequest(name), profile)
            parts = (schema.leaves, space.parameters, space.fixed, space.refused, space.inert)
            counts = "".join(f"{len(part):9}" for part in parts)
            lines.append(f"{skill.name:28}{name:9}{counts}")
        reasons += ["", f"{skill.name}, of all leaves:", *_reasons(spaces["all"])]
    return "\n".join((*lines, *reasons, ""))


def _reasons(space: SearchSpace) -> Iterator[str]:
    counted = Counter(_general(one.reason, one.key) for one in space.refused)
    counted["fixed: one value is legal"] += len(space.fixed)
    counted.update(f"inert: {one.reason}" for one in space.inert)
    for reason, count in sorted(counted.items(), key=lambda one: (-one[1], one[0])):
        if count:
            yield f"{count:5}  {reason}"


def _general(reason: str, key: str) -> str:
    """The reason without the name of the leaf and the advice that repeats it."""
    return re.split(r"; (?:name|give)", reason)[0].replace(key, "KEY")


def test_the_tables_of_the_own_skill_and_of_every_word(golden: Golden) -> None:
    golden("space/tables.txt", _table([own_skill_dir(), _KITCHEN]))


@pytest.mark.skills
@pytest.mark.skipif(not _FOLDER, reason="AUTOML_TAO_SKILLS names no folder")
def test_the_tables_of_the_published_skills(golden: Golden) -> None:
    """The file is that of the six skills of the snapshot of 2026-08-20."""
    text = _table(_PUBLISHED)
    assert text.count("of all leaves:") == len(_PUBLISHED)
    names = {folder.name for folder in _PUBLISHED}
    if names == {
        *("tao-finetune-clip", "tao-finetune-cosmos-reason", "tao-train-centerpose"),
        *("tao-train-deformable-detr", "tao-train-dino", "tao-train-mask2former"),
    }:
        golden("space/published.txt", text)
