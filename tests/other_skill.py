"""A skill of another network, as small as one can be: a program ``dino`` and lists of data."""

import json
from pathlib import Path

__all__ = ["write_other_skill"]

_FILES = {
    "references/skill_info.yaml": """
name: tao-train-dino
network_arch: dino
automl_enabled: true
container_image: tao_toolkit.pyt
gpu_spec_key: train.num_gpus
actions:
  train:
    command: dino train -e {config_path}
    inputs:
      dataset.train_data_sources[0].image_dir: {type: file}
      dataset.val_data_sources[0].image_dir: {type: file}
""",
    "references/spec_template_train.yaml": """
dataset: {train_data_sources: [{image_dir: ''}], val_data_sources: [{image_dir: ''}]}
train: {num_epochs: 12, num_gpus: 1, optim: {lr: 2.0e-4}}
""",
}


def write_other_skill(folder: Path) -> Path:
    """Writes the skill; returns its folder."""
    for name, text in (_FILES | {"schemas/train.schema.json": json.dumps(_schema())}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _schema() -> dict[str, object]:
    rate = {"type": "float", "default": 2e-4, "minimum": 0.0, "maximum": 1.0}
    group = {"type": "collection", "properties": {"lr": rate}}
    whole = {"type": "int", "minimum": 1}
    train = {"optim": group, "num_epochs": {**whole, "default": 12}, "num_gpus": whole}
    listed = {"type": "list", "default": [{"image_dir": ""}]}
    sources = {"train_data_sources": listed, "val_data_sources": listed}
    return {
        "automl_default_parameters": ["train.optim.lr"],
        "properties": {
            "dataset": {"type": "collection", "properties": sources},
            "train": {"type": "collection", "properties": train},
        },
    }
