"""What is refused before anything starts, and which terms of the loss a spec asks for."""

from typing import Any

import pytest

from automl.centerpose.config.load import load_spec
from automl.centerpose.training.losses import LossForm, LossWeights
from automl.centerpose.training.supported import check_supported, loss_form, loss_weights


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dataset.num_classes", 2),
        ("dataset.num_joints", 9),
        ("dataset.input_res", 500),
        ("dataset.output_res", 64),
        ("dataset.hps_uncertainty", True),
        ("dataset.obj_scale_uncertainty", True),
        ("dataset.aug_rot", 1),
        ("model.down_ratio", 2),
        ("model.final_kernel", 3),
        ("model.last_level", 4),
        ("model.use_pretrained", True),
        ("train.gpu_ids", [1, 1]),
        ("train.num_nodes", 2),
        ("train.precision", "fp8"),
        ("train.loss_config.use_residual", True),
    ],
)
def test_what_cannot_work_is_refused_by_its_key(key: str, value: Any) -> None:
    tree: dict[str, Any] = {}
    here = tree
    *way, last = key.split(".")
    for part in way:
        here = here.setdefault(part, {})
    here[last] = value
    with pytest.raises(NotImplementedError, match=key):
        check_supported(load_spec(tree, "train"))


def test_all_that_stands_in_the_way_is_said_at_once() -> None:
    tree = {"dataset": {"num_classes": 2, "aug_rot": 1}}
    with pytest.raises(NotImplementedError, match=r"num_classes.*aug_rot"):
        check_supported(load_spec(tree, "train"))


@pytest.mark.parametrize(
    "files",
    [
        {"model": {"backbone": {"pretrained_backbone_path": "fan.pth"}}},
        {"train": {"pretrained_model_path": "whole.pth"}},
    ],
)
def test_pretrained_weights_need_a_file(files: dict[str, Any]) -> None:
    files["model"] = {"use_pretrained": True} | files.get("model", {})
    check_supported(load_spec(files, "train"))


def test_nano_has_no_backbone_to_fill() -> None:
    backbone = {"model_type": "nano", "pretrained_backbone_path": "n.pth"}
    with pytest.raises(NotImplementedError, match=r"pretrained_backbone_path must be empty"):
        check_supported(load_spec({"model": {"backbone": backbone}}, "train"))


def test_the_defaults_are_supported_with_the_containers_weights() -> None:
    spec = load_spec({}, "train")
    check_supported(spec)
    assert loss_weights(spec) == LossWeights(1, 1, 0.1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("loss", "data", "off"),
    [
        ({"reg_bbox": False}, {}, {"wh"}),
        ({}, {"reg_bbox": False}, {"wh"}),
        ({"wh_weight": 0.0}, {}, {"wh"}),
        ({"reg_offset": False}, {}, {"offset"}),
        ({"off_weight": 0}, {}, {"offset", "hp_offset"}),
        ({"hm_hp": False}, {}, {"hm_hp", "hp_offset"}),
        ({}, {"hm_hp": False}, {"hm_hp", "hp_offset"}),
        ({"reg_hp_offset": False}, {}, {"hp_offset"}),
        ({"obj_scale": False}, {}, {"scale"}),
        ({"hp_weight": 0}, {}, {"hps"}),
    ],
)
def test_switches_and_zero_weights_turn_terms_off(
    loss: dict[str, Any], data: dict[str, Any], off: set[str]
) -> None:
    spec = load_spec({"dataset": data, "train": {"loss_config": loss}}, "train")
    weights = loss_weights(spec)
    assert {name for name in LossWeights.__slots__ if not getattr(weights, name)} == off


@pytest.mark.parametrize("block", ["dataset", "loss"])
@pytest.mark.parametrize(("switch", "field"), [("mse_loss", "squared"), ("dense_hp", "dense")])
def test_either_block_switches_a_formula(block: str, switch: str, field: str) -> None:
    assert loss_form(load_spec({}, "train")) == LossForm()
    on = {switch: True}
    tree = {"dataset": on} if block == "dataset" else {"train": {"loss_config": on}}
    form = loss_form(load_spec(tree, "train"))
    assert [name for name in LossForm.__slots__ if getattr(form, name)] == [field]
