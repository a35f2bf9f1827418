"""Constructs of skills that were published after those that this program was written against."""

import json
from pathlib import Path
from typing import Any

import pytest

from automl.app.act import plan_action
from automl.app.action_request import ActRequest
from automl.app.plan import Plan, make_plan
from automl.app.request import PlanRequest
from automl.app.trainer_choice import container_preview
from automl.errors import FixInput
from automl.skill.read import read_skill
from automl.skill.tree import get
from automl.trainers.table import trainer_entry
from automl.yamltext import dump_yaml, load_yaml
from tests.made_skill import LR, WHOLE, leaf, schema_of, write_skill
from tests.unit.app.act_kit import add_checkpoint

SOURCES = "dataset.train_data_sources"
INPUTS = {
    f"{SOURCES}[0].image_dir": {"type": "folder"},
    f"{SOURCES}[0].json_file": {"type": "file"},
}
LEAVES = {
    SOURCES: leaf("list", []),
    "dataset.name": leaf("string", "StereoDataset"),
    "model.weights": leaf("string", "w"),
    "train.num_epochs": WHOLE,
    "train.optim.lr": LR,
    "results_dir": leaf("string", ""),
    "inference.images": leaf("list", []),
    "inference.captions": leaf("list", []),
    "inference.checkpoint": leaf("string", ""),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    info: dict[str, Any] = {
        "network_arch": "dino",
        "container_image": {"policy": "repository_derived", "runtime_input": "image_tag"},
        "actions": {
            "train": {"command": "net train -e {config_path}", "inputs": INPUTS},
            "inference": {
                "command": "net inference -e {config_path}",
                "inputs": {
                    "inference.images": {"type": "folder"},
                    "inference.captions": {"type": "list"},
                },
            },
        },
        "data_sources": {
            "train": {
                f"{SOURCES}[0].image_dir": {
                    "source": "train_datasets",
                    "path": "images.tar.gz",
                    "runtime": "extracted_folder",
                },
                f"{SOURCES}[0].json_file": {"source": "train_datasets", "path": "boxes.jsonl"},
            }
        },
        "spec_params": {
            "train": {"dataset.name": "MonoDataset", "model.weights": "ptm_of_another_kind"},
            "inference": {"inference.checkpoint": "parent_model", "results_dir": "output_dir"},
        },
    }
    made = write_skill(tmp_path / "skill", info, schema_of(LEAVES, ("train.optim.lr",)))
    schema = (made / "schemas" / "train.schema.json").read_text()
    (made / "schemas" / "inference.schema.json").write_text(schema)
    return made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "set"
    (path / "images").mkdir(parents=True)
    (path / "boxes.jsonl").write_text("{}\n")
    return path


def planned(folder: Path, tmp_path: Path, **flags: Any) -> Plan:
    given = {"skill_dir": str(folder), "trainer": "scripted", "policy": "off", **flags}
    return make_plan(PlanRequest(given, studies_dir=tmp_path / "studies"))


def test_an_image_that_is_left_to_the_run_is_none_and_asked_for(
    folder: Path, data: Path, tmp_path: Path
) -> None:
    assert read_skill(folder).container_image == ""
    flags = {"trainer": "docker", "train_data": str(data)}
    options = planned(folder, tmp_path, **flags).config.trainer_options
    assert "needs --image" in trainer_entry("docker").remark(options)
    options = planned(folder, tmp_path, image="net:1", **flags).config.trainer_options
    assert trainer_entry("docker").remark(options) == ""


def test_the_entries_of_an_empty_list_are_made_for_a_split(
    folder: Path, data: Path, tmp_path: Path
) -> None:
    spec = planned(folder, tmp_path, train_data=str(data)).base_spec
    assert get(spec, SOURCES) == [
        {"image_dir": str(data / "images"), "json_file": str(data / "boxes.jsonl")}
    ]


def test_the_name_of_a_class_is_a_value_and_a_function_s_is_not(
    folder: Path, data: Path, tmp_path: Path
) -> None:
    made = planned(folder, tmp_path, train_data=str(data))
    assert get(made.base_spec, "dataset.name") == "MonoDataset"
    assert get(made.base_spec, "model.weights") == "w"
    assert any("ptm_of_another_kind" in note for note in made.notes)


def test_an_input_that_is_no_path_is_asked_for_as_a_value(
    folder: Path, data: Path, tmp_path: Path
) -> None:
    def asked(*overrides: str) -> ActRequest:
        return ActRequest(
            "inference",
            tmp_path / "studies",
            skill_dir=folder,
            checkpoint=str(add_checkpoint(tmp_path, 0, 1)),
            inputs=(f"inference.images={data / 'images'}",),
            overrides=overrides,
            trainer="docker",
            image="net:1",
        )

    with pytest.raises(FixInput, match=r"give it with --set 'inference\.captions=VALUE'"):
        plan_action(asked())
    tree = plan_action(asked("inference.captions=[a cat]")).spec.tree
    assert get(tree, "inference.images") == [str(data / "images")]


def test_an_engine_is_built_by_an_action_of_the_skill_in_its_own_image(
    folder: Path, tmp_path: Path
) -> None:
    path = folder / "references" / "skill_info.yaml"
    info = load_yaml(path)
    info["actions"]["gen_trt_engine"] = {
        "command": "net gen_trt_engine -e {config_path}",
        "container_image": "registry/net-deploy:1",
        "inputs": {"gen_trt_engine.onnx_file": {"type": "file"}},
    }
    info["spec_params"]["gen_trt_engine"] = {
        "gen_trt_engine.onnx_file": "parent_model",
        "gen_trt_engine.trt_engine": "create_engine_file",
    }
    path.write_text(dump_yaml(info))
    leaves = {f"gen_trt_engine.{name}": leaf("string", "") for name in ("onnx_file", "trt_engine")}
    schema = json.dumps(schema_of({"results_dir": leaf("string", ""), **leaves}))
    (folder / "schemas" / "gen_trt_engine.schema.json").write_text(schema)
    model = tmp_path / "model.onnx"
    model.write_bytes(b"\x08onnx")
    for image, expected in (("", "registry/net-deploy:1"), ("mine:2", "mine:2")):
        plan = plan_action(
            ActRequest(
                "gen_trt_engine",
                tmp_path / "studies",
                skill_dir=folder,
                checkpoint=str(model),
                trainer="docker",
                image=image,
            )
        )
        assert plan.preview.image == expected
        assert get(plan.spec.tree, "gen_trt_engine.onnx_file") == str(model)
        assert str(get(plan.spec.tree, "gen_trt_engine.trt_engine")).endswith(".engine")


def test_a_plan_shows_the_arguments_that_are_bound_at_the_start(tmp_path: Path) -> None:
    """The results folder of a trial is one of its arguments."""
    args = {"--lr": "train.optim.lr", "--out": "results_dir"}
    info = {
        "network_arch": "args_net",
        "container_image": "registry/net:1",
        "actions": {"train": {"command": "net train", "mode": "args", "args": args}},
    }
    leaves = {"train.optim.lr": LR, "train.num_epochs": WHOLE, "results_dir": leaf("string", "")}
    folder = write_skill(tmp_path / "skill", info, schema_of(leaves, ("train.optim.lr",)))
    made = planned(folder, tmp_path, trainer="docker", metric="acc", direction="maximize")
    shown = container_preview(made.config, made.skill, made.base_spec, made.studies_dir)
    assert shown.endswith("net train --lr 0.001 --out /results")
