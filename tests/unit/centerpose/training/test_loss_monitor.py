"""The sum of the losses is exact, and nothing that is not finite goes unnoticed."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from automl.centerpose.training.loss_monitor import Diverged, LossMonitor, check_finite
from tests.unit.centerpose.waiting import no_waiting

CPU = torch.device("cpu")
single = st.floats(-1e3, 1e3, width=32)


@given(st.lists(single, max_size=30), st.floats(0, 1e3))
def test_the_sum_is_that_of_python(losses: list[float], before: float) -> None:
    watch = LossMonitor(CPU)
    watch.begin(before)
    for loss in losses:
        watch.add(torch.tensor(loss), "")
    total = before
    for loss in losses:
        total += loss
    assert watch.total() == total


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_names_its_step(value: float) -> None:
    watch = LossMonitor(CPU)
    watch.add(torch.tensor(1.0), "step 1")
    with pytest.raises(Diverged, match="at step 2"):
        watch.add(torch.tensor(value), "step 2")


def test_weights_that_are_not_finite_are_counted() -> None:
    good, whole = torch.ones(3), torch.ones(2, dtype=torch.int64)
    check_finite([good, whole], "step 1")
    with pytest.raises(Diverged, match="1 layers hold weights that are not finite at step 2"):
        check_finite([good, whole, torch.tensor([1.0, math.nan])], "step 2")


@pytest.mark.gpu
def test_a_gpu_is_never_waited_for() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    device = torch.device("cuda")
    watch, losses = LossMonitor(device), torch.arange(40.0, device=device)
    torch.cuda.synchronize()
    with no_waiting():
        for step in range(20):
            watch.add(losses[step], f"step {step}")
    assert watch.total() == sum(range(20))
    watch.begin(0.0)
    losses[3] = math.nan
    with pytest.raises(Diverged, match=r"at step 3$"):
        add_all(watch, losses)


def add_all(watch: LossMonitor, losses: torch.Tensor) -> None:
    for step, loss in enumerate(losses):
        watch.add(loss, f"step {step}")
