"""Parameters that change nothing."""

from collections.abc import Callable

import pytest

from automl.skill.profile import Profile
from automl.skill.profile_file import read_profile
from automl.skill.schema import SchemaTree
from automl.skill.tree import with_value
from automl.space.inert import milestones
from automl.space.model import SearchSpace

Build = Callable[..., SearchSpace]


@pytest.fixture
def profile() -> Profile:
    when = {"all_at_or_beyond": {"list": "train.optim.lr_steps", "limit": "train.num_epochs"}}
    rule = {
        "key": "train.optim.lr_decay",
        "when": when,
        "reason": "never decayed",
        "fix": "--set train.optim.lr_steps=[...]",
    }
    return read_profile({"inert": [rule]}, "p")


def test_a_dead_parameter_is_left_out_with_its_mend(build: Build, profile: Profile) -> None:
    space = build(profile=profile)
    assert space.keys == ("train.optim.lr",)
    (inert,) = space.inert
    assert (inert.key, inert.reason) == ("train.optim.lr_decay", "never decayed")
    assert inert.fix == "--set train.optim.lr_steps=[6,8]"


def test_it_comes_back_with_milestones_inside_the_training(
    build: Build, profile: Profile, schema: SchemaTree
) -> None:
    base = with_value(schema.defaults, "train.optim.lr_steps", [6, 120])
    assert "train.optim.lr_decay" in build(profile=profile, base=base).keys


def test_it_is_searched_when_forced(build: Build, profile: Profile) -> None:
    space = build("train.optim.lr_decay", profile=profile)
    assert "train.optim.lr_decay" in space.keys
    assert space.inert == ()


def test_it_is_alive_where_the_milestones_are_searched(build: Build, profile: Profile) -> None:
    assert "train.optim.lr_decay" in build("train.optim.lr_steps", profile=profile).keys


@pytest.mark.parametrize(
    ("count", "limit", "expected"),
    [(2, 30, [18, 25]), (1, 10, [6]), (3, 10, [6, 7, 8]), (2, 2, [1]), (2, 1, [])],
)
def test_offered_milestones_lie_late_in_the_training(
    count: int, limit: int, expected: list[int]
) -> None:
    assert milestones(count, limit) == expected


def test_what_nothing_reads_is_searched_in_vain(build: Build) -> None:
    rules = {"ignored": [{"key": "model.rank", "reason": "nothing reads it", "fix": "none"}]}
    profile = read_profile(rules, "p")
    assert "model.rank" in build(space="all").keys
    space = build(space="all", profile=profile)
    assert "model.rank" not in space.keys
    assert [one.reason for one in space.inert] == ["nothing reads it"]
    assert "model.rank" in build("model.rank", profile=profile).keys
