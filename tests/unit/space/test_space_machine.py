"""Settings of the machine are in no space unless they are named; rates have a ceiling by rule."""

from typing import Any

import pytest

from automl.skill.asked import parse_search
from automl.skill.model import ParameterSchema
from automl.skill.schema import SchemaTree, parse_schema
from automl.space.bounds import derive
from automl.space.build import build_space
from automl.space.request import SpaceRequest

_MACHINE = ("workers", "pin_memory", "prefetch_factor", "num_gpus", "num_threads")


@pytest.fixture
def schema() -> SchemaTree:
    """A learning rate and settings of the machine, all of them the schema's default parameters."""
    bounds = {"minimum": 1, "maximum": 8, "automl_enabled": True}
    data = {name: {"type": "int", "default": 2, **bounds} for name in _MACHINE}
    rate: dict[str, Any] = {"type": "float", "default": 2e-4, "minimum": 0.0, "maximum": 1.0}
    return parse_schema(
        {
            "automl_default_parameters": ["train.lr", *(f"data.{name}" for name in _MACHINE)],
            "properties": {
                "data": {"type": "collection", "properties": data},
                "train": {"type": "collection", "properties": {"lr": rate}},
            },
        },
        where="train.schema.json",
        action="train",
    )


@pytest.mark.parametrize("name", ["default", "all"])
def test_no_space_has_a_setting_of_the_machine(schema: SchemaTree, name: str) -> None:
    space = build_space(schema, schema.defaults, SpaceRequest(name))
    assert space.keys == ("train.lr",)
    said = {entry.key: entry.reason for entry in space.refused}
    assert said.keys() == {f"data.{name}" for name in _MACHINE}
    assert all(f"--search {key}" in reason for key, reason in said.items())


def test_one_that_is_named_is_searched(schema: SchemaTree) -> None:
    request = SpaceRequest(search=(parse_search("data.workers=2..4"),))
    space = build_space(schema, schema.defaults, request)
    assert space["data.workers"].text.startswith("2 .. 4")


@pytest.mark.parametrize("name", ["lr", "lr_backbone", "learning_rate", "weight_decay", "wd"])
def test_a_rate_up_to_one_has_a_ceiling_by_rule(name: str) -> None:
    found = derive(ParameterSchema(f"train.{name}", "float"), 2e-4, 0.0, 1.0)
    assert found is not None
    assert (found.low, found.high) == (2e-5, 2e-3)
    assert found.high_from.startswith("rate rule: the base value 0.0002 x 10")
    assert "the schema's 1" in found.high_from


@pytest.mark.parametrize(
    ("name", "base", "low", "high"),
    [
        ("lr", 2e-4, 0.0, 0.01),  # a bound that was meant for a rate
        ("lr", 0.5, 0.0, 1.0),  # a base value that needs the room
        ("clip_grad_norm", 0.05, 0.0, 10.0),  # no rate of learning
    ],
)
def test_a_bound_of_the_schema_that_bounds_stays(
    name: str, base: float, low: float, high: float
) -> None:
    found = derive(ParameterSchema(f"train.{name}", "float"), base, low, high)
    assert found is not None
    assert (found.high, found.high_from) == (high, "schema maximum")
