"""Our own sampler: what its proposals depend on, and what they do not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState, create_trial

from automl.search.encoding import Cube
from automl.search.gp_sampler import GaussianProcessSampler, Knowledge
from automl.search.observations import Kind, Observation, Prediction
from automl.search.prior import Prior
from automl.search.surrogate import Surrogate
from automl.study import attributes
from automl.study.records import FailureClass

SPACE: dict[str, BaseDistribution] = {
    "lr": FloatDistribution(1e-6, 1e-2, log=True),
    "drop": FloatDistribution(0.0, 0.5),
    "batch": IntDistribution(1, 32, log=True),
    "net": CategoricalDistribution(("a", "b", "c")),
}
KNOWLEDGE = Knowledge(
    SPACE, {"lr": Prior(1e-4), "drop": Prior(0.1), "batch": Prior(4), "net": Prior("a")}, n_start=3
)
#: The number of a proposal that follows the promise, and of one that explores.
PROMISING, EXPLORING = 7, 10

Trials = Sequence[tuple[Mapping[str, Any], float]]


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def random_trials(seed: int, count: int = 6) -> list[tuple[dict[str, Any], float]]:
    """Trials of a bowl around lr 1e-3 and drop 0.2."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
    return [(params, bowl(params)) for params in (study.ask(SPACE).params for _ in range(count))]


def bowl(params: Mapping[str, Any]) -> float:
    away = (np.log10(params["lr"]) + 3) ** 2 + 20 * (params["drop"] - 0.2) ** 2
    return float(away + (params["net"] == "c"))


def study_of(
    trials: Trials, direction: Literal["minimize", "maximize"] = "minimize"
) -> optuna.Study:
    study = optuna.create_study(direction=direction)
    for params, value in trials:
        study.add_trial(
            create_trial(params=dict(params), distributions=dict(SPACE), value=float(value))
        )
    return study


def propose(
    study: optuna.Study,
    number: int = PROMISING,
    knowledge: Knowledge = KNOWLEDGE,
    seed: int = 0,
    draw: int = 0,
) -> dict[str, Any]:
    """The next proposal; the study is left as it was but for a trial that has begun."""
    sampler = GaussianProcessSampler(seed, knowledge, number, draw)
    trial = study.ask()
    frozen = study.get_trials()[trial.number]
    proposed = sampler.sample_relative(
        study, frozen, sampler.infer_relative_search_space(study, frozen)
    )
    study.tell(trial, state=TrialState.FAIL)
    return proposed


def is_close(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(
        one[name] == pytest.approx(other[name], rel=1e-6, abs=1e-9)
        if isinstance(one[name], float)
        else one[name] == other[name]
        for name in SPACE
    )


# What a proposal depends on


@pytest.mark.parametrize("number", [PROMISING, EXPLORING])
def test_it_is_a_function_of_study_seed_and_number(number: int) -> None:
    trials = random_trials(0)
    first = propose(study_of(trials), number)
    assert propose(study_of(trials), number) == first
    assert propose(study_of(trials), number, seed=1) != first
    assert propose(study_of(trials), number, draw=1) != first
    study = study_of(trials)
    propose(study, number)
    assert propose(study, number) == first


def test_where_time_counts_the_same_gain_for_less_is_taken() -> None:
    """The bowl does not know the batch, so what it costs decides."""
    study = study_of(random_trials(0, 12))
    cheap = replace(KNOWLEDGE, cost=lambda draws: -2.0 * np.log(draws["batch"] / 4))
    dear = replace(KNOWLEDGE, cost=lambda draws: 2.0 * np.log(draws["batch"] / 4))
    large, small = (
        [propose(study, n, each)["batch"] for n in (6, 7, 8)] for each in (cheap, dear)
    )
    assert min(large) > max(small)
    nothing = replace(KNOWLEDGE, cost=lambda _: 0.0)
    assert propose(study, 7, nothing) == propose(study, 7)


def test_the_order_in_which_trials_began_does_not_matter() -> None:
    trials = random_trials(0)
    shuffled = optuna.create_study()
    for number, (params, value) in reversed(list(enumerate(trials))):
        attrs = {attributes.NUMBER: number}
        shuffled.add_trial(
            create_trial(params=params, distributions=dict(SPACE), value=value, user_attrs=attrs)
        )
    assert propose(shuffled) == propose(study_of(trials))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 50),
    scale=st.floats(1e-3, 1e3),
    shift=st.floats(-10, 10),
    number=st.sampled_from([PROMISING, EXPLORING]),
)
def test_the_unit_of_the_metric_decides_nothing(
    seed: int, scale: float, shift: float, number: int
) -> None:
    trials = random_trials(seed)
    other = [(params, scale * value + shift) for params, value in trials]
    assert is_close(propose(study_of(trials), number), propose(study_of(other), number))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 50))
def test_a_metric_that_is_turned_round_gets_the_same_proposals(seed: int) -> None:
    trials = random_trials(seed)
    turned = [(params, -value) for params, value in trials]
    assert propose(study_of(trials)) == propose(study_of(turned, "maximize"))


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8),
    number=st.integers(0, 30),
    seed=st.integers(0, 5),
)
def test_whatever_was_measured_the_proposal_is_in_the_space(
    values: list[float], number: int, seed: int
) -> None:
    params = [one for one, _ in random_trials(seed, len(values))]
    study = study_of(list(zip(params, values, strict=True)))
    for name, value in propose(study, number, seed=seed).items():
        assert SPACE[name]._contains(SPACE[name].to_internal_repr(value))


# Start


def decades_from_default(points: Sequence[Mapping[str, Any]]) -> Any:
    return np.log10([one["lr"] for one in points]) + 4


def test_the_first_points_lie_by_turns_around_the_default_and_anywhere() -> None:
    points = [propose(study_of([]), number) for number in range(1, 65)]
    near, wide = decades_from_default(points[::2]), decades_from_default(points[1::2])
    assert abs(np.median(near)) < 0.2
    assert np.std(near) == pytest.approx(0.5, abs=0.1)
    assert np.std(wide) == pytest.approx(4 / np.sqrt(12), abs=0.15)
    assert {one["net"] for one in points} == {"a", "b", "c"}


def test_on_a_plateau_every_second_proposal_comes_from_anywhere() -> None:
    """Five trials of eight are as good as the best; what lies a little above is no outlier."""
    values = [0.6929, 0.693, 0.693, 0.6931, 0.6931, 0.70, 0.71, 0.72]
    near = [{"lr": 10 ** (-4 - at / 20), "drop": 0.1, "batch": 4, "net": "a"} for at in range(8)]
    made = list(zip(near, values, strict=True))
    seen = [Observation(each, value, 0.0, Kind.MEASURED) for each, value in made]
    assert Surrogate.of(Cube.of(SPACE), seen, 1, np.random.default_rng(0)).is_flat
    proposed = [propose(study_of(made), number) for number in range(22, 52, 2)]
    assert np.ptp(decades_from_default(proposed)) > 2.5
    assert {one["net"] for one in proposed} == {"a", "b", "c"}


# What it learns


def run(objective: Callable[[Mapping[str, Any]], float], count: int) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=GaussianProcessSampler(1, KNOWLEDGE))
    for _ in range(count):
        trial = study.ask(SPACE)
        study.tell(trial, objective(trial.params))
    return [trial.params for trial in study.get_trials()]


def test_it_finds_the_bottom_of_a_bowl() -> None:
    values = [bowl(params) for params in run(bowl, 25)]
    assert min(values) < 0.02
    assert min(values) < 0.5 * min(values[:6])


def test_proposals_keep_their_distance_from_what_is_known() -> None:
    cell = [(params, bowl(params)) for params in run(bowl, 12)]
    again = propose(study_of(cell), PROMISING)
    nearest = min(
        abs(np.log10(again["lr"] / params["lr"])) + abs(again["drop"] - params["drop"])
        for params, _ in cell
        if params["net"] == again["net"]
    )
    assert nearest > 0.005


def test_what_failed_is_kept_away_from() -> None:
    """The higher the rate, the better; beyond 1e-3 no training works."""
    trials = [
        ({**params, "lr": lr}, -np.log(lr))
        for (params, _), lr in zip(random_trials(1, 8), np.geomspace(1e-5, 8e-4, 8), strict=True)
    ]
    plain, failing = study_of(trials), study_of(trials)
    for (params, _), lr in zip(random_trials(2, 6), np.geomspace(1.5e-3, 1e-2, 6), strict=True):
        failing.add_trial(
            create_trial(
                params={**params, "lr": lr},
                distributions=dict(SPACE),
                value=100.0,
                user_attrs={attributes.FAILURE: str(FailureClass.DIVERGED)},
            )
        )

    def rate(study: optuna.Study) -> float:
        return float(np.median([propose(study, number)["lr"] for number in (7, 9, 11, 13)]))

    assert rate(failing) < 2e-3 < rate(plain)


def test_two_that_run_at_once_do_not_run_the_same() -> None:
    trials = random_trials(4, 10)
    study = study_of(trials)
    first = propose(study)
    study.add_trial(
        create_trial(state=TrialState.RUNNING, params=first, distributions=dict(SPACE))
    )
    second = propose(study)
    assert not is_close(first, second)


def test_a_prediction_counts_for_a_trial_that_was_stopped() -> None:
    trials = random_trials(0, 8)
    stopped = {"lr": 3e-3, "drop": 0.3, "batch": 8, "net": "b"}

    def proposal(mean: float) -> dict[str, Any]:
        study = study_of(trials)
        study.add_trial(
            create_trial(
                state=TrialState.PRUNED,
                params=stopped,
                distributions=dict(SPACE),
                intermediate_values={0: 9.0},
            )
        )
        knowledge = Knowledge(
            SPACE, KNOWLEDGE.priors, n_start=3, predict=lambda _: Prediction(mean, 0.05)
        )
        return propose(study, knowledge=knowledge)

    def distance(params: Mapping[str, Any]) -> float:
        return float(abs(np.log10(params["lr"] / 3e-3)) + abs(params["drop"] - 0.3))

    assert distance(proposal(-3.0)) < distance(proposal(9.0))


def test_earlier_trials_stand_in_for_a_start() -> None:
    earlier = tuple(
        Observation(params, value, 0.0, Kind.EARLIER) for params, value in random_trials(2, 30)
    )
    knowledge = Knowledge(SPACE, KNOWLEDGE.priors, n_start=3, earlier=earlier)
    values = [bowl(propose(study_of([]), number, knowledge)) for number in (1, 3, 5)]
    blind = [bowl(propose(study_of([]), number)) for number in (1, 3, 5)]
    assert np.mean(values) < 0.6 * np.mean(blind)


def test_a_stated_prior_draws_the_proposals_and_loses_weight() -> None:
    stated = {"lr": Prior(1e-5, 0.02, is_stated=True)}

    def off(n_trials: int) -> float:
        study = study_of(random_trials(3, n_trials))
        knowledge = Knowledge(SPACE, stated, n_start=3)
        found = [propose(study, number, knowledge)["lr"] for number in (7, 9, 11)]
        return float(np.mean(np.abs(np.log10(found) + 5)))

    assert off(0) < 0.2
    assert off(40) > 1


# Spaces that are defined by their runs


def test_settings_that_some_trials_lack_are_drawn_all_the_same() -> None:
    def objective(trial: optuna.Trial) -> float:
        if trial.suggest_categorical("optimiser", ("sgd", "adam")) == "sgd":
            return 1 + (trial.suggest_float("momentum", 0, 1) - 0.2) ** 2
        return (trial.suggest_float("beta", 0, 1) - 0.7) ** 2

    study = optuna.create_study(sampler=GaussianProcessSampler(0, Knowledge(n_start=4)))
    study.optimize(objective, n_trials=25)
    assert study.best_params["optimiser"] == "adam"
    assert study.best_params["beta"] == pytest.approx(0.7, abs=0.05)


def test_several_objectives_are_refused() -> None:
    study = optuna.create_study(directions=["minimize", "maximize"])
    with pytest.raises(ValueError, match="multi-objective"):
        propose(study)
