"""Which data an action reads: the skill says for which split it is, the study what there is."""

from pathlib import Path

import pytest

from automl.app.action_data import action_data
from automl.skill.model import Skill
from automl.skill.read import own_skill_dir, read_skill
from automl.study.config import DataSources
from automl.yamltext import dump_yaml

TRAINED = DataSources(train="/t", val="/v")


def told(_: str) -> None:
    """Nobody is told."""


@pytest.fixture
def kitchen(tmp_path: Path) -> Skill:
    """A skill that evaluates on val, infers on test, and reads two splits to prune."""
    table = {
        "evaluate": {"dataset.eval": {"splits": ["val"]}},
        "inference": {"dataset.pictures": {"splits": ["test", "val"]}},
        "prune": {
            "dataset.fit": {"splits": ["train"]},
            "dataset.judge": {"splits": ["test", "val"]},
        },
    }
    references = tmp_path / "skill" / "references"
    references.mkdir(parents=True)
    info = {"network_arch": "tinynet", "actions": {"train": {}}}
    (references / "skill_info.yaml").write_text(dump_yaml(info))
    (references / "data_sources.yaml").write_text(dump_yaml(table))
    return read_skill(references.parent)


def read(skill: Skill, action: str, recorded: DataSources = TRAINED) -> tuple[object, object]:
    return action_data(action, skill, {}, recorded, {}, told)


def test_the_skill_says_which_split_an_action_is_for(kitchen: Skill) -> None:
    # Ours evaluates on the test split, so val stands in; here val is what is meant.
    assert read(kitchen, "evaluate") == ({"train": "/t", "val": "/v"}, ())
    ours = read(read_skill(own_skill_dir()), "evaluate")
    note = "no test data is recorded: it reads val"
    assert ours == ({"train": "/t", "val": "/v", "test": "/v"}, (note,))


def test_every_split_of_an_action_is_looked_for(kitchen: Skill) -> None:
    data, notes = read(kitchen, "prune")
    assert data == {"train": "/t", "val": "/v", "test": "/v"}
    assert notes == ("no test data is recorded: it reads val",)


def test_inference_on_what_the_skill_names(kitchen: Skill) -> None:
    recorded = DataSources(train="/t", val="/v", test="/held-out", inference="/new")
    data, notes = read(kitchen, "inference", recorded)
    assert data["test"] == "/held-out"  # type: ignore[index]
    assert notes == ()


def test_an_action_without_data_says_nothing(kitchen: Skill) -> None:
    assert read(kitchen, "export") == ({"train": "/t", "val": "/v"}, ())
