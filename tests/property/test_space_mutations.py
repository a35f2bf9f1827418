"""Damaged real schemas: building gives a sound space or a named error, nothing else."""

import copy
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.search.sample import sample
from automl.skill.schema import parse_schema
from automl.space.build import build_space
from automl.space.request import SpaceRequest
from tests.unit.space.space_checker import raw_leaves, violations

_OWN = Path(__file__).parents[2] / "schemas" / "train.schema.json"
_FOLDER = os.environ.get("AUTOML_TAO_SKILLS", "")
_PUBLISHED = sorted(Path(_FOLDER).glob("*/schemas/train.schema.json")) if _FOLDER else []

_FIELDS = ("type", "default", "minimum", "maximum", "math_cond", "depends_on", "enum")
_JUNK: tuple[Any, ...] = (
    None,
    True,
    0,
    -3,
    7,
    1e9,
    0.25,
    float("inf"),
    float("nan"),
    "",
    "int",
    "float",
    "list_2",
    "> 0",
    "> depends_on",
    "/ 4",
    "^ 2",
    "!= 0",
    "about",
    [1, 2],
    [0.5],
    ["a", "b"],
    [3, 1, 2],
    {},
)


def _damaged(raw: dict[str, Any], generator: random.Random) -> dict[str, Any]:
    """The schema with one to three fields of its leaves replaced, removed or pointed elsewhere."""
    damaged = copy.deepcopy(raw)
    leaves = list(raw_leaves(damaged))
    for _ in range(generator.randint(1, 3)):
        _, node = generator.choice(leaves)
        field = generator.choice(_FIELDS)
        assert isinstance(node, dict)
        if field == "depends_on" and generator.random() < 0.8:
            node[field] = generator.choice(leaves)[0]
        elif generator.random() < 0.15:
            node.pop(field, None)
        else:
            node[field] = generator.choice(_JUNK)
        node["automl_enabled"] = True
    return damaged


def _survives(path: Path, count: int, seed: int) -> int:
    """Builds a space over each of ``count`` damaged schemas; returns how many could be built."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    generator = random.Random(seed)  # noqa: S311 - a test
    built = 0
    for _ in range(count):
        damaged = _damaged(raw, generator)
        try:
            schema = parse_schema(damaged, where="damaged", action="train")
            space = build_space(schema, schema.defaults, SpaceRequest("all"))
        except FixInput:
            continue
        built += 1
        for proposal in sample(space, 2, seed=1):
            assert violations(damaged, schema.defaults, proposal) == []
    return built


def test_damage_to_the_own_schema() -> None:
    assert _survives(_OWN, 150, seed=1) > 30


@pytest.mark.skills
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not _FOLDER, reason="AUTOML_TAO_SKILLS names no folder")
@pytest.mark.parametrize("path", _PUBLISHED, ids=lambda path: path.parent.parent.name)
def test_damage_to_a_published_schema(path: Path) -> None:
    assert _survives(path, 850, seed=2) > 200
