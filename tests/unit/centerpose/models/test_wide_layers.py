"""Layers computed together, or on folded maps, against the same layers one by one."""

import pytest
import torch
from torch import Tensor, nn

from automl.centerpose.models.blocks import (
    ConvNorm,
    conv_bn,
    conv_bn_relu,
    normalised_and_refolded,
)
from automl.centerpose.models.fold import fold, folded_conv, per_cell
from automl.centerpose.models.gru import HEAD_STEP
from automl.centerpose.models.heads import HEADS, Heads


def gradients(
    outputs: list[Tensor], inputs: list[Tensor], generator: torch.Generator
) -> list[Tensor]:
    """Of a random weighing of the outputs."""
    weights = [torch.randn(out.shape, generator=generator).to(out.dtype) for out in outputs]
    return list(torch.autograd.grad(outputs, inputs, weights))


@pytest.mark.parametrize("normalised", [True, False])
def test_heads_together_answer_as_each_on_its_own(normalised: bool) -> None:
    torch.manual_seed(0)
    heads = Heads(6, 64, normalised=normalised).double()
    maps = [torch.randn(2, 6, 5, 7, dtype=torch.double, requires_grad=True) for _ in range(3)]
    together = heads.answer(maps, HEAD_STEP)
    alone = {name: heads[name](maps[HEAD_STEP[name]]) for name in HEADS}
    assert list(together) == list(HEADS)
    torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-9)
    inputs = [*maps, *heads.parameters()]
    found, wanted = (
        gradients([each[name] for name in HEADS], inputs, torch.Generator().manual_seed(1))
        for each in (together, alone)
    )
    torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("size", "stride"), [(7, 1), (5, 1), (3, 1), (1, 1), (3, 2)])
def test_a_folded_convolution_is_the_convolution(size: int, stride: int) -> None:
    torch.manual_seed(1)
    layer = nn.Conv2d(3, 5, size, stride, padding=size // 2, bias=False).double()
    x = torch.randn(2, 3, 12, 16, dtype=torch.double, requires_grad=True)
    plain = layer(x) if stride == 2 else fold(layer(x), 2)
    folded = folded_conv(fold(x, 2), layer)
    torch.testing.assert_close(folded, plain, rtol=1e-9, atol=1e-9)
    found, wanted = (
        gradients([each], [x, layer.weight], torch.Generator().manual_seed(2))
        for each in (folded, plain)
    )
    torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-8)


def test_what_is_folded_by_four_is_folded_by_two_then() -> None:
    torch.manual_seed(4)
    layer = nn.Conv2d(3, 5, 7, padding=3, bias=False).double()
    x = torch.randn(2, 3, 16, 24, dtype=torch.double, requires_grad=True)
    norm = nn.BatchNorm2d(5).double()
    plain = fold(norm(layer(x)).relu(), 2)
    folded = normalised_and_refolded(folded_conv(fold(x, 4), layer), norm)
    torch.testing.assert_close(folded, plain, rtol=1e-9, atol=1e-9)
    found, wanted = (
        gradients([each], [x, layer.weight], torch.Generator().manual_seed(2))
        for each in (folded, plain)
    )
    torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-8)


def test_a_folded_map_keeps_its_channels_apart() -> None:
    torch.manual_seed(2)
    norm, x = nn.BatchNorm2d(3).double(), torch.randn(2, 3, 4, 6, dtype=torch.double)
    torch.testing.assert_close(per_cell(fold(x, 2), norm), fold(norm(x), 2))


@pytest.mark.parametrize("block", [conv_bn(4, 4), conv_bn_relu(4, 4)])
def test_a_shortcut_is_added_before_the_relu(block: ConvNorm) -> None:
    torch.manual_seed(3)
    x, shortcut = torch.randn(2, 4, 5, 5), torch.randn(2, 4, 5, 5)
    wanted = torch.relu(block[1](block[0](x)) + shortcut)
    torch.testing.assert_close(block(x, shortcut), wanted)
