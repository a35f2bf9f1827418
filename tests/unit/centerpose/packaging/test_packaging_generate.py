import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from automl.centerpose.config.experiment import ACTIONS, Experiment
from automl.centerpose.config.fields import leaf_entries
from automl.centerpose.config.load import load_spec, to_tree
from automl.centerpose.packaging.generate import generate, render, stale
from automl.centerpose.packaging.schema import default_tree
from automl.centerpose.packaging.templates import OVERLAY, template_tree
from automl.yamltext import load_yaml

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("name", sorted(render()))
def test_the_committed_file_is_what_would_be_generated(name: str) -> None:
    assert (ROOT / name).read_bytes() == render()[name].encode()


def test_generating_writes_everything_once(tmp_path: Path) -> None:
    assert len(stale(tmp_path)) == len(render())
    written = generate(tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in written) == sorted(render())
    assert stale(tmp_path) == []
    written[0].write_text("changed", encoding="utf-8")
    assert stale(tmp_path) == [written[0]]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_template_is_the_defaults_and_the_overlay(action: str) -> None:
    text = render()[f"references/spec_template_{action}.yaml"]
    tree = load_yaml(text)
    assert tree == template_tree(action)
    assert tree["wandb"].pop("enable") is False
    default = default_tree(action)
    assert default["wandb"].pop("enable") is True
    if action in ("train", "evaluate"):
        assert tree["evaluate"].pop("opencv") is False
        default.setdefault("evaluate", {}).pop("opencv", None)
    assert tree == default


@pytest.mark.parametrize("action", ACTIONS)
def test_a_template_loads_alike_for_a_reader_of_yaml_1_1(action: str) -> None:
    text = render()[f"references/spec_template_{action}.yaml"]
    assert yaml.safe_load(text) == load_yaml(text)


def test_the_train_template_is_a_spec_that_trains() -> None:
    spec = load_spec(load_yaml(render()["references/spec_template_train.yaml"]), "train")
    assert not spec.evaluate.opencv
    assert to_tree(spec)["train"]["optim"]["lr"] == 6e-5


def test_every_departure_stands_with_its_reason_in_its_templates() -> None:
    for departure in OVERLAY:
        for action in departure.actions:
            text = render()[f"references/spec_template_{action}.yaml"]
            comment = " ".join(
                line.lstrip("# ") for line in text.splitlines() if line.startswith("#")
            )
            assert f"{departure.key}: false ({departure.reason})" in comment


@pytest.mark.parametrize(
    "key", [key for key, entry in leaf_entries(Experiment) if entry.facts.own]
)
def test_what_the_container_does_not_know_is_in_nothing_that_is_generated(key: str) -> None:
    name = key.rpartition(".")[2]
    assert [path for path, text in render().items() if name in text] == []


@pytest.mark.parametrize("action", ACTIONS)
def test_a_schema_names_its_own_block_and_keeps_open_bounds(action: str) -> None:
    schema: dict[str, Any] = json.loads(render()[f"schemas/{action}.schema.json"])
    assert action in schema["properties"]
    assert schema["default"] == default_tree(action)
    assert schema["properties"]["train"]["properties"]["optim"]["properties"]["lr"][
        "maximum"
    ] == float("inf")
    assert schema["x_tao_schema"]["action"] == action
    assert schema["automl_default_parameters"] == ["train.optim.lr", "train.optim.lr_decay"]
