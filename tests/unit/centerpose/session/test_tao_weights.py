"""Weights of the container's networks: their names, and what a network answers with them."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from automl.centerpose.models.dla import DLA34
from automl.centerpose.models.fan import FAN, SIZES, FanSize
from automl.centerpose.session.tao_backbones import FanForm
from automl.centerpose.session.tao_names import dla_names, fan_names
from automl.centerpose.session.tao_weights import backbone_of_tao, is_of_tao, of_tao, to_tao
from tests.unit.centerpose.session.published_networks import Published

TINY = FanSize(stages=(1, 2), width=32, depth=3, tap=2, heads=2)
#: Entries of the published state dicts, and their numbers in millions, statistics included.
PUBLISHED = {"DLA34": (405, 19.860), "fan_small": (519, 33.496)}


def stirred(network: nn.Module) -> nn.Module:
    """Every number moved away from where it starts, statistics too."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                noise = 0.1 * torch.randn_like(value)
                value.add_(noise.abs() if name.endswith("running_var") else noise)
    return network


def theirs_of(network: nn.Module) -> dict[str, Tensor]:
    """A state dict of the container's in which every weight is random, those in vain too."""
    found = to_tao(stirred(network).state_dict())
    return {
        name: value + 0.1 * torch.randn_like(value) if not value.any() and value.dim() else value
        for name, value in found.items()
    }


def small_fan(*, use_gru: bool) -> FAN:
    return FAN(TINY, 64, use_gru=use_gru)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_network_has_the_published_entries_and_size(name: str) -> None:
    with torch.device("meta"):
        network = (
            DLA34(256, use_gru=True) if name == "DLA34" else FAN(SIZES[name], 256, use_gru=True)
        )
    found = to_tao(network.state_dict())
    n_entries, millions = PUBLISHED[name]
    assert len(found) == n_entries
    assert sum(value.numel() for value in found.values()) == pytest.approx(millions * 1e6, abs=5e2)


def test_no_name_stands_twice() -> None:
    for names in (dla_names(use_gru=True), fan_names(FanForm((3, 5), 22, 480), use_gru=True)):
        mine = [joint.ours for joint in names.joints]
        theirs = [name for joint in names.joints for name in joint.theirs]
        theirs += [*names.absorbed, *(idle.name for idle in names.idle)]
        assert len(mine) == len(set(mine))
        assert len(theirs) == len(set(theirs))
        assert set(names.absorbed.values()) <= set(mine)


@pytest.mark.parametrize("use_gru", [True, False])
@pytest.mark.parametrize("training", [False, True])
def test_dla34_answers_as_the_containers_does(use_gru: bool, training: bool) -> None:
    torch.manual_seed(1)
    network = DLA34(64, use_gru=use_gru)
    theirs = theirs_of(network)
    network.load_state_dict(of_tao(prefixed(theirs)))
    image = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        wanted = Published(theirs, training).dla(image)
        agree(network.train(training)(image), wanted)


@pytest.mark.parametrize("use_gru", [True, False])
def test_a_fan_answers_as_the_containers_does(use_gru: bool) -> None:
    torch.manual_seed(2)
    network = small_fan(use_gru=use_gru)
    theirs = theirs_of(network)
    network.load_state_dict(of_tao(prefixed(theirs)))
    image = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        wanted = Published(theirs).fan(image, TINY.heads, TINY.depth, TINY.tap)
        agree(network.eval()(image), wanted)


def prefixed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"model.{name}": value for name, value in weights.items()}


def agree(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    assert found.keys() == wanted.keys()
    for head, value in wanted.items():
        torch.testing.assert_close(
            found[head], value, rtol=1e-4, atol=1e-4 * value.abs().max().item()
        )


@pytest.mark.parametrize("use_gru", [True, False])
@pytest.mark.parametrize("kind", ["dla", "fan"])
def test_there_and_back_is_what_it_was_bit_for_bit(kind: str, use_gru: bool) -> None:
    torch.manual_seed(3)
    network = stirred(DLA34(64, use_gru=use_gru) if kind == "dla" else small_fan(use_gru=use_gru))
    own = network.state_dict()
    back = of_tao(to_tao(own))
    assert back.keys() == own.keys()
    assert all(torch.equal(back[name], own[name]) for name in own)


def test_weights_of_ours_are_left_as_they_are() -> None:
    own = DLA34(64, use_gru=True).state_dict()
    assert not is_of_tao(own)
    assert of_tao(own) == dict(own)


def test_what_lacks_and_what_is_too_much_is_still_seen() -> None:
    theirs = to_tao(DLA34(64, use_gru=True).state_dict())
    del theirs["base.level2.tree1.conv1.weight"]
    theirs["base.fc.weight"] = torch.zeros(2)
    found = of_tao(theirs)
    assert "backbone.levels.0.trees.0.first.first.0.weight" not in found
    assert "base.fc.weight" in found


@pytest.mark.parametrize("prefix", ["", "base.", "model.base."])
def test_a_published_backbone_fits_ours(prefix: str) -> None:
    torch.manual_seed(4)
    whole = stirred(DLA34(64, use_gru=False))
    theirs = to_tao(whole.state_dict())
    backbone = {n.removeprefix("base."): w for n, w in theirs.items() if n.startswith("base.")}
    file = {f"{prefix}{name}": value for name, value in backbone.items()}
    found = backbone_of_tao(file | {f"{prefix}fc.weight": torch.zeros(3)})
    own = whole.get_submodule("backbone").state_dict()
    assert found.keys() == own.keys()
    assert all(torch.equal(found[name], own[name]) for name in own)


def test_a_fan_published_for_imagenet_lacks_what_it_never_had() -> None:
    whole = small_fan(use_gru=False)
    theirs = to_tao(whole.state_dict())
    file = {
        name.removeprefix("base."): value
        for name, value in theirs.items()
        if name.startswith("base.") and "out_norm" not in name and "learnable" not in name
    }
    lacking = set(whole.get_submodule("backbone").state_dict()) - set(backbone_of_tao(file))
    assert lacking == {f"norms.{k}.{n}" for k in range(4) for n in ("weight", "bias")} | {
        "last.weight",
        "last.bias",
    }
