"""What earlier studies tell: the values of a model, and settings to begin with."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import optuna
import pytest

from automl.search.earlier import earlier_observations
from automl.search.engine import Engine
from automl.search.observations import Kind, at_level
from automl.search.simulate import simulate
from automl.space.model import SearchSpace
from automl.study.config import SearchSettings, StudyConfig
from automl.study.earlier import Earlier, EarlierStudy, EarlierTrial
from automl.study.limits import Limits
from tests.bench.search.families import FAMILIES, Problem
from tests.bench.search.warm_start import Shifted, config_of, known_of, truth_at
from tests.unit.search.conftest import End

KNOWN = Earlier(
    (EarlierStudy("before", "/studies/before", 0.5, 3),),
    (
        EarlierTrial("before", 1, {"optim.lr": 1e-3, "batch": 8}, 0.1),
        EarlierTrial("before", 2, {"optim.lr": 3e-3, "batch": 2}, 0.2, 0.05),
        EarlierTrial("before", 3, {"optim.lr": 1e-5, "batch": 2}, -0.3),
    ),
)
TPE = SearchSettings(sampler="tpe")


def test_the_default_is_first_and_then_what_was_best(make: Callable[..., Engine]) -> None:
    engine = make(earlier=KNOWN, search=TPE, limits=Limits(15))
    asked = [engine.ask() for _ in range(4)]
    params = [dict(attempt.params) for attempt in asked if attempt is not None]
    assert params[0] == {"optim.lr": 1e-4, "batch": 4}
    assert params[1] == {"optim.lr": pytest.approx(3e-3), "batch": 2}
    assert params[2] == {"optim.lr": pytest.approx(1e-3), "batch": 8}
    # The third was worse than the default there.
    assert params[3] != {"optim.lr": pytest.approx(1e-5), "batch": 2}
    assert [record.source for record in engine.records()] == [
        *("default", "earlier", "earlier", "sampler"),
    ]


def test_a_fifth_of_the_trials_at_the_most_are_such(make: Callable[..., Engine]) -> None:
    engine = make(earlier=KNOWN, search=TPE, limits=Limits(5))
    for _ in range(3):
        engine.ask()
    assert [record.source for record in engine.records()] == ["default", "earlier", "sampler"]


def test_the_model_takes_them_as_values_and_tries_none_again(make: Callable[..., Engine]) -> None:
    engine = make(earlier=KNOWN, search=SearchSettings(sampler="gp"), limits=Limits(15))
    for _ in range(3):
        engine.ask()
    assert [record.source for record in engine.records()] == ["default", "sampler", "sampler"]


def test_a_gain_stands_on_top_of_this_study_s_default(
    config: StudyConfig, space: SearchSpace, make: Callable[..., Engine], end: End, study: Any
) -> None:
    found = earlier_observations(replace(config, earlier=KNOWN), space)
    assert [(one.value, one.sd, one.kind) for one in found] == [
        (0.1, 0.0, Kind.EARLIER),
        (0.2, 0.05, Kind.EARLIER),
        (-0.3, 0.0, Kind.EARLIER),
    ]
    assert [one.value for one in at_level(found, ())] == [0.1, 0.2, -0.3]
    engine = make(earlier=KNOWN)
    attempt = engine.ask()
    assert attempt is not None
    engine.finish(end(attempt, [0.7]))
    levelled = at_level(found, study.get_trials())
    assert [one.value for one in levelled] == pytest.approx([0.8, 0.9, 0.4])


def test_what_was_taken_outlives_a_round_trip(config: StudyConfig) -> None:
    known = replace(config, earlier=KNOWN)
    assert StudyConfig.from_json(known.to_json()).earlier == KNOWN
    without = {name: value for name, value in known.to_json().items() if name != "earlier"}
    assert StudyConfig.from_json(without).earlier == Earlier()


def test_the_same_is_proposed_after_a_kill_and_in_a_replay(
    config: StudyConfig, space: SearchSpace, end: End
) -> None:
    """What a study took is part of its configuration: nothing else is asked for it."""
    known = replace(config, earlier=KNOWN, search=SearchSettings(sampler="gp"))

    def proposed(n_engines: int) -> list[Any]:
        study = optuna.create_study(direction="maximize")
        engines = [Engine(study, space, known) for _ in range(n_engines)]
        found = []
        for at in range(5):
            engine = engines[at % n_engines]
            attempt = engine.ask()
            assert attempt is not None
            engine.finish(end(attempt, [0.5 + 0.01 * at]))
            found.append(dict(attempt.params))
        return found

    assert proposed(1) == proposed(2)


@pytest.mark.timeout(40)
def test_a_like_study_helps_and_a_misleading_one_costs_little() -> None:
    """Two seeds; ``tests/bench/search/warm_start.py`` measures more."""
    gain = cost = 0.0
    for seed in (0, 1):
        problem = Shifted(FAMILIES["default2"], seed)

        def score(known: Earlier, problem: Problem = problem, seed: int = seed) -> list[float]:
            asked = config_of(problem, seed, 10, known, "auto")
            return truth_at(simulate(problem.space, asked, problem), problem)

        blind = score(Earlier())
        gain += score(known_of(Problem(FAMILIES["default2"], seed), 100 + seed))[1] - blind[1]
        other = known_of(Problem(FAMILIES["default2"], 1000 + seed), 100 + seed)
        cost += blind[2] - score(other)[2]
    assert gain / 2 > 0.02
    assert cost / 2 < 0.05
