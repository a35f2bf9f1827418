"""Steps of the optimiser, and the parameters that no term of the loss reaches."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from automl.centerpose.config.load import load_spec
from automl.centerpose.config.train import Train
from automl.centerpose.models.build import build_network
from automl.centerpose.session.interrupt import Interrupt
from automl.centerpose.training.checkpoint_writer import to_host
from automl.centerpose.training.losses import LossWeights
from automl.centerpose.training.optimiser import Optimiser, freeze, idle_parameters
from automl.centerpose.training.process_group import SingleProcess


def network_of(model_type: str) -> nn.Module:
    model = {"backbone": {"model_type": model_type}, "head_conv": 64}
    return build_network(load_spec({"model": model}, "train").model)


@pytest.mark.parametrize("model_type", ["nano", "DLA34", "fan_small"])
def test_every_parameter_learns_where_every_term_counts(model_type: str) -> None:
    network = network_of(model_type)
    outputs = network.eval()(torch.zeros(1, 3, 64, 64))
    named = dict(network.named_parameters())
    total = torch.stack([value.sum() for value in outputs.values()]).sum()
    total.backward()  # type: ignore[no-untyped-call]
    assert not [name for name, each in named.items() if each.grad is None]
    assert idle_parameters(network, LossWeights()) == ()


HEADS_OFF = [
    LossWeights(wh=0.0, offset=0.0),
    LossWeights(hm_hp=0.0, hp_offset=0.0),
    LossWeights(hm=0.0, hm_hp=0.0, hps=0.0),
    LossWeights(hm_hp=0.0, wh=0.0, offset=0.0, hps=0.0, hp_offset=0.0, scale=0.0),
]


@pytest.mark.parametrize("weights", HEADS_OFF)
@pytest.mark.parametrize("model_type", ["nano", "DLA34"])
def test_what_is_not_idle_has_a_gradient_with_any_terms(
    model_type: str, weights: LossWeights
) -> None:
    """Several processes wait for the gradient of each parameter that asks for one."""
    network = network_of(model_type)
    before = torch.get_rng_state()
    freeze(network, idle_parameters(network, weights))
    assert torch.equal(torch.get_rng_state(), before)
    assert network.training
    outputs = network.eval()(torch.zeros(1, 3, 64, 64))
    heads = {"offset": "reg"}
    on = [heads.get(term, term) for term in weights.__slots__ if getattr(weights, term)]
    torch.stack([outputs[name].sum() for name in on]).sum().backward()  # type: ignore[no-untyped-call]
    without = [name for name, each in network.named_parameters() if each.grad is None]
    asked = dict(network.named_parameters())
    assert not any(asked[name].requires_grad for name in without)
    freeze(network, ())
    assert all(each.requires_grad for each in network.parameters())


def step_of(limit: float, **settings: Any) -> tuple[nn.Linear, Optimiser]:
    network = nn.Linear(2, 1)
    nn.init.zeros_(network.weight)
    optimiser = Optimiser(network, Train(clip_grad_val=limit), SingleProcess((), Interrupt()))
    return network, optimiser


def learn(optimiser: Optimiser, loss: Tensor) -> None:
    optimiser.forget()
    optimiser.backward(loss)
    optimiser.update()


def test_a_step_clips_the_norm_over_all_weights() -> None:
    network, optimiser = step_of(0.5)
    optimiser.set_rate(0.25)
    learn(optimiser, 100 * network(torch.ones(1, 2)).sum())
    gradients = [each.grad for each in network.parameters() if each.grad is not None]
    assert float(torch.cat([each.flatten() for each in gradients]).norm()) == pytest.approx(0.5)
    assert network.weight.tolist() == [pytest.approx([-0.25, -0.25])]


def test_its_state_goes_on_where_it_was_whatever_wrote_it() -> None:
    one, first = step_of(10.0)
    learn(first, one(torch.ones(1, 2)).sum())
    state = to_host(first.state())
    state["optimizer_states"][0]["param_groups"][0]["fused"] = True  # as on a GPU
    two, second = step_of(10.0)
    two.load_state_dict(one.state_dict())
    second.restore(state)
    for network, optimiser in ((one, first), (two, second)):
        learn(optimiser, network(torch.tensor([[1.0, 3.0]])).sum())
    torch.testing.assert_close(one.state_dict(), two.state_dict(), rtol=0, atol=0)


def test_gradients_go_out_in_one_row_and_come_back_to_their_places() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Conv2d(3, 1, 1))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = Optimiser(network, Train(), SingleProcess((), Interrupt()))
    optimiser.backward(network(torch.rand(1, 2, 5, 5)).square().sum())
    before = [each.grad.clone() for each in network.parameters() if each.grad is not None]
    flat = optimiser.gradients()
    assert flat.shape == (sum(each.numel() for each in network.parameters()),)
    optimiser.set_gradients(2.0 * flat)
    for parameter, gradient in zip(network.parameters(), before, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, 2.0 * gradient)
