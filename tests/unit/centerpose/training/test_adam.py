"""Adam and the loss scale, against torch's own classes."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from automl.centerpose.training.adam import Adam
from automl.centerpose.training.loss_scale import LossScale

RATE = 1e-2


def weights() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = (3, 4), (5,), (2, 3, 3, 3)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]


def give_gradients(some: list[Tensor], step: int) -> None:
    generator = torch.Generator().manual_seed(1 + step)
    for weight in some[: 2 + step % 2]:  # the last one not in every step
        weight.grad = torch.randn(weight.shape, generator=generator)


def test_it_learns_what_torchs_own_learns_to_the_last_bit() -> None:
    one, two = weights(), weights()
    own, theirs = Adam(one, RATE), torch.optim.Adam(two, RATE, fused=True)
    for step in range(5):
        for some in (one, two):
            give_gradients(some, step)
        own.set_rate(RATE / (1 + step))
        theirs.param_groups[0]["lr"] = RATE / (1 + step)
        own.step()
        theirs.step()
        for weight, other in zip(one, two, strict=True):
            assert torch.equal(weight, other)


def test_states_go_over_to_torchs_own_and_back() -> None:
    one, two, three = weights(), weights(), weights()
    own, theirs, again = Adam(one, RATE), torch.optim.Adam(two, 1.0), Adam(three, 1.0)
    give_gradients(one, 0)
    own.step()
    theirs.load_state_dict(deepcopy(own.state()))
    assert own.state().keys() == theirs.state_dict().keys()
    assert own.state()["param_groups"][0].keys() == theirs.state_dict()["param_groups"][0].keys()
    again.restore(theirs.state_dict())
    for some in (two, three):
        for weight, learnt in zip(some, one, strict=True):
            weight.data.copy_(learnt)
        give_gradients(some, 1)
    give_gradients(one, 1)
    own.step()
    theirs.step()
    again.step()
    for each in zip(one, two, three, strict=True):
        assert torch.equal(each[0], each[1])
        assert torch.equal(each[0], each[2])


def scales(overflows: list[bool], start: dict[str, Any]) -> list[float]:
    scale, found = LossScale(torch.device("cpu")), []
    scale.restore(start)
    for overflow in overflows:
        scale.update(torch.tensor(float(overflow)))
        found.append(float(scale.factor))
    return found


@pytest.mark.parametrize(
    ("overflows", "factors"),
    [
        ([True, True], [4.0, 2.0]),
        ([False, False, False], [8.0, 16.0, 16.0]),  # calm for long enough after the second
        ([True, False, False], [4.0, 4.0, 4.0]),
    ],
)
def test_the_scale_halves_at_an_overflow_and_doubles_after_a_long_calm(
    overflows: list[bool], factors: list[float]
) -> None:
    assert scales(overflows, {"scale": 8.0, "_growth_tracker": 1998}) == factors


def test_the_scales_state_is_that_of_torchs_own() -> None:
    theirs = torch.amp.GradScaler("cpu")
    theirs.scale(torch.zeros(()))  # makes it begin
    own = LossScale(torch.device("cpu"))
    assert own.state() == theirs.state_dict()
    own.update(torch.ones(()))
    theirs.load_state_dict(own.state())
    assert theirs.get_scale() == own.state()["scale"] == 2.0**15
