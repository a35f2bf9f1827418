"""The space as a reader sees it."""

from collections.abc import Callable

from automl.skill.profile_file import load_profile
from automl.skill.read import base_tree, own_skill_dir, read_action_schema, read_skill
from automl.skill.schema import parse_schema
from automl.space.build import build_space
from automl.space.request import SpaceRequest
from automl.space.show import show_space

Golden = Callable[[str, str], None]


def test_the_own_skills_default_space(golden: Golden) -> None:
    folder = own_skill_dir()
    skill = read_skill(folder)
    profile = load_profile(folder / "references" / "search_profile.yaml")
    schema, base = read_action_schema(skill, "train"), base_tree(skill, "train")
    space = build_space(schema, base, SpaceRequest(), profile)
    golden("space/default.txt", show_space(space) + "\n")


def test_a_space_of_every_kind(golden: Golden) -> None:
    whole = {"type": "int", "minimum": 1, "maximum": 64, "default": 8, "automl_enabled": True}
    leaves = {
        "lr": {"type": "float", "minimum": 0, "default": 6e-5, "automl_enabled": True},
        "width": {**whole, "math_cond": "/ 8"},
        "rank": {**whole, "math_cond": "^ 2"},
        "below": {**whole, "depends_on": "train.width"},
        "mode": {
            "type": "categorical",
            "enum": ["a", "b", "c"],
            "option_weights": [0.5, 0.25, 0.25],
            "default": "a",
        },
        "milestones": {"type": "list_2", "default": [3, 6], "minimum": 1, "maximum": 9},
        "head": {**whole, "minimum": 8, "maximum": 8},
        "shape": {"type": "float", "default": 0.25},
    }
    raw = {"properties": {"train": {"type": "collection", "properties": leaves}}}
    schema = parse_schema(raw, where="test", action="train")
    space = build_space(schema, schema.defaults, SpaceRequest("all"))
    golden("space/every_kind.txt", show_space(space) + "\n")
