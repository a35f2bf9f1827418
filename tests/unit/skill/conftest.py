import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

INF = float("inf")

# Everything that a TAO schema may hold, once.
VOCABULARY: dict[str, Any] = {
    "automl_default_parameters": ["train.optim.lr", "model.kernel"],
    "automl_disabled_parameters": ["train", "train.gpu_ids"],
    "default": {"train": {"gpu_ids": [0, 1], "extra": {"deep": 1}}},
    "popular": {"train": {"num_epochs": 10}},
    "required": ["model"],
    "properties": {
        "automl_disabled_parameters": ["train", "model"],
        "name": {"default": None, "type": "string", "title": " Name ", "description": "a\n   b"},
        "train": {
            "automl_enabled": False,
            "popular": ["num_epochs"],
            "required": ["num_epochs"],
            "properties": {
                "num_epochs": {
                    "default": 10,
                    "maximum": INF,
                    "minimum": 1,
                    "popular": True,
                    "type": "int",
                    "parent_param": "TRUE",
                },
                "gpu_ids": {"automl_enabled": False, "default": [0], "type": "list"},
                "optim": {
                    "automl_default_parameters": ["train.optim.lr"],
                    "properties": {
                        "lr": {
                            "automl_enabled": True,
                            "default": 1e-4,
                            "math_cond": "> 0.0",
                            "maximum": INF,
                            "minimum": 0.0,
                            "type": "float",
                        },
                        "warmup": {
                            "anyOf": [{"type": "integer"}, {"type": "number"}],
                            "default": 0,
                            "depends_on": "train.num_epochs",
                            "math_cond": "/ 2",
                        },
                        "betas": {
                            "default": [0.9, 0.999],
                            "minimum": [0.0, 0.0],
                            "maximum": [1.0, 1.0],
                            "type": "list_2",
                        },
                    },
                    "type": "collection",
                },
                "checkpoint": {"default": "???", "type": "string", "pattern": "^.*pth$"},
            },
            "type": "collection",
        },
        "model": {
            "properties": {
                "kernel": {
                    "default": 4,
                    "enum": [1, 3, 5],
                    "option_weights": [0.2, 0.5, 0.3],
                    "type": "ordered_int",
                },
                "init": {
                    "anyOf": [
                        {"type": "boolean", "enum": ["true", "false"]},
                        {"type": "string", "enum": [" eva ", "orthogonal"]},
                    ],
                    "default": True,
                },
                "overrides": {"automl_enabled": False, "type": "collection"},
                "sources": {
                    "default": [{"path": ""}],
                    "items": {"properties": {"path": {"type": "string"}}},
                    "type": ["array", "null"],
                },
                "untyped": {},
                "two_parents": {"type": "int", "depends_on": ["model.kernel", "train.num_epochs"]},
            },
            "type": "object",
        },
    },
    "type": "object",
    "x_tao_schema": {"action": "train", "network_arch": "toynet"},
}

INFO = """
name: tao-train-toynet
network_arch: toynet
automl_enabled: true
container_image: tao_toolkit.pyt
actions:
  train:
    command: toynet train -e {config_path}
    inputs:
      data.train: {type: folder}
spec_params:
  train: {results_dir: output_dir}
spec_shorthand_keys: {learning_rate: train.optim.lr}
"""


@pytest.fixture
def vocabulary() -> dict[str, Any]:
    return copy.deepcopy(VOCABULARY)


@pytest.fixture
def make_skill(tmp_path: Path) -> Callable[..., Path]:
    """Makes a skill folder; a part given as None is left out."""

    def make(
        *,
        info: str | None = INFO,
        schema: dict[str, Any] | str | None = None,
        template: str | None = "train: {num_epochs: 3}\n",
        more: dict[str, str] | None = None,
    ) -> Path:
        files: dict[str, str | None] = {
            "references/skill_info.yaml": info,
            "schemas/train.schema.json": schema
            if isinstance(schema, str)
            else json.dumps(schema or VOCABULARY),
            "references/spec_template_train.yaml": template,
            **(more or {}),
        }
        folder = tmp_path / "skill"
        folder.mkdir()
        for name, content in files.items():
            if content:
                path = folder / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(content, encoding="utf-8")
        return folder

    return make
