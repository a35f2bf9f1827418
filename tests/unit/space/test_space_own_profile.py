"""The search profile that this repository ships."""

from typing import Any

import pytest

from automl.search.sample import sample
from automl.skill.asked import Asked
from automl.skill.profile import Profile
from automl.skill.profile_file import load_profile
from automl.skill.read import base_tree, own_skill_dir, read_action_schema, read_skill
from automl.skill.schema import SchemaTree
from automl.skill.tree import Tree, with_value
from automl.space.build import build_space
from automl.space.model import Ceiling, SearchSpace
from automl.space.request import SpaceRequest

#: Settings with which the container stops, or learns nothing.
CRASHES = (
    "dataset.aug_rot",
    "dataset.mse_loss",
    "dataset.not_rand_crop",
    "dataset.num_classes",
    "train.loss_config.dense_hp",
    "train.loss_config.mse_loss",
    "train.loss_config.reg_bbox",
    "train.loss_config.use_residual",
)


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile(own_skill_dir() / "references" / "search_profile.yaml")


@pytest.fixture(scope="module")
def schema() -> SchemaTree:
    return read_action_schema(read_skill(own_skill_dir()), "train")


@pytest.fixture
def base() -> Tree:
    tree = base_tree(read_skill(own_skill_dir()), "train")
    return with_value(tree, "train.num_epochs", 30)


def _space(
    schema: SchemaTree, base: Tree, profile: Profile, name: str = "profile", **more: Any
) -> SearchSpace:
    return build_space(schema, base, SpaceRequest(name), profile, **more)


def test_it_searches_what_matters_in_the_container(
    schema: SchemaTree, base: Tree, profile: Profile
) -> None:
    space = _space(schema, base, profile, trainer="docker")
    assert set(space.keys) == {
        "train.optim.lr",
        "train.optim.lr_decay",
        "train.optim.lr_steps",
        "dataset.batch_size",
        "dataset.flip",
        "dataset.no_color_aug",
        "train.clip_grad_val",
        "model.backbone.model_type",
        "model.use_convGRU",
    }
    for one in sample(space, 200, seed=1):
        steps: Any = one["train.optim.lr_steps"]
        assert 1 <= steps[0] < steps[1] < 30
        assert one["model.backbone.model_type"] != "nano"


def test_a_study_of_nano_stays_with_nano(schema: SchemaTree, base: Tree, profile: Profile) -> None:
    nano = with_value(base, "model.backbone.model_type", "nano")
    space = _space(schema, nano, profile, trainer="process")
    left_out = {"model.backbone.model_type", "model.use_convGRU"}
    assert not left_out & {*space.keys, *space.fixed}
    assert {entry.key for entry in space.inert} == left_out
    asked = SpaceRequest("profile", (Asked("model.backbone.model_type"),))
    named = build_space(schema, nano, asked, profile, trainer="process")
    assert "nano" not in named["model.backbone.model_type"].options
    assert "model.use_convGRU" in named.keys, "in some trials it has an effect"


@pytest.mark.parametrize("name", ["default", "profile", "all"])
def test_what_stops_the_container_is_never_proposed(
    schema: SchemaTree, base: Tree, profile: Profile, name: str
) -> None:
    space = _space(schema, base, profile, name, trainer="docker")
    assert not set(CRASHES) & set(space.keys)


def test_a_batch_larger_than_the_data_is_never_proposed(
    schema: SchemaTree, base: Tree, profile: Profile
) -> None:
    ceiling = Ceiling("dataset.batch_size", 12, "12 validation images")
    space = _space(schema, base, profile, ceilings=(ceiling,), trainer="docker")
    assert space["dataset.batch_size"].options == (2, 4, 8)
    assert "12 validation images" in space["dataset.batch_size"].bounds_from["choices"]
