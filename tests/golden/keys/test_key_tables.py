"""Which key of each skill has which role, as a table."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from automl.skill.read import own_skill_dir, read_skill

Golden = Callable[[str, str], None]

_KITCHEN = Path(__file__).parents[2] / "fixtures" / "kitchen"
_FOLDER = os.environ.get("AUTOML_TAO_SKILLS", "")
_SNAPSHOT = (
    *("tao-finetune-clip", "tao-finetune-cosmos-reason", "tao-train-centerpose"),
    *("tao-train-deformable-detr", "tao-train-dino", "tao-train-mask2former"),
)


def _table(folders: Iterable[Path]) -> str:
    lines = []
    for folder in folders:
        skill = read_skill(folder)
        lines.append(skill.name)
        for role, keys in skill.keys.to_json().items():
            lines.append(f"  {role:20} {keys if isinstance(keys, str) else ', '.join(keys)}")
    return "\n".join((*lines, ""))


def test_the_keys_of_the_own_skill_and_of_every_word(golden: Golden) -> None:
    golden("keys/own.txt", _table([own_skill_dir(), _KITCHEN]))


@pytest.mark.skills
@pytest.mark.skipif(not _FOLDER, reason="AUTOML_TAO_SKILLS names no folder")
def test_the_keys_of_the_published_skills(golden: Golden) -> None:
    """The file is that of the six skills of the snapshot of 2026-08-20."""
    folders = [Path(_FOLDER, name) for name in _SNAPSHOT]
    if not all((folder / "references" / "skill_info.yaml").is_file() for folder in folders):
        pytest.skip("AUTOML_TAO_SKILLS holds other skills than the snapshot")
    golden("keys/published.txt", _table(folders))
