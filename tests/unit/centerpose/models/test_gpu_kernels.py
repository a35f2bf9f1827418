"""This package's own GPU kernels against plain operators of torch in double precision."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.centerpose.models.gru import ConvGRU
from automl.centerpose.models.heads import HEADS, Heads

pytestmark = pytest.mark.gpu
pytest.importorskip("triton", reason="the kernels are Triton's")
if not torch.cuda.is_available():
    pytest.skip("needs a CUDA device", allow_module_level=True)

GPU = torch.device("cuda", 0)


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def random_map(*shape: int) -> Tensor:
    """Far from a mean of zero, where sums of squares lose digits."""
    x = 2.0 * torch.randn(shape, device=GPU) + 3.0
    return x.contiguous(memory_format=torch.channels_last).requires_grad_()


def agree(
    own: Callable[[], Sequence[Tensor]],
    plain: Callable[[], Sequence[Tensor]],
    inputs: list[Tensor],
) -> None:
    """Results, and gradients of a random weighing of them, to 1e-4 of their size."""
    found, wanted = list(own()), list(plain())
    weights = [torch.randn_like(each) for each in found]
    of_found = torch.autograd.grad(found, inputs, weights)
    of_wanted = torch.autograd.grad(wanted, inputs, [w.double() for w in weights])
    pairs = zip([*found, *of_found], [*wanted, *of_wanted], strict=True)
    for one, two in pairs:
        assert (one - two).norm() <= 1e-4 * two.norm()


@pytest.mark.parametrize("channels", [16, 72, 256])
@pytest.mark.parametrize(("relu", "has_shortcut"), [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize("uses", [1, 3])
def test_batch_normalisation(channels: int, relu: bool, has_shortcut: bool, uses: int) -> None:
    from automl.centerpose.models.norm_gpu import batch_norm_relu

    torch.manual_seed(0)
    norm, exact = nn.BatchNorm2d(channels).to(GPU), nn.BatchNorm2d(channels).double().to(GPU)
    x = random_map(3, channels, 45, 37)
    add = random_map(3, channels, 45, 37) if has_shortcut else None

    def plain() -> list[Tensor]:
        values = functional.batch_norm(
            x.double(), exact.running_mean, exact.running_var, norm.weight.double(),
            norm.bias.double(), training=True,
        )  # fmt: skip
        values = values if add is None else values + add.double()
        return [torch.relu(values) if relu else values] * uses

    inputs = [x, norm.weight, norm.bias, *([] if add is None else [add])]
    agree(lambda: batch_norm_relu(x, norm, add, relu=relu, uses=uses), plain, inputs)
    for name in ("running_mean", "running_var"):
        torch.testing.assert_close(
            norm.get_buffer(name).double(), exact.get_buffer(name), rtol=1e-4, atol=1e-4
        )
    assert norm.get_buffer("num_batches_tracked").item() == 1


def test_a_map_folded_by_four_comes_out_folded_by_two() -> None:
    from automl.centerpose.models.blocks import normalised_and_refolded
    from automl.centerpose.models.fold import fold

    torch.manual_seed(7)
    norm, x = nn.BatchNorm2d(16).to(GPU), random_map(2, 16, 24, 40)

    def own() -> list[Tensor]:
        return [normalised_and_refolded(_channels_last(fold(x, 4)[:, order]), norm)]

    def plain() -> list[Tensor]:
        weight, bias = norm.weight.double(), norm.bias.double()
        values = functional.batch_norm(x.double(), None, None, weight, bias, training=True)
        return [fold(values.relu(), 2)]

    # From rows and columns of four to blocks of two by two, and rows and columns within them.
    order = torch.arange(16 * 16).view(2, 2, 2, 2, 16).transpose(1, 2).flatten()
    agree(own, plain, [x, norm.weight, norm.bias])


def test_a_gradient_that_is_part_of_a_wider_map() -> None:
    from automl.centerpose.models.norm_gpu import batch_norm_relu

    torch.manual_seed(4)
    norm, x, other = nn.BatchNorm2d(64).to(GPU), random_map(3, 64, 9, 7), random_map(3, 40, 9, 7)

    def own() -> list[Tensor]:
        return [torch.cat([other, *batch_norm_relu(x, norm, None, relu=True)], dim=1)]

    def plain() -> list[Tensor]:
        weight, bias = norm.weight.double(), norm.bias.double()
        values = functional.batch_norm(x.double(), None, None, weight, bias, training=True)
        return [torch.cat([other.double(), values.relu()], dim=1)]

    agree(own, plain, [x, other, norm.weight, norm.bias])


@pytest.mark.parametrize("widths", [(64, 64), (64, 128, 192), (64, 64, 64, 128)])
def test_a_convolution_of_maps_side_by_side(widths: tuple[int, ...]) -> None:
    from automl.centerpose.models.joined_gpu import joined

    torch.manual_seed(8)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    maps = [random_map(3, width, 9, 11) for width in widths]
    weight = torch.randn(72, sum(widths), 1, 1, device=GPU, requires_grad=True)

    def plain() -> list[Tensor]:
        side_by_side = torch.cat([each.double() for each in maps], dim=1)
        return [functional.conv2d(side_by_side, weight.double())]

    agree(lambda: [joined(maps, weight)], plain, [weight, *maps])


def test_the_heads_behind_their_wide_convolution() -> None:
    from automl.centerpose.models.answer_gpu import Head, answers

    torch.manual_seed(1)
    torch.backends.cudnn.allow_tf32 = False
    heads = Heads(8, 256, normalised=True).to(GPU)
    layers = [Head(*(heads[name][k] for k in (0, 1, 3))) for name in ("hm", "hps", "scale")]  # type: ignore[index]
    for head in layers:
        for parameter in (head.first.bias, head.norm.weight, head.norm.bias):
            nn.init.normal_(parameter)  # type: ignore[arg-type]
    x = random_map(2, 768, 13, 11)

    def plain() -> list[Tensor]:
        found = []
        for part, head in zip(torch.split(x.double(), 256, dim=1), layers, strict=True):
            bias, scale, offset, weight, last = (each.double() for each in head.parameters())
            values = functional.group_norm(part + bias[:, None, None], 32, scale, offset).relu()
            found.append(functional.conv2d(values, weight, last))
        return found

    inputs = [x, *(each for head in layers for each in head.parameters())]
    agree(lambda: answers(x, layers), plain, inputs)


def test_heads_answer_as_they_do_on_a_cpu() -> None:
    torch.manual_seed(5)
    torch.backends.cudnn.allow_tf32 = False
    heads, maps = Heads(16, 256, normalised=True), [torch.randn(2, 16, 12, 12) for _ in range(2)]
    place = {name: k % 2 for k, name in enumerate(HEADS)}
    wanted = heads.answer(maps, place)
    found = heads.to(GPU).answer([x.to(GPU) for x in maps], place)
    for name, value in wanted.items():
        torch.testing.assert_close(found[name].cpu(), value, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [16, 72])
def test_the_largest_of_each_four(channels: int) -> None:
    from automl.centerpose.models.pool_gpu import pool

    x = torch.randint(0, 4, (3, channels, 14, 10), device=GPU).float()  # with equals among them
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    agree(lambda: [pool(x)], lambda: [functional.max_pool2d(x.double(), 2)], [x])


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("has_add", [True, False])
def test_upsampling(factor: int, has_add: bool) -> None:
    from automl.centerpose.models.upsample_gpu import upsample

    torch.manual_seed(2)
    x, side = random_map(2, 72, 7, 9), 2 * factor
    weight = torch.randn(72, 1, side, side, device=GPU, requires_grad=True)
    add = random_map(2, 72, 7 * factor, 9 * factor) if has_add else None

    def plain() -> list[Tensor]:
        values = functional.conv_transpose2d(
            x.double(), weight.double(), stride=factor, padding=factor // 2, groups=72
        )
        return [values if add is None else values + add.double()]

    inputs = [x, weight, *([] if add is None else [add])]
    agree(lambda: [upsample(x, weight, add)], plain, inputs)


def test_the_gates_of_the_gru() -> None:
    torch.manual_seed(3)
    torch.backends.cudnn.allow_tf32 = False
    cell, exact = ConvGRU(6, 24).to(GPU), ConvGRU(6, 24).double()
    exact.load_state_dict(cell.state_dict())
    x = random_map(2, 6, 11, 13)
    inputs = [x, *cell.parameters()]
    weights = [torch.randn(2, 24, 11, 13, device=GPU) for _ in range(3)]
    found = list(cell(x))
    of_found = torch.autograd.grad(found, inputs, weights)
    y = x.detach().cpu().double().requires_grad_()
    wanted = list(exact(y))
    of_wanted = torch.autograd.grad(
        wanted, [y, *exact.parameters()], [each.cpu().double() for each in weights]
    )
    for one, two in zip([*found, *of_found], [*wanted, *of_wanted], strict=True):
        assert (one.cpu() - two).norm() <= 1e-4 * two.norm()
