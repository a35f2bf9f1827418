"""The FAN networks: published sizes, and the parts that have a formula."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from automl.centerpose.models.attention import ClassBlock, FanBlock
from automl.centerpose.models.convnext import ConvNeXtBlock
from automl.centerpose.models.fan import FAN, SIZES, FanBackbone, FanSize
from automl.centerpose.session.tao_weights import to_tao

MILLIONS = {"fan_small": 33.46, "fan_base": 58.27, "fan_large": 84.88}
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
TINY = FanSize(stages=(1, 1), width=16, depth=2, tap=2, heads=2)


@pytest.mark.parametrize("name", sorted(SIZES))
def test_sizes_are_the_containers_to_one_in_a_thousand(name: str) -> None:
    with torch.device("meta"):
        network = FAN(SIZES[name], 256, use_gru=True)
    theirs = to_tao(network.state_dict())
    numbers = sum(w.numel() for n, w in theirs.items() if not n.endswith(STATISTICS))
    assert numbers == pytest.approx(MILLIONS[name] * 1e6, rel=1e-3)


@pytest.mark.parametrize("name", sorted(SIZES))
def test_the_pyramid_has_the_containers_shapes(name: str) -> None:
    with torch.device("meta"):
        backbone = FanBackbone(SIZES[name]).requires_grad_(False)
    maps = backbone.eval()(torch.zeros(1, 3, 512, 512, device="meta"))
    assert [tuple(x.shape[1:]) for x in maps] == [
        (128, 128, 128),
        (256, 64, 64),
        ({"fan_small": 384, "fan_base": 448, "fan_large": 480}[name], 32, 32),
        (768, 16, 16),
    ]


def test_the_map_at_stride_16_is_that_of_the_published_block() -> None:
    """Of fan_large three more blocks follow, which reach the map at stride 32 alone."""
    assert {name: (size.tap, size.depth) for name, size in SIZES.items()} == {
        "fan_small": (10, 10),
        "fan_base": (16, 16),
        "fan_large": (19, 22),
    }
    torch.manual_seed(10)
    backbone = FanBackbone(replace(TINY, tap=1)).eval()
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        before = backbone(image)
        for parameter in backbone.stage16[1].parameters():
            parameter.add_(1.0)
        after = backbone(image)
    assert torch.equal(before[2], after[2])
    assert not torch.allclose(before[3], after[3])


@pytest.mark.parametrize("size", [(32, 32), (96, 160)])
def test_the_layout_of_the_input_changes_nothing(size: tuple[int, int]) -> None:
    torch.manual_seed(2)
    network = FAN(TINY, 32, use_gru=True).eval()
    image = torch.randn(2, 3, *size)
    with torch.no_grad():
        plain = network(image)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        last = network(image.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(plain, last, rtol=1e-4, atol=1e-4)


def test_bf16_answers_as_fp32_does_and_its_gradients_are_finite() -> None:
    torch.manual_seed(3)
    network = FAN(TINY, 32, use_gru=True).eval()
    image = torch.randn(2, 3, 64, 64)
    exact = network(image)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = network(image)
    for head, value in exact.items():
        torch.testing.assert_close(rough[head].float(), value, rtol=0.1, atol=0.1)
    torch.stack([value.float().square().mean() for value in rough.values()]).sum().backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_every_token_sees_the_whole_image() -> None:
    torch.manual_seed(4)
    backbone = FanBackbone(TINY).eval()
    image = torch.randn(1, 3, 128, 128)
    other = image.clone()
    other[..., 112:, 112:] += 1.0
    with torch.no_grad():
        change = (backbone(image)[2] - backbone(other)[2]).abs().amax(dim=1)
    assert change[0, 0, 0].item() > 1e-6


def in_order(block: FanBlock, x: Tensor) -> Tensor:
    """Both attentions of a block written out token by token and channel by channel."""
    b, h, w, c = x.shape
    heads, size, n = 2, c // 2, h * w
    tokens = block.norm_tokens(x).reshape(b, n, c)
    joint = block.tokens.query_key_value(tokens)
    query, key, value = (part.reshape(b, n, heads, size) for part in joint.split(c, dim=-1))
    scores = torch.einsum("bnks,bmks->bknm", query, key) / math.sqrt(size)
    mixed = torch.einsum("bknm,bmks->bnks", scores.softmax(-1), value).reshape(b, h, w, c)
    x = x + block.scale_tokens * block.tokens.project(mixed)

    part = block.channels
    normed = block.norm_channels(x)
    flat, asked = normed.reshape(b, n, c), part.query(normed).reshape(b, n, c)
    answer = part.norm(part.mlp(normed))
    out = x.clone()
    for channel in range(c):
        head = channel // size
        mine = slice(head * size, (head + 1) * size)
        prototype = flat[..., mine].softmax(dim=1).mean(dim=-1)  # (b, n)
        agreement = (asked[..., channel].softmax(dim=1) * prototype).sum(dim=1)
        weight = torch.sigmoid(agreement) * part.temperature[head]
        out[..., channel] += (
            block.scale_channels[channel] * weight[:, None, None] * answer[..., channel]
        )
    return out


def test_an_attention_block_follows_its_formula() -> None:
    torch.manual_seed(5)
    block = FanBlock(8, 2, drop=0.3).eval()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        x = 3.0 * torch.randn(2, 3, 4, 8)
        torch.testing.assert_close(block(x), in_order(block, x))


def test_a_convnext_block_starts_as_almost_nothing() -> None:
    block = ConvNeXtBlock(8)
    x = torch.randn(1, 8, 9, 9)
    torch.testing.assert_close(block(x), x, rtol=0, atol=1e-4)
    assert not torch.equal(block(x), x)


def test_a_class_block_leaves_two_normalisations_of_each_token() -> None:
    torch.manual_seed(6)
    block = ClassBlock(8)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        x = torch.randn(1, 2, 3, 8)
        normed = functional.layer_norm(x, [8], block.norm.weight, block.norm.bias, 1e-6)
        again = block.norm_again
        wanted = functional.layer_norm(
            x + block.scale * normed, [8], again.weight, again.bias, 1e-6
        )
        torch.testing.assert_close(block(x), 2.0 * wanted)


def test_stochastic_depth_leaves_branches_out_but_keeps_their_mean() -> None:
    torch.manual_seed(7)
    block = FanBlock(8, 2, drop=0.25)
    kept = block._thinned(torch.ones(4000, 1, 1, 8))[:, 0, 0]
    assert {round(value, 4) for value in kept.flatten().tolist()} == {0.0, 1.3333}
    assert (kept.amin(dim=1) == kept.amax(dim=1)).all()
    assert kept.mean().item() == pytest.approx(1.0, abs=0.05)
    assert torch.equal(block.eval()._thinned(torch.ones(4, 1, 1, 8)), torch.ones(4, 1, 1, 8))


def test_gradient_checkpointing_changes_neither_gradients_nor_statistics() -> None:
    torch.manual_seed(8)
    plain, thrifty = FanBackbone(TINY), FanBackbone(TINY)
    thrifty.load_state_dict(plain.state_dict())
    thrifty.checkpointing = True
    image = torch.randn(3, 3, 64, 64)
    for backbone in (plain, thrifty):
        torch.manual_seed(9)  # the same images are left out of the same branches
        torch.stack([x.square().sum() for x in backbone(image)]).sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(plain.state_dict(), thrifty.state_dict(), rtol=0, atol=0)
    gradients = [{n: p.grad for n, p in each.named_parameters()} for each in (plain, thrifty)]
    torch.testing.assert_close(gradients[0], gradients[1])
