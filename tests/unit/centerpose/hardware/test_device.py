"""Devices and precisions, on a machine that may have no GPU."""

from collections.abc import Iterator

import pytest
import torch

from automl.centerpose.config.train import Cudnn
from automl.centerpose.hardware.device import choose_device, has_gpus, mixed, prepare_torch
from automl.centerpose.hardware.selection import ACCELERATOR
from automl.errors import FixInput


@pytest.fixture(autouse=True)
def _torch_as_it_was() -> Iterator[None]:
    precision, tf32 = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    cudnn = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    yield
    torch.set_float32_matmul_precision(precision)
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = cudnn


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes torch say so; nothing is computed on them."""
    monkeypatch.delenv(ACCELERATOR, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


def tf32() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("precision", "coarse"), [("fp32", False), ("tf32", True), ("fp16", True), ("bf16", True)]
)
def test_fp32_is_fp32_and_the_others_allow_tf32(precision: str, coarse: bool) -> None:
    for before in ("tf32", "fp32"):
        prepare_torch(1, Cudnn(), before)
        prepare_torch(1, Cudnn(), precision)
        assert tf32() == (coarse, coarse)


def test_a_cpu_computes_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    prepare_torch(1, Cudnn(benchmark=True, deterministic=False), "tf32")
    assert torch.get_float32_matmul_precision() == "highest"
    assert torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.deterministic


@pytest.mark.parametrize(
    ("device", "precision", "dtype"),
    [
        ("cpu", "fp32", torch.float32),
        ("cpu", "tf32", torch.float32),
        ("cpu", "bf16", torch.bfloat16),
        ("cpu", "fp16", torch.bfloat16),
    ],
)
def test_what_a_network_computes_in(device: str, precision: str, dtype: torch.dtype) -> None:
    linear = torch.nn.Linear(2, 2)
    with mixed(torch.device(device), precision):
        assert linear(torch.ones(1, 2)).dtype == dtype


@pytest.mark.usefixtures("two_gpus")
def test_the_gpu_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device((1,)) == torch.device("cuda", 1)
    assert choose_device(()) == torch.device("cuda", 0)
    with pytest.raises(FixInput, match="index 2 of 2 visible GPUs"):
        choose_device((2,))
    monkeypatch.setenv(ACCELERATOR, "cpu")
    assert not has_gpus()
    assert choose_device((2,)) == torch.device("cpu")
