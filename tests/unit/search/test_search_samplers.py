from collections import Counter

import optuna
import pytest
from optuna.samplers import BaseSampler, TPESampler

from automl.search.gp_sampler import GaussianProcessSampler
from automl.search.samplers import (
    SAMPLERS,
    SamplerSource,
    WeightedRandomSampler,
    startup_trials,
)
from automl.space.distributions import Choice, FloatRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.space.proposal import suggest
from automl.study.config import SearchSettings
from automl.study.seeds import derive_seed

SPACE = SearchSpace((Parameter("net", "categorical", Choice(("a", "b"), (1, 9)), default="a"),))


@pytest.mark.parametrize(("trials", "expected"), [(1, 3), (8, 4), (20, 10), (500, 10)])
def test_half_of_the_trials_are_start_up_within_limits(trials: int, expected: int) -> None:
    assert startup_trials(SearchSettings(), trials) == expected
    assert startup_trials(SearchSettings(startup_trials=0), trials) == 0


def test_the_learner_takes_over_after_the_start_up() -> None:
    source = SamplerSource(SearchSettings(startup_trials=2), SPACE, 10)
    assert isinstance(source.make(1, 0, 1), WeightedRandomSampler)
    assert isinstance(source.make(2, 0, 2), TPESampler)


def test_random_never_learns() -> None:
    source = SamplerSource(SearchSettings(sampler="random"), SPACE, 10)
    assert isinstance(source.make(90, 0, 90), WeightedRandomSampler)


def wide(count: int) -> SearchSpace:
    names = (f"x{at}" for at in range(count))
    return SearchSpace(
        tuple(Parameter(name, "float", FloatRange(0.0, 1.0), 0.5) for name in names)
    )


@pytest.mark.parametrize(
    ("settings", "n_modelled", "expected"),
    [
        (8, 0, GaussianProcessSampler),
        (20, 200, GaussianProcessSampler),
        (20, 201, TPESampler),
        (21, 12, TPESampler),
    ],
)
def test_auto_hands_over_to_tpe_where_there_is_much(
    settings: int, n_modelled: int, expected: type[BaseSampler]
) -> None:
    source = SamplerSource(SearchSettings(sampler="auto"), wide(settings), 500)
    assert isinstance(source.make(300, 0, n_modelled), expected)
    alone = SamplerSource(SearchSettings(sampler="gp"), wide(settings), 500)
    assert isinstance(alone.make(300, 0, n_modelled), GaussianProcessSampler)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_every_sampler_proposes_a_value_of_every_setting(name: str) -> None:
    space = SearchSpace((*SPACE, *wide(2)))
    source = SamplerSource(SearchSettings(sampler=name), space, 10)
    proposals = []
    for number in (1, 2):
        study = optuna.create_study(sampler=source.make(number, 0, 0))
        proposals.append(suggest(space, study.ask()))
    assert all(proposal.keys() == set(space.keys) for proposal in proposals)
    assert proposals[0] != proposals[1]


def test_weights_steer_the_start_up_draws() -> None:
    source = SamplerSource(SearchSettings(sampler="random", seed=1), SPACE, 10)
    study = optuna.create_study()
    drawn: Counter[str] = Counter()
    for number in range(300):
        study.sampler = source.make(number, 0, 0)
        drawn[study.ask().suggest_categorical("net", ["a", "b"])] += 1
    # 9 to 1: 270 expected of 300, standard deviation 5.2.
    assert 245 <= drawn["b"] <= 292


def test_seeds_depend_on_every_part_and_on_nothing_else() -> None:
    assert derive_seed(1, "sampler", 2, 0) == 3210484265
    seeds = {
        derive_seed(1, "sampler", 2),
        derive_seed(1, "sampler", 3),
        derive_seed(2, "sampler", 2),
        derive_seed(1, "trial", 2),
    }
    assert len(seeds) == 4
    assert all(0 <= seed < 2**32 for seed in seeds)
