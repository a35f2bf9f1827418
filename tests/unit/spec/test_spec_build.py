"""Base specs, and the spec of each attempt."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.model import Skill
from automl.skill.read import own_skill_dir, read_skill
from automl.skill.tree import get, leaves
from automl.spec.build import SpecRequest, build_base, for_attempt, with_params
from automl.yamltext import dump_yaml


@pytest.fixture(scope="module")
def skill() -> Skill:
    return read_skill(own_skill_dir())


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A skill folder with a train schema and nothing else."""
    leaf: dict[str, Any] = {"type": "int", "default": 3, "minimum": 1, "maximum": 9}
    block = {"type": "collection", "properties": {"epochs": leaf, "name": {"type": "string"}}}
    folder = tmp_path / "skill" / "schemas"
    folder.mkdir(parents=True)
    schema = json.dumps({"properties": {"train": block}, "default": {"train": {"epochs": 3}}})
    (folder / "train.schema.json").write_text(schema, encoding="utf-8")
    return folder.parent


def test_every_override_arrives(skill: Skill, tmp_path: Path) -> None:
    request = SpecRequest(
        overrides={
            "train.num_epochs": 30,
            "learning_rate": 1e-3,
            "train.optim.lr_steps": [18, 25],
            "evaluate.opencv": False,
            "inference.visualization_threshold": 0.3,
            "train": {"precision": "fp32"},
        },
        data={"train": "/d/train", "val": "/d/val", "test": "/d/test"},
        parent_checkpoint="/weights/model.pth",
        gpus=2,
    )
    base = build_base(skill, "train", request)
    spec = for_attempt(base.rules, base.tree, {"dataset.flip": 0.2}, tmp_path, Path("/c/last.pth"))
    expected = {
        "train.num_epochs": 30,
        "train.optim.lr": 1e-3,
        "train.optim.lr_steps": [18, 25],
        "train.precision": "fp32",
        "evaluate.opencv": False,
        "inference.visualization_threshold": 0.3,
        "dataset.train_data": "/d/train",
        "dataset.val_data": "/d/val",
        "dataset.test_data": "/d/test",
        "train.pretrained_model_path": "/weights/model.pth",
        "train.num_gpus": 2,
        "train.gpu_ids": [0, 1],
        "dataset.flip": 0.2,
        "results_dir": str(tmp_path),
        "train.results_dir": str(tmp_path),
        "train.resume_training_checkpoint_path": "/c/last.pth",
    }
    assert {key: get(spec, key) for key in expected} == expected


def test_the_template_is_complete_and_untouched_elsewhere(skill: Skill) -> None:
    base = build_base(skill, "train", SpecRequest(overrides={"dataset.flip": 0.25}))
    other = build_base(skill, "train", SpecRequest())
    changed = {key for key, value in leaves(base.tree) if get(other.tree, key, None) != value}
    assert changed == {"dataset.flip"}
    assert base.source == "spec_template_train.yaml"
    assert get(base.tree, "evaluate.opencv") is False


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"train.optim.learning_rat": 1}, "did you mean"),
        ({"train.num_epoch": 3}, "train.num_epochs"),
        ({"dataset.bath_size": 3}, "dataset.batch_size"),
        ({"train.num_epochs": 0.5}, "a whole number"),
        ({"train.num_epochs": 0}, "at least 1"),
        ({"evaluate.opencv": "maybe"}, "true or false"),
        ({"evaluate.nothing": 1}, "evaluate"),
        ({"train.optim": 3}, "not a group of them"),
        ({"results_dir": "/elsewhere"}, "--studies-dir"),
    ],
)
def test_what_does_not_fit_is_refused(skill: Skill, overrides: dict[str, Any], words: str) -> None:
    with pytest.raises(FixInput) as caught:
        build_base(skill, "train", SpecRequest(overrides=overrides))
    assert words in str(caught.value)


def test_a_spec_file_wins_and_is_completed(skill: Skill, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(dump_yaml({"train": {"num_epochs": 7, "validation_interval": 7}}))
    base = build_base(skill, "train", SpecRequest(spec_file=file, overrides={"num_epochs": 14}))
    assert get(base.tree, "train.num_epochs") == 14
    assert get(base.tree, "train.validation_interval") == 7
    assert get(base.tree, "dataset.input_res") == 512
    assert base.source == str(file)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train: {num_epochz: 3}", "train.num_epochs"),
        ("train: {num_epochs: many}", "a whole number"),
        ("[1, 2]", "a mapping of settings"),
        ("train: {num_epochs: 0}", ""),
    ],
)
def test_a_spec_file_is_checked(skill: Skill, tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    if words:
        with pytest.raises(FixInput, match=words):
            build_base(skill, "train", SpecRequest(spec_file=file))
    else:
        notes = build_base(skill, "train", SpecRequest(spec_file=file)).notes
        (note,) = notes
        assert note.startswith("train.num_epochs = 0 as ")
        assert note.endswith("though train.num_epochs must be at least 1")


def test_what_a_template_ships_outside_its_schema_is_noted(skill: Skill) -> None:
    (note,) = build_base(skill, "evaluate", SpecRequest()).notes
    assert note.startswith(
        "evaluate.eval_num_symmetry = 1 as spec_template_evaluate.yaml ships it"
    )


def test_a_reference_stays_in_the_spec_and_is_followed_by_its_readers(skill: Skill) -> None:
    overrides = {"train.checkpoint_interval": "${train.validation_interval}"}
    base = build_base(skill, "train", SpecRequest(overrides=overrides))
    assert base.tree["train"]["checkpoint_interval"] == "${train.validation_interval}"
    assert get(base.tree, "train.checkpoint_interval") == base.tree["train"]["validation_interval"]


def test_without_a_template_the_schemas_defaults_are_the_base(bare: Path) -> None:
    base = build_base(read_skill(bare), "train", SpecRequest(overrides={"train.epochs": 4}))
    assert base.tree == {"train": {"epochs": 4}}
    assert base.source == "defaults of train.schema.json"


def test_without_a_schema_the_templates_keys_are_the_known_ones(bare: Path) -> None:
    shutil.rmtree(bare / "schemas")
    (bare / "references").mkdir()
    (bare / "references" / "spec_template_train.yaml").write_text("train: {epochs: 3}")
    (bare / "references" / "skill_info.yaml").write_text("actions: {train: {}}")
    skill = read_skill(bare)
    assert build_base(skill, "train", SpecRequest(overrides={"train.epochs": 5})).tree == {
        "train": {"epochs": 5}
    }
    with pytest.raises(FixInput, match=r"train\.epochs"):
        build_base(skill, "train", SpecRequest(overrides={"train.epoch": 5}))


def test_with_nothing_to_start_from_a_spec_file_is_asked_for(bare: Path, tmp_path: Path) -> None:
    (bare / "schemas" / "train.schema.json").write_text("{")
    (bare / "references").mkdir()
    (bare / "references" / "skill_info.yaml").write_text(
        "{network_arch: net, actions: {train: {}}}"
    )
    skill = read_skill(bare)
    with pytest.raises(FixInput, match="--spec FILE"):
        build_base(skill, "train", SpecRequest())
    file = tmp_path / "spec.yaml"
    file.write_text("train: {anything: 1}")
    assert build_base(skill, "train", SpecRequest(spec_file=file)).tree == {
        "train": {"anything": 1}
    }


def test_data_that_no_setting_takes_is_an_error(bare: Path) -> None:
    with pytest.raises(FixInput, match="takes the train data"):
        build_base(read_skill(bare), "train", SpecRequest(data={"train": "/d"}))


def test_data_goes_by_the_inputs_where_there_is_no_table(bare: Path) -> None:
    (bare / "references").mkdir()
    (bare / "references" / "skill_info.yaml").write_text(
        "actions: {train: {inputs: "
        "{train.train_dir: {type: folder}, train.val_dir: {type: folder}}}}"
    )
    base = build_base(read_skill(bare), "train", SpecRequest(data={"train": "/t", "val": "/v"}))
    assert get(base.tree, "train.train_dir") == "/t"
    assert get(base.tree, "train.val_dir") == "/v"


def test_parameters_leave_the_base_alone(skill: Skill) -> None:
    base = build_base(skill, "train", SpecRequest()).tree
    spec = with_params(base, {"train.optim.lr": 0.5, "train.optim.lr_steps": [1, 2]})
    assert get(spec, "train.optim.lr_steps") == [1, 2]
    assert get(base, "train.optim.lr") == 6e-5


def test_a_fresh_attempt_clears_an_old_checkpoint(skill: Skill, tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text("train: {resume_training_checkpoint_path: /old.pth}", encoding="utf-8")
    base = build_base(skill, "train", SpecRequest(spec_file=file))
    assert get(base.tree, "train.resume_training_checkpoint_path") == "/old.pth"
    spec = for_attempt(base.rules, base.tree, {}, tmp_path)
    assert get(spec, "train.resume_training_checkpoint_path") == ""


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ('num_epochs: "4"', "train.num_epochs", 4),
        ("num_epochs: 4", "train.num_epochs", 4),
        ("is_dry_run: no", "train.is_dry_run", False),
        ("is_dry_run: 1", "train.is_dry_run", True),
        ('clip_grad_val: "1e2"', "train.clip_grad_val", 100.0),
        ('optim: {lr_steps: ["2", 3]}', "train.optim.lr_steps", [2, 3]),
        ("pretrained_model_path: 7", "train.pretrained_model_path", "7"),
    ],
)
def test_a_spec_file_is_read_as_the_training_reads_it(
    tmp_path: Path, line: str, key: str, value: Any
) -> None:
    """Text for a number, YAML 1.1's words for a switch: each setting has its type afterwards."""
    file = tmp_path / "spec.yaml"
    file.write_text(f"train: {{{line}}}\n")
    base = build_base(read_skill(own_skill_dir()), "train", SpecRequest(spec_file=file))
    found = get(base.tree, key)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "line",
    [
        'num_epochs: "4.5"',
        "num_epochs: 4.5",
        f"num_epochs: {10**400}",
        "num_epochs: [1]",
        "is_dry_run: maybe",
        'optim: {lr_steps: ["x"]}',
        "optim: {lr: .inf}",
    ],
)
def test_a_spec_file_that_no_training_reads_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(f"train: {{{line}}}\n")
    with pytest.raises(FixInput):
        build_base(read_skill(own_skill_dir()), "train", SpecRequest(spec_file=file))
