"""Real published skills, named by AUTOML_TAO_SKILLS, and the skill of this repository."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.search.sample import sample
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
from automl.space.proposal import decode, default_params, encode, is_legal
from automl.space.request import SpaceRequest
from tests.unit.space.space_checker import violations

_FOLDER = os.environ.get("AUTOML_TAO_SKILLS", "")
_PUBLISHED = sorted(
    path.parent.parent for path in Path(_FOLDER).glob("*/schemas/train.schema.json")
)
_SAMPLES = 200


def _space(folder: Path, name: str) -> tuple[SearchSpace, Any, Any]:
    skill = read_skill(folder)
    schema = read_action_schema(skill, "train")
    base = base_tree(skill, "train")
    profile = load_profile(profile_path(skill))
    space = build_space(schema, base, SpaceRequest(name), profile)
    raw = json.loads(skill.schema_path("train").read_text(encoding="utf-8"))
    return space, raw, base


def _judge(folder: Path, name: str) -> SearchSpace:
    space, raw, base = _space(folder, name)
    proposals = sample(space, _SAMPLES, seed=7)
    wrong = [text for one in proposals for text in violations(raw, base, one)]
    assert wrong == []
    for one in proposals[:50]:
        assert all(is_legal(space, one).values())
        again = decode(space, encode(space, one))
        assert again == pytest.approx(one) if _is_flat(one) else again == one
    return space


def _is_flat(params: dict[str, Any]) -> bool:
    return all(isinstance(value, int | float) for value in params.values())


@pytest.mark.parametrize("name", ["default", "all"])
def test_proposals_of_the_own_skill_obey_its_schema(name: str) -> None:
    space = _judge(own_skill_dir(), name)
    assert "train.optim.lr" in space.keys


@pytest.mark.skills
@pytest.mark.skipif(not _FOLDER, reason="AUTOML_TAO_SKILLS names no folder")
@pytest.mark.parametrize("name", ["default", "all"])
@pytest.mark.parametrize("folder", _PUBLISHED, ids=lambda folder: folder.name)
def test_proposals_of_a_published_skill_obey_its_schema(folder: Path, name: str) -> None:
    space = _judge(folder, name)
    assert all(parameter.bounds_from for parameter in space)
    assert all(entry.reason for entry in space.refused)
    skill = read_skill(folder)
    leaves = read_action_schema(skill, "train").leaves
    if name == "all":
        told = {*space.keys, *space.fixed}
        told |= {entry.key for entry in space.refused} | {entry.key for entry in space.inert}
        assert told == set(leaves)


@pytest.mark.skills
@pytest.mark.skipif(not _FOLDER, reason="AUTOML_TAO_SKILLS names no folder")
@pytest.mark.parametrize("folder", _PUBLISHED, ids=lambda folder: folder.name)
def test_the_defaults_of_a_published_skill_are_inside_or_noted(folder: Path) -> None:
    for name in ("default", "all"):
        space, _, _ = _space(folder, name)
        legal = is_legal(space, default_params(space))
        noted = {parameter.key for parameter in space if "default" in parameter.bounds_from}
        assert {key for key, inside in legal.items() if not inside} == noted


@pytest.mark.skills
@pytest.mark.skipif(not _FOLDER, reason="AUTOML_TAO_SKILLS names no folder")
def test_a_published_skill_without_a_profile_has_no_profile_space() -> None:
    with pytest.raises(FixInput, match="must have a profile"):
        _space(_PUBLISHED[0], "profile")
