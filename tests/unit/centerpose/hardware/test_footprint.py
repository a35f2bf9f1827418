"""Memory that a training needs, and when gradients are checkpointed for it."""

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import nn

from automl.centerpose.config.dataset import Dataset
from automl.centerpose.hardware import footprint
from automl.centerpose.hardware.footprint import save_memory, saved_bytes
from automl.centerpose.models.fan import FAN, FanSize

TINY = FanSize(stages=(1, 1), width=16, depth=2, tap=2, heads=2)


def test_what_a_known_network_keeps() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sigmoid())
    image = torch.zeros(1, 3, 8, 8)
    kept = 4 * (3 * 64 + 4 * 64)  # the convolution's input and the sigmoid's output
    assert saved_bytes(network, image, "fp32") == kept


def test_measuring_leaves_no_trace() -> None:
    network = FAN(TINY, 32, use_gru=True)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random = torch.get_rng_state()
    assert saved_bytes(network, torch.zeros(1, 3, 64, 64), "fp32") > 0
    assert network.training
    torch.testing.assert_close(dict(network.state_dict()), before)
    assert torch.equal(torch.get_rng_state(), random)


def test_measuring_keeps_nothing_in_memory() -> None:
    network, seen = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sigmoid()), list[weakref.ref[Any]]()
    network[1].register_forward_hook(lambda _module, _given, out: seen.append(weakref.ref(out)))
    saved_bytes(network, torch.zeros(1, 3, 8, 8), "fp32")
    gc.collect()
    assert [reference() for reference in seen] == [None]


def test_it_grows_with_the_image_and_shrinks_with_precision() -> None:
    network = FAN(TINY, 32, use_gru=True)
    small, large = (torch.zeros(1, 3, size, size) for size in (128, 256))
    exact = saved_bytes(network, large, "fp32")
    assert 3.8 < exact / saved_bytes(network, small, "fp32") < 5.0
    assert saved_bytes(network, large, "bf16") < 0.9 * exact


@pytest.mark.parametrize(("free", "expected"), [(1 << 40, False), (1 << 20, True)])
def test_a_gpu_that_is_too_small_turns_checkpointing_on(
    free: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = FAN(TINY, 32, use_gru=True)
    monkeypatch.setattr(footprint, "saved_bytes", lambda *_: 1 << 20)
    monkeypatch.setattr(torch, "zeros", lambda *_, **__: torch.empty(1, 3, 32, 32))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 1 << 40))
    assert save_memory(network, Dataset(input_res=32), torch.device("cuda"), "fp32") is expected
    assert network.backbone.checkpointing is expected


def test_a_cpu_and_other_networks_are_left_alone() -> None:
    network = FAN(TINY, 32, use_gru=True)
    assert not save_memory(network, Dataset(), torch.device("cpu"), "fp32")
    assert not save_memory(nn.Linear(1, 1), Dataset(), torch.device("cuda"), "fp32")
