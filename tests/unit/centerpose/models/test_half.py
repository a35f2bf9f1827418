"""Weights cast all at once, against weights cast one by one."""

from collections.abc import Mapping
from typing import cast

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from automl.centerpose.config.model import Backbone, Model
from automl.centerpose.models.build import build_network
from automl.centerpose.models.half import _CastAll, _once_used, passed

ON_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def _network() -> nn.Module:
    torch.manual_seed(0)
    return build_network(Model(backbone=Backbone(model_type="DLA34")))


def _gradients(network: nn.Module, outputs: Mapping[str, Tensor]) -> list[Tensor]:
    loss = torch.stack([value.float().square().mean() for value in outputs.values()]).sum()
    return list(torch.autograd.grad(loss, list(network.parameters())))


def test_every_weight_gets_the_gradient_that_it_would_get_alone() -> None:
    network, image = _network(), torch.randn(1, 3, 64, 64)
    wanted = _gradients(network, network(image))
    weights = _once_used(network)
    same = dict(zip(weights, _CastAll.apply(torch.float32, *weights.values()), strict=True))  # type: ignore[no-untyped-call]
    found = _gradients(network, functional_call(network, same, (image,)))
    for one, two in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, two)


def test_weights_whose_gradients_are_summed_up_in_full_are_left_alone() -> None:
    names = set(_once_used(_network()))
    assert "neck.join.node.0.0.weight" in names
    assert not [name for name in names if "stem" in name or "gru" in name or "heads" in name]


def test_a_weight_that_is_not_learnt_asks_for_no_gradient() -> None:
    one, two = torch.randn(3, requires_grad=True), torch.randn(2)
    halves = cast("tuple[Tensor, Tensor]", _CastAll.apply(torch.bfloat16, one, two))  # type: ignore[no-untyped-call]
    assert [each.dtype for each in halves] == [torch.bfloat16] * 2
    (found,) = torch.autograd.grad(halves[0].sum(), [one])
    assert found.dtype == torch.float32
    assert torch.equal(found, torch.ones(3))


@pytest.mark.gpu
@ON_GPU
def test_at_mixed_precision_it_computes_what_the_network_computes() -> None:
    network = _network().cuda()
    image = torch.randn(2, 3, 64, 64, device="cuda").contiguous(memory_format=torch.channels_last)
    with torch.autocast("cuda", dtype=torch.bfloat16):
        found, wanted = passed(network, image), network(image)
    for name, value in wanted.items():
        assert torch.equal(found[name], value)
    pairs = zip(_gradients(network, found), _gradients(network, wanted), strict=True)
    for one, two in pairs:
        assert (one - two).norm() <= 1e-2 * two.norm() + 1e-6
