"""A network whose settings have other names: plan, screen and record speak of its own."""

import json
from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.keys import NetworkKeys
from automl.study.folder import NewStudy, create_folder, epochs_of, read_config, write_study
from tests.unit.app.kit import MakePlan

INFO = """
name: tao-train-othernet
network_arch: othernet
automl_enabled: true
actions: {train: {command: "othernet train -e {config_path}"}}
"""
DATA = """
train:
  train.images: {source: train_datasets}
  train.held_out: {source: eval_dataset}
"""
PROFILE = "objective: {metric: mAP, direction: maximize}\nkeys: {batch_sizes: [train.rows]}\n"


def leaf(kind: str, default: Any, **more: Any) -> dict[str, Any]:
    return {"type": kind, "default": default, **more}


@pytest.fixture
def skill_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "othernet"
    settings = {
        "epochs": leaf("int", 12, minimum=1),
        "val_interval": leaf("int", 2, minimum=1),
        "rows": leaf("int", 4, minimum=1, maximum=64),
        "images": leaf("string", ""),
        "held_out": leaf("string", ""),
        "lr": leaf("float", 1e-3, minimum=1e-6, maximum=1.0, automl_enabled=True),
    }
    schema = {
        "type": "object",
        "automl_default_parameters": ["train.lr"],
        "properties": {"train": {"type": "collection", "properties": settings}},
    }
    files = {
        "references/skill_info.yaml": INFO,
        "references/search_profile.yaml": PROFILE,
        "references/data_sources.yaml": DATA,
        "references/spec_template_train.yaml": "train: {epochs: 12, val_interval: 2, rows: 4}\n",
        "schemas/train.schema.json": json.dumps(schema),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_its_epochs_are_known_to_plan_and_screen_and_outlive_its_skill(
    plan: MakePlan, skill_dir: Path
) -> None:
    made = plan("--skill-dir", str(skill_dir), "--trainer", "scripted", "--name", "other")
    keys = NetworkKeys(
        epochs="train.epochs",
        validation_interval="train.val_interval",
        batch_sizes=("train.rows",),
        results=("results_dir",),
    )
    assert made.config.keys == keys
    paths = create_folder(made.studies_dir, "other")
    study = NewStudy(made.request, made.config, made.space.to_json(), made.base_spec)
    write_study(paths, study)
    for file in skill_dir.rglob("*.*"):
        file.unlink()
    kept = read_config(paths)
    assert kept.keys == keys
    assert epochs_of(paths, kept.keys.epochs) == 12


def test_an_interval_beyond_its_epochs_is_refused_by_its_own_key(
    plan: MakePlan, skill_dir: Path
) -> None:
    arguments = ("--skill-dir", str(skill_dir), "--trainer", "scripted")
    with pytest.raises(FixInput, match=r"train\.val_interval = 20.*at most train\.epochs"):
        plan(*arguments, "--set", "train.val_interval=20")
