"""Convolutions whose gradients are computed otherwise, against torch's own."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from automl.centerpose.models import convolve
from automl.centerpose.models.convolve import _ByForward, convolved


def test_its_gradients_are_those_of_differences() -> None:
    torch.manual_seed(1)
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(6, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(_ByForward.apply, (x, weight))


def test_an_image_that_asks_for_no_gradient_gets_none() -> None:
    torch.manual_seed(2)
    x, weight = torch.randn(1, 3, 5, 4), torch.randn(2, 3, 3, 3, requires_grad=True)
    own = _ByForward.apply(x, weight)  # type: ignore[no-untyped-call]
    (found,) = torch.autograd.grad(own.square().sum(), [weight])
    wanted = functional.conv2d(x, weight, padding=1)
    torch.testing.assert_close(found, torch.autograd.grad(wanted.square().sum(), [weight])[0])


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2), (7, 1)])
def test_elsewhere_it_is_the_layer(kernel: int, stride: int) -> None:
    torch.manual_seed(3)
    layer = nn.Conv2d(3, 4, kernel, stride, padding=kernel // 2, bias=False)
    x = torch.randn(2, 3, 10, 8)
    assert torch.equal(convolved(x, layer), layer(x))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_large_maps_at_mixed_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(4)
    monkeypatch.setattr(convolve, "_LARGE", 1)
    layer = nn.Conv2d(64, 64, 3, padding=1, bias=False, device="cuda")
    x = torch.randn(2, 64, 20, 24, device="cuda", requires_grad=True)
    with torch.autocast("cuda", dtype=torch.bfloat16):
        found, wanted = convolved(x, layer), layer(x)
    by = torch.randn_like(found)
    one = torch.autograd.grad(found, [x, layer.weight], by)
    two = torch.autograd.grad(wanted, [x, layer.weight], by)
    assert torch.equal(found, wanted)
    for own, plain in zip(one, two, strict=True):
        assert (own - plain).norm() <= 1e-2 * plain.norm()
