"""Weights that a training begins with: what is read, what is said, what is refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.config.load import load_spec
from automl.centerpose.models.fan import FAN, FanSize
from automl.centerpose.session.tao_weights import to_tao
from automl.centerpose.training.pretrained import load_pretrained, read_weights
from automl.errors import FixInput

TINY = FanSize(stages=(1, 1), width=16, depth=1, tap=1, heads=2)


def network() -> FAN:
    return FAN(TINY, 32, use_gru=False)


def spec(*, whole: Path | str = "", backbone: Path | str = "") -> Experiment:
    tree: dict[str, Any] = {
        "train": {"pretrained_model_path": str(whole)},
        "model": {"backbone": {"pretrained_backbone_path": str(backbone)}},
    }
    return load_spec(tree, "train")


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def assert_equal(one: nn.Module, two: nn.Module) -> None:
    torch.testing.assert_close(one.state_dict(), two.state_dict(), rtol=0, atol=0)


def under(prefix: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in weights.items()}


@pytest.mark.parametrize("prefix", ["", "model.", "module.", "module.model."])
@pytest.mark.parametrize("place", ["", "state_dict", "model"])
def test_a_whole_network_is_loaded_from_any_usual_form(
    prefix: str, place: str, tmp_path: Path
) -> None:
    source, target, log = network(), network(), list[str]()
    weights = under(prefix, source.state_dict())
    path = saved(tmp_path / "w.pt", {place: weights, "epoch": 3} if place else weights)
    load_pretrained(target, spec(whole=path), log.append)
    assert_equal(source, target)
    n = len(source.state_dict())
    assert log == [
        f"train.pretrained_model_path: {n} layers matched, 0 missing, 0 unexpected ({path})"
    ]


def test_a_backbone_is_loaded_alone(tmp_path: Path) -> None:
    source, target, log = network(), network(), list[str]()
    neck = {name: value.clone() for name, value in target.neck.state_dict().items()}
    path = saved(tmp_path / "backbone.pth", source.backbone.state_dict())
    load_pretrained(target, spec(backbone=path), log.append)
    assert_equal(source.backbone, target.backbone)
    torch.testing.assert_close(dict(target.neck.state_dict()), neck)
    n = len(source.backbone.state_dict())
    assert f"{n} layers matched, 0 missing, 0 unexpected (" in log[0]


def test_a_backbone_is_taken_out_of_a_whole_checkpoint(tmp_path: Path) -> None:
    source, target, log = network(), network(), list[str]()
    weights = under("model.", source.state_dict())
    path = saved(tmp_path / "model.pth", {"state_dict": weights})
    load_pretrained(target, spec(backbone=path), log.append)
    assert_equal(source.backbone, target.backbone)
    rest = len(weights) - len(source.backbone.state_dict())
    assert f"{rest} of other parts of the network left out" in log[0]


def test_a_whole_network_goes_before_a_backbone(tmp_path: Path) -> None:
    source, target, log = network(), network(), list[str]()
    path = saved(tmp_path / "model.pth", source.state_dict())
    load_pretrained(target, spec(whole=path, backbone="/nonexistent.pth"), log.append)
    assert_equal(source, target)
    assert len(log) == 1


def test_with_nothing_named_nothing_changes() -> None:
    target, log = network(), list[str]()
    before = {name: value.clone() for name, value in target.state_dict().items()}
    load_pretrained(target, spec(), log.append)
    torch.testing.assert_close(dict(target.state_dict()), before)
    assert log == []


@pytest.mark.parametrize("kind", ["whole", "backbone"])
def test_layers_that_do_not_fit_are_named_and_nothing_is_loaded(kind: str, tmp_path: Path) -> None:
    target = network()
    before = {name: value.clone() for name, value in target.state_dict().items()}
    whole = kind == "whole"
    given = dict((network() if whole else network().backbone).state_dict())
    prefix = "backbone." if whole else ""
    given["classifier.weight"] = torch.zeros(3)
    given[f"{prefix}last.bias"] = torch.zeros(5)
    del given[f"{prefix}embed.bias"]
    path = saved(tmp_path / "w.pth", given)
    with pytest.raises(FixInput) as error:
        load_pretrained(target, spec(**{kind: path}), lambda _: None)
    text = str(error.value)
    assert f"{len(given) - 2} layers matched" in text
    assert f"1 layers missing: {prefix}embed.bias" in text
    assert "1 layers unexpected: classifier.weight" in text
    assert f"{prefix}last.bias (5,) instead of (768,)" in text
    assert str(path) in text
    torch.testing.assert_close(dict(target.state_dict()), before)


@pytest.mark.parametrize("content", [[1], {}, {"a": 1}, {"state_dict": {"a": 1.0}}, {1: 2}])
def test_what_is_no_state_dict_is_refused(content: object, tmp_path: Path) -> None:
    with pytest.raises(FixInput, match=r"must be a state dict.*w\.pth"):
        read_weights(saved(tmp_path / "w.pth", content))


def test_a_pickled_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixInput, match="hold plain tensors"):
        read_weights(saved(tmp_path / "w.pth", nn.Linear(2, 2)))


def test_the_containers_weights_are_loaded_by_its_names(tmp_path: Path) -> None:
    source, target, log = network(), network(), list[str]()
    theirs = under("model.", to_tao(source.state_dict()))
    load_pretrained(
        target, spec(whole=saved(tmp_path / "w.pth", {"state_dict": theirs})), log.append
    )
    assert_equal(source, target)


def test_a_backbone_published_for_imagenet_leaves_the_pyramid_as_it_was(tmp_path: Path) -> None:
    source, target, log = network(), network(), list[str]()
    before = {name: value.clone() for name, value in target.backbone.last.state_dict().items()}
    published = {
        name.removeprefix("base."): value
        for name, value in to_tao(source.state_dict()).items()
        if name.startswith("base.") and "out_norm" not in name and "learnable" not in name
    }
    published["head.weight"] = torch.zeros(1000, 16)
    load_pretrained(target, spec(backbone=saved(tmp_path / "fan.pth", published)), log.append)
    assert_equal(source.backbone.stage16, target.backbone.stage16)
    torch.testing.assert_close(dict(target.backbone.last.state_dict()), before)
    assert "10 that no published file has begin anew" in log[0]


def test_an_encrypted_file_is_refused_by_name(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.pth", {"state_dict": {}, "state_dict_encrypted": True})
    with pytest.raises(FixInput, match=r"one that TAO encrypted \(.*w\.pth"):
        read_weights(path)
