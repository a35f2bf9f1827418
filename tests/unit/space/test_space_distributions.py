"""The space as Optuna sees it, and the draws that stand for a proposal."""

import warnings
from collections.abc import Callable
from typing import Any

import optuna
import pytest

from automl.search.sample import sample
from automl.space.model import SearchSpace
from automl.space.proposal import (
    decode,
    default_params,
    encode,
    is_legal,
    sampled,
    suggest,
)

Build = Callable[..., SearchSpace]

SEARCH = (
    "dataset.crop_max",
    "dataset.crop_min",
    "model.hidden_dim",
    "model.rank",
    "model.shift",
    "model.layers",
    "train.decay_type",
    "train.optim.lr_steps=1..200",
    "train.optim.betas",
)


@pytest.fixture
def space(build: Build) -> SearchSpace:
    """One of each kind."""
    return build(*SEARCH)


@pytest.fixture
def study() -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))


def test_the_default_can_be_queued_without_a_warning(
    space: SearchSpace, study: optuna.Study
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study.enqueue_trial(encode(space, default_params(space)))
        given = suggest(space, study.ask())
    assert given.keys() == default_params(space).keys()
    for key, value in default_params(space).items():
        assert given[key] == (pytest.approx(value) if isinstance(value, float) else value)


def test_every_default_is_inside(space: SearchSpace) -> None:
    assert all(is_legal(space, default_params(space)).values())


def test_distributions_never_change_between_trials(
    space: SearchSpace, study: optuna.Study
) -> None:
    known = {one.draw_name: one.drawn.as_optuna() for one in sampled(space)}
    for _ in range(30):
        trial = study.ask()
        suggest(space, trial)
        assert trial.distributions == known
        study.tell(trial, 1.0)


def test_recorded_draws_give_the_proposal_again(space: SearchSpace, study: optuna.Study) -> None:
    for _ in range(30):
        trial = study.ask()
        proposal = suggest(space, trial)
        assert decode(space, trial.params) == proposal


def test_the_names_say_how_a_parameter_is_drawn(space: SearchSpace) -> None:
    names = {one.draw_name for one in sampled(space)}
    assert {
        "train.optim.lr",
        "dataset.crop_max@share",
        "model.rank@place",
        "train.optim.betas[0]",
        "train.optim.lr_steps[1]@share",
    } <= names


def test_tpe_learns_a_range_that_moves(build: Build) -> None:
    """The best crop lies two thirds up what its parent leaves; late proposals come closer."""
    space = build("dataset.crop_max", "dataset.crop_min", freeze=("train.optim.lr",))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=3))
    distances: list[float] = []
    for _ in range(60):
        trial = study.ask()
        params: dict[str, Any] = suggest(space, trial)
        low = params["dataset.crop_min"]
        distances.append(abs(params["dataset.crop_max"] - (low + (800 - low) * 2 / 3)))
        study.tell(trial, distances[-1])
    assert sum(distances[-20:]) < 0.6 * sum(distances[:20])


def test_option_weights_steer_the_first_draws(build: Build) -> None:
    space = build("train.decay_type")
    draws = [one["train.decay_type"] for one in sample(space, 2000, seed=5)]
    expected = {"linear": 200, "sqrt": 200, "cosine": 800, "none": 800}
    chi_square = sum(
        (draws.count(option) - count) ** 2 / count for option, count in expected.items()
    )
    assert chi_square < 16.27, "the 0.1 % point of chi-square with 3 degrees of freedom"


def test_weights_of_an_ordered_set_steer_the_first_draws(build: Build) -> None:
    from automl.skill.profile_file import read_profile

    entry = {"choices": [1, 2, 4], "weights": [1, 1, 6], "reason": "large ones are better"}
    profile = read_profile({"parameters": {"dataset.batch_size": entry}}, "p")
    space = build(space="profile", profile=profile)
    draws = [one["dataset.batch_size"] for one in sample(space, 2000, seed=6)]
    assert draws.count(4) == pytest.approx(1500, abs=80)


def test_values_outside_are_encoded_as_the_nearest(space: SearchSpace) -> None:
    params = {**default_params(space), "model.hidden_dim": 5000, "model.rank": 100}
    nearest = decode(space, encode(space, params))
    assert (nearest["model.hidden_dim"], nearest["model.rank"]) == (1024, 128)
    legal = is_legal(space, params)
    assert not legal["model.hidden_dim"]
    assert not legal["model.rank"]
    assert legal["train.optim.lr"]
