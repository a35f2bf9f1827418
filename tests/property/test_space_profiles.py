"""Damaged search profiles: a named error or a sound space, nothing else."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from automl.errors import FixInput
from automl.search.sample import sample
from automl.skill.profile_file import read_profile
from automl.skill.read import base_tree, own_skill_dir, read_action_schema, read_skill
from automl.space.build import build_space
from automl.space.request import SpaceRequest
from automl.yamltext import load_yaml

_SKILL = read_skill(own_skill_dir())
_SCHEMA, _BASE = read_action_schema(_SKILL, "train"), base_tree(_SKILL, "train")
_PROFILE = load_yaml(own_skill_dir() / "references" / "search_profile.yaml")
_JUNK: tuple[Any, ...] = (
    *(None, True, 0, -3, 7.5, 1e400, float("nan"), "", "train.optim.lr", "train.nothing"),
    *([], [1, 2], [0.1, "a"], [[1], [2]], {}, {"equals": 1}, {"above": []}, {"one_of": 3}),
    *({"low": 1, "high": 0}, {"choices": 3}, {"all_at_or_beyond": {"list": 3, "limit": []}}),
)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container below a value, with each of its keys or indices."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(entries):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def _damaged(generator: random.Random) -> Any:
    profile = copy.deepcopy(_PROFILE)
    for _ in range(generator.randint(1, 2)):
        holder, key = generator.choice(list(_places(profile)))
        if isinstance(holder, dict) and generator.random() < 0.2:
            holder[str(generator.choice(_JUNK))] = generator.choice(_JUNK)
        else:
            holder[key] = copy.deepcopy(generator.choice(_JUNK))
    return profile


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_profile_is_a_named_error_or_a_sound_space(seed: int) -> None:
    generator, built = random.Random(seed), 0  # noqa: S311 - a test
    for _ in range(100):
        tree = _damaged(generator)
        try:
            profile = read_profile(tree, "damaged")
            space = build_space(_SCHEMA, _BASE, SpaceRequest("profile"), profile, (), "process")
        except FixInput as error:
            assert error.rule  # noqa: PT017 - either way is right
            continue
        built += 1
        sample(space, 2, seed=1)
    assert 5 < built < 95  # both ends are met; how often depends on the profile
