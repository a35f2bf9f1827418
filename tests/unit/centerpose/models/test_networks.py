"""The networks: their size, their answers, and the parts that have a formula."""

import pytest
import torch
from torch.nn import functional

from automl.centerpose.config.model import Backbone, Model
from automl.centerpose.models.build import BUILDERS, build_network
from automl.centerpose.models.dla import DLA34
from automl.centerpose.models.gru import HEAD_STEP, ConvGRU
from automl.centerpose.models.heads import HEADS
from automl.centerpose.models.nano import Nano
from automl.centerpose.models.upsample import Upsample


def n_parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_dla34_has_the_containers_size_without_the_shortcuts_that_it_never_uses() -> None:
    idle = sum(before * after + 2 * after for before, after in ((64, 128), (128, 256)))
    network = DLA34(256, use_gru=True)
    statistics = sum(buffer.numel() for buffer in network.buffers())
    assert n_parameters(network) == pytest.approx(19.80e6, abs=5e3)
    assert n_parameters(network) + idle + statistics == pytest.approx(19.86e6, abs=5e3)


def test_nano_is_small() -> None:
    assert 0.25e6 < n_parameters(Nano()) < 0.4e6


QUICK = ("DLA34", "fan_small", "nano")  # the other two differ in numbers only


def built(name: str, *, use_gru: bool = True, device: str = "cpu") -> torch.nn.Module:
    """On the device ``meta`` it has shapes but no numbers."""
    with torch.device(device):
        return build_network(Model(use_conv_gru=use_gru, backbone=Backbone(model_type=name)))


@pytest.mark.parametrize("name", sorted(BUILDERS))
@pytest.mark.parametrize("use_gru", [True, False])
def test_every_network_answers_with_all_heads_at_a_quarter_of_the_input(
    name: str, use_gru: bool
) -> None:
    network = built(name, use_gru=use_gru, device="meta").requires_grad_(False)
    maps = network.eval()(torch.zeros(2, 3, 64, 96, device="meta"))
    assert {head: tuple(value.shape) for head, value in maps.items()} == {
        head: (2, count, 16, 24) for head, count in HEADS.items()
    }


@pytest.mark.parametrize("use_gru", [True, False])
@pytest.mark.parametrize("name", QUICK)
def test_every_parameter_takes_part(name: str, use_gru: bool) -> None:
    torch.manual_seed(0)
    network = built(name, use_gru=use_gru)
    maps = network(torch.randn(2, 3, 64, 64))
    torch.stack([value.square().sum() for value in maps.values()]).sum().backward()  # type: ignore[no-untyped-call]
    idle = [key for key, value in network.named_parameters() if value.grad is None]
    assert idle == []


@pytest.mark.parametrize("name", QUICK)
def test_heatmaps_start_out_calling_peaks_rare(name: str) -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        maps = built(name)(torch.randn(2, 3, 64, 64))
    for head in ("hm", "hm_hp"):
        assert 0.02 < maps[head].sigmoid().mean().item() < 0.3


@pytest.mark.parametrize("use_gru", [True, False])
@pytest.mark.parametrize("name", QUICK)
def test_a_state_dict_makes_an_equal_network(name: str, use_gru: bool) -> None:
    one, two = built(name, use_gru=use_gru).eval(), built(name, use_gru=use_gru).eval()
    two.load_state_dict(one.state_dict())
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(one(image), two(image), rtol=0, atol=0)


def test_an_unknown_backbone_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotImplementedError, match=r"fan_small.*DLA34, nano.*fan_tiny"):
        built("fan_tiny")


def test_the_gru_follows_its_formula() -> None:
    torch.manual_seed(1)
    cell = ConvGRU(3, 5)
    x = torch.randn(2, 3, 6, 7)
    h = torch.zeros(2, 5, 6, 7)
    expected = []
    w, u = torch.split(cell.of_input.weight, 5), torch.split(cell.of_hidden.weight, 5)
    bias_w = cell.of_input.bias
    assert bias_w is not None
    for _ in range(3):
        at = [functional.conv2d(x, w[k], bias_w[5 * k : 5 * k + 5], padding=1) for k in range(3)]
        of = [functional.conv2d(h, u[k], padding=1) for k in range(3)]
        reset, update = torch.sigmoid(at[0] + of[0]), torch.sigmoid(at[1] + of[1])
        h = (1 - update) * torch.tanh(at[2] + reset * of[2]) + update * h
        expected.append(h)
    for found, wanted in zip(cell(x), expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_every_head_reads_one_of_the_three_states() -> None:
    assert HEAD_STEP.keys() == HEADS.keys()
    assert set(HEAD_STEP.values()) == {0, 1, 2}


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_upsampling_starts_out_bilinear(factor: int) -> None:
    x = torch.randn(1, 2, 6, 6)
    found = Upsample(2, factor)(x)
    wanted = functional.interpolate(x, scale_factor=float(factor), mode="bilinear")
    inner = slice(factor, -factor)  # at the border one of them pads with zeros
    torch.testing.assert_close(found[..., inner, inner], wanted[..., inner, inner])
