"""This package's own GPU kernels against plain operators of torch in double precision."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.centerpose.models.gru import ConvGRU

pytestmark = pytest.mark.gpu
pytest.importorskip("triton", reason="the kernels are Triton's")
if not torch.cuda.is_available():
    pytest.skip("needs a CUDA device", allow_module_level=True)

GPU = torch.device("cuda", 0)


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
def test_batch_normalisation(channels: int, relu: bool, has_shortcut: bool) -> None:
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
        return [torch.relu(values) if relu else values]

    inputs = [x, norm.weight, norm.bias, *([] if add is None else [add])]
    agree(lambda: [batch_norm_relu(x, norm, add, relu=relu)], plain, inputs)
    for name in ("running_mean", "running_var"):
        torch.testing.assert_close(
            norm.get_buffer(name).double(), exact.get_buffer(name), rtol=1e-4, atol=1e-4
        )
    assert norm.get_buffer("num_batches_tracked").item() == 1


def test_group_normalisation() -> None:
    from automl.centerpose.models.norm_gpu import group_norm_relu

    torch.manual_seed(1)
    x = random_map(3, 96, 23, 19)
    weight, bias = (torch.randn(96, device=GPU, requires_grad=True) for _ in range(2))

    def plain() -> list[Tensor]:
        return [torch.relu(functional.group_norm(x.double(), 12, weight.double(), bias.double()))]

    agree(lambda: [group_norm_relu(x, 12, weight, bias, 1e-5)], plain, [x, weight, bias])


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
    cell, x = ConvGRU(6, 24), torch.randn(2, 6, 11, 13)
    exact = cell.double()(x.double())
    cell.float().to(device=GPU, memory_format=torch.channels_last)  # type: ignore[call-overload]
    for found, wanted in zip(cell(x.to(GPU)), exact, strict=True):
        assert (found.cpu() - wanted).norm() <= 1e-3 * wanted.norm()
