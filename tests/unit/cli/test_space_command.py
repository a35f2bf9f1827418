"""``automl space``: the tree, the JSON that scripts rely on, drafts and differences."""

import json
from pathlib import Path

import pytest

from automl.cli.main import main
from automl.skill.keys import NetworkKeys
from automl.skill.read import own_skill_dir, read_skill
from automl.yamltext import load_yaml


def _json(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, object]:
    assert main(["space", "--format", "json", *more]) == 0
    value: dict[str, object] = json.loads(capsys.readouterr().out)
    return value


def test_it_needs_no_data_and_no_metric(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["space"]) == 0
    text = capsys.readouterr().out
    assert "6e-06 .. 0.0006  log float" in text
    assert "train.optim.lr_steps=[6,8]" in text


def test_the_json_has_a_stable_shape_and_repeats(capsys: pytest.CaptureFixture[str]) -> None:
    first = _json(capsys, "--space", "all", "--sample", "3", "--seed", "4")
    assert list(first) == ["schema", "parameters", "fixed", "refused", "inert", "samples"]
    assert first == _json(capsys, "--space", "all", "--sample", "3", "--seed", "4")
    assert first["samples"] != _json(capsys, "--space", "all", "--sample", "3")["samples"]


def test_the_yaml_says_what_the_json_says(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["space", "--format", "yaml", "--sample", "2"]) == 0
    file = tmp_path / "space.yaml"
    file.write_text(capsys.readouterr().out)
    assert load_yaml(file) == _json(capsys, "--sample", "2")


def test_a_drafted_profile_is_a_space(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "draft.yaml"
    arguments = ["space", "--search", "dataset.flip", "--write-profile", str(file)]
    assert main(arguments) == 0
    capsys.readouterr()
    keys = load_yaml(file)["keys"]
    assert NetworkKeys.from_json(keys) == read_skill(own_skill_dir()).keys
    drafted = _json(capsys, "--space", str(file))["parameters"]
    assert isinstance(drafted, list)
    assert [entry["key"] for entry in drafted] == ["train.optim.lr", "dataset.flip"]
    assert main(arguments) == 2, "a draft overwrites nothing"


def test_a_difference_of_a_space_to_itself_is_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    schema = tmp_path / "train.schema.json"
    leaf = {"type": "float", "default": 1e-4, "minimum": 0}
    raw = {
        "automl_default_parameters": ["train.lr"],
        "properties": {"train": {"type": "collection", "properties": {"lr": leaf}}},
    }
    schema.write_text(json.dumps(raw))
    assert main(["space", "--diff", str(schema), str(schema)]) == 0
    assert "propose the same" in capsys.readouterr().out
    other = tmp_path / "other" / "train.schema.json"
    other.parent.mkdir()
    other.write_text(json.dumps(raw).replace("0.0001", "0.001"))
    assert main(["space", "--diff", str(schema), str(other)]) == 0
    assert capsys.readouterr().out.startswith("~ train.lr: 1e-05 .. 0.001")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--space", "everything"],
        ["--search", "train.optim.lrr"],
        ["--search", "dataset.flip=0.9..0.2"],
        ["--diff", "nothing", "nobody"],
    ],
)
def test_a_mistake_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["space", *arguments]) == 2
    assert capsys.readouterr().err.startswith("error: ")
