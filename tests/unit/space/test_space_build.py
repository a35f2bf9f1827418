"""From schema, base spec and request to the space."""

from collections.abc import Callable
from typing import Any

import pytest

from automl.errors import FixInput
from automl.search.sample import sample
from automl.skill.asked import Asked
from automl.skill.profile_file import read_profile
from automl.skill.schema import SchemaTree, parse_schema
from automl.skill.tree import with_value
from automl.space.build import build_space
from automl.space.model import Ceiling, SearchSpace
from automl.space.parameter import Parameter
from automl.space.request import SpaceRequest

Build = Callable[..., SearchSpace]


def test_the_default_space_is_the_schemas_with_finite_log_ranges(build: Build) -> None:
    space = build()
    assert space.keys == ("train.optim.lr", "train.optim.lr_decay")
    lr, decay = space
    assert (*lr.ends, lr.scale) == (6e-6, 6e-4, "log")
    assert (*decay.ends, decay.scale) == (0.01, 1.0, "log")
    assert lr.bounds_from["low"] == "rate rule: the base value 6e-05 / 10"
    assert "rate" in lr.bounds_from["scale"]


def test_a_set_value_moves_the_centre_of_a_derived_range(build: Build, schema: SchemaTree) -> None:
    base = with_value(schema.defaults, "train.optim.lr", 2e-3)
    lr = build(base=base)["train.optim.lr"]
    assert (*lr.ends, lr.default) == (2e-4, 2e-2, 2e-3)


def test_a_searched_key_is_added_and_a_frozen_one_is_fixed(build: Build) -> None:
    space = build("dataset.flip=0.2..0.8", freeze=("train.optim.lr_decay=0.5",))
    assert space.keys == ("train.optim.lr", "dataset.flip")
    assert space.fixed == {"train.optim.lr_decay": 0.5}
    assert space["dataset.flip"].bounds_from["low"] == "--search"


def test_freezing_without_a_value_keeps_the_base_value(build: Build) -> None:
    assert build(freeze=("learning_rate",)).fixed == {"train.optim.lr": 6e-5}


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("train.optim.lrr", "train.optim.lr"),
        ("train.optim", "a group of settings"),
        ("evaluate.opencv", "must search the settings of train"),
        ("dataset.flip=0.05..0.5", "must be at least 0.1, the schema.s minimum"),
        ("dataset.flip=0.2..1.5", "maximum"),
        ("dataset.batch_size=1.5..4", "whole number"),
        ("dataset.batch_size=a,b", "whole number"),
        ("model.backbone=small,huge", "one of small, large"),
        ("model.backbone=1..2", "not over a range"),
        ("model.rank=3,4", "must obey"),
        ("model.name", "text without a list of options"),
        ("model.scale", "give the range: --search model.scale=LOW..HIGH"),
    ],
)
def test_a_named_parameter_that_cannot_be_searched_is_an_error(
    build: Build, search: str, words: str
) -> None:
    with pytest.raises(FixInput, match=words):
        build(search)


def test_a_disabled_parameter_is_searched_when_named_and_refused_in_a_set(build: Build) -> None:
    space = build(space="all")
    reasons = {entry.key: entry.reason for entry in space.refused}
    assert "disabled by the schema" in reasons["train.optim.lr_steps"]
    assert "another action" in reasons["evaluate.opencv"]
    assert "logging" in reasons["wandb.enable"]
    assert "train.optim.lr" in space.keys, "a disabled group does not disable its leaves"
    assert "train.optim.lr_steps" in build("train.optim.lr_steps").keys


def test_every_leaf_of_the_whole_space_is_accounted_for(build: Build, schema: SchemaTree) -> None:
    space = build(space="all")
    told = {*space.keys, *space.fixed}
    told |= {entry.key for entry in space.refused} | {entry.key for entry in space.inert}
    assert told == set(schema.leaves)


def test_one_legal_value_is_a_constant(build: Build) -> None:
    assert build(space="all").fixed["model.head"] == 256


def test_multiples_powers_and_holes(build: Build) -> None:
    space = build("model.hidden_dim", "model.rank", "model.shift")
    hidden, rank, shift = (space[f"model.{name}"] for name in ("hidden_dim", "rank", "shift"))
    assert hidden.text == "64 .. 1024  int step 8"
    assert rank.options == (1, 2, 4, 8, 16, 32, 64, 128, 256)
    assert rank.to_json()["kind"] == "ordered"
    assert shift.options == (-2, -1, 1, 2, 3)


def test_an_open_end_stays_open_and_holds_the_default(build: Build) -> None:
    decay = build("train.optim.weight_decay")["train.optim.weight_decay"]
    assert (*decay.ends, decay.scale) == (1e-5, 0.1, "log")
    linear = build("train.optim.weight_decay=0..0.1:linear")["train.optim.weight_decay"]
    assert isinstance(linear, Parameter)
    assert 0 < linear.ends[0] <= 1e-4
    assert linear.bounds_from["low"] == "condition > 0"


def test_a_zero_default_of_a_fraction_is_inside(build: Build) -> None:
    drop = build("model.drop_rate")["model.drop_rate"]
    assert (*drop.ends, drop.scale) == (0.0, 1.0, "linear")


def test_a_default_outside_the_schema_is_kept_and_noted(build: Build, schema: SchemaTree) -> None:
    base = with_value(schema.defaults, "dataset.flip", 0.0)
    flip = build("dataset.flip", base=base)["dataset.flip"]
    assert (flip.ends[0], flip.default) == (0.1, 0.0)
    assert "trial 0 alone" in flip.bounds_from["default"]


def test_enum_texts_are_stripped_and_weights_kept(build: Build) -> None:
    space = build("model.backbone", "train.decay_type")
    assert space["model.backbone"].options == ("small", "large")
    assert space["train.decay_type"].weights == (0.1, 0.1, 0.4, 0.4)


def test_a_subset_list_is_a_choice_over_subsets(build: Build) -> None:
    layers = build("model.layers")["model.layers"]
    assert layers.to_json()["kind"] == "categorical"
    assert layers.options == (["a"], ["b"], ["a", "b"])


def test_a_ceiling_bounds_a_range_and_a_set(build: Build) -> None:
    ceiling = Ceiling("dataset.batch_size", 6, "6 validation samples")
    batch = build("dataset.batch_size", ceilings=(ceiling,))["dataset.batch_size"]
    assert (batch.ends[1], batch.bounds_from["high"]) == (6, "6 validation samples")
    with pytest.raises(FixInput, match="6 validation samples"):
        build("dataset.batch_size=2,4,8", ceilings=(ceiling,))


def test_options_that_a_trainer_cannot_run_are_left_out(build: Build) -> None:
    rule = {"key": "model.backbone", "when": {"equals": "large"}, "verdict": "refuse"}
    profile = read_profile(
        {"settings": [{**rule, "reason": "too large", "trainers": ["docker"]}]}, "p"
    )
    assert build(space="all", profile=profile, trainer="docker").fixed["model.backbone"] == "small"
    assert "model.backbone" in build(space="all", profile=profile, trainer="process").keys
    with pytest.raises(FixInput, match="too large"):
        build("model.backbone=small,large", profile=profile, trainer="docker")


def test_a_whole_number_stops_where_a_rule_begins(build: Build) -> None:
    rule = {"key": "dataset.batch_size", "when": {"above": 9}, "verdict": "refuse"}
    profile = read_profile({"settings": [{**rule, "reason": "memory"}]}, "p")
    batch = build("dataset.batch_size=2..64", profile=profile)["dataset.batch_size"]
    assert (*batch.ends, batch.bounds_from["high"]) == (2, 9, "memory")


def test_the_profile_space_takes_ranges_and_reasons_from_the_profile(build: Build) -> None:
    profile = read_profile(
        {
            "parameters": {
                "train.optim.lr": {"low": 1e-5, "high": 1e-3, "log": True, "reason": "known"},
                "train.optim.lr_steps": {
                    "low": 0.4,
                    "high": 0.9,
                    "fraction_of": "train.num_epochs",
                    "reason": "late",
                },
                "dataset.flip": {"choices": [0.1, 0.5], "reason": "two are enough"},
            }
        },
        "p",
    )
    space = build(space="profile", profile=profile)
    steps = space["train.optim.lr_steps"]
    assert space.keys == ("train.optim.lr", "train.optim.lr_steps", "dataset.flip")
    assert [element.ends[0] for element in steps.elements] == [4, 5]
    assert [element.ends[1] for element in steps.elements] == [8, 9]
    assert space["train.optim.lr"].bounds_from["low"] == "profile: known"
    assert space["dataset.flip"].options == (0.1, 0.5)


def test_circles_are_errors_with_the_chain() -> None:
    conditions, words = {"a": "train.b", "b": "c", "c": "train.a"}, "train.a -> train.b -> train.c"
    leaf: dict[str, Any] = {"type": "int", "default": 4, "minimum": 1, "maximum": 9}
    properties = {
        name: {**leaf, "depends_on": conditions.get(name, "")} for name in ("a", "b", "c")
    }
    raw = {"properties": {"train": {"type": "collection", "properties": properties}}}
    schema = parse_schema(raw, where="test", action="train")
    with pytest.raises(FixInput, match=words):
        build_space(schema, schema.defaults, SpaceRequest(search=(Asked("train.a"),)))


def test_the_digest_follows_what_is_proposed_and_not_the_words(build: Build) -> None:
    first, other = build(), build("train.optim.lr=6e-6..6e-4:log")
    assert first.digest == other.digest
    assert first.digest != build("train.optim.lr=6e-6..6e-4:linear").digest


def test_the_same_seed_gives_the_same_samples(build: Build) -> None:
    space = build(space="all")
    assert sample(space, 5, seed=3) == sample(space, 5, seed=3)
    assert sample(space, 5, seed=3) != sample(space, 5, seed=4)
