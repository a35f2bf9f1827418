"""Depthwise layers by way of channels-last maps, against the layers themselves."""

import pytest
import torch
from torch import nn

from automl.centerpose.models.depthwise import convolved_apart, depthwise

ON_GPU = pytest.param(
    "cuda",
    marks=[
        pytest.mark.gpu,
        pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    ],
)


@pytest.mark.parametrize("device", ["cpu", ON_GPU])
@pytest.mark.parametrize("side", [3, 7])
def test_it_computes_what_the_layer_computes(side: int, device: str) -> None:
    torch.manual_seed(0)
    torch.backends.cudnn.allow_tf32 = False
    layer = nn.Conv2d(24, 24, side, padding=side // 2, groups=24).to(device)
    x = torch.randn(2, 9, 8, 24, device=device, requires_grad=True)
    inputs, by = [x, *layer.parameters()], torch.randn(2, 9, 8, 24, device=device)
    found, wanted = convolved_apart(x, layer), layer(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    pairs = zip(
        [found, *torch.autograd.grad(found, inputs, by)],
        [wanted, *torch.autograd.grad(wanted, inputs, by)],
        strict=True,
    )
    for one, two in pairs:
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4)


@pytest.mark.slow  # torch's compiler is imported with the first operator of one's own
def test_its_gradients_are_those_of_differences() -> None:
    torch.manual_seed(1)
    x = torch.randn(2, 5, 4, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(depthwise, (x, weight))


@pytest.mark.slow
def test_a_compiler_is_told_the_truth_about_it() -> None:
    x, weight = torch.randn(2, 5, 4, 3), torch.randn(3, 1, 3, 3)
    given = (x.requires_grad_(), weight.requires_grad_())
    torch.library.opcheck(depthwise, given, test_utils=("test_schema", "test_faketensor"))
