"""The bench of the sampler's choices searches as the program does, and its rows say who won."""

from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from automl.search.gp_sampler import GaussianProcessSampler, Knowledge
from automl.search.observations import Kind, observe
from automl.search.prior import Prior
from automl.study import attributes
from automl.study.records import FailureClass
from tests.bench.search import cube_problems, terrain
from tests.bench.search.choices import CHOICES, LANDSCAPES, SHIPPED, propose, search
from tests.bench.search.cube_problems import CubeProblem, problem_of
from tests.bench.search.paired import differences, read_rows, table

RESULTS = Path(cube_problems.__file__).with_name("sampler_results")
SEED = 100


@pytest.fixture
def made() -> terrain.Problem:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return terrain.make("crash", 6, SEED)


@pytest.fixture
def problem() -> CubeProblem:
    return problem_of("crash6", SEED)


def study_of(problem: CubeProblem, made: terrain.Problem, count: int) -> optuna.Study:
    """A study of random trainings; what crashes is recorded as the engine does."""
    study = optuna.create_study(direction="maximize")
    draws = np.random.default_rng(4)
    for _ in range(count):
        point = problem.cube.spread(draws.random((1, len(problem.cube))))[0]
        params, value = problem.cube.decode(point), problem.value(point)
        failed = {attributes.FAILURE: FailureClass.DIVERGED.value} if np.isnan(value) else {}
        study.add_trial(
            create_trial(
                state=TrialState.COMPLETE,
                value=float(np.nan_to_num(value)),
                params=params,
                distributions=dict(made.distributions),
                user_attrs=failed,
            )
        )
    return study


@pytest.mark.parametrize(
    ("count", "number"), [*((count, count) for count in range(2, 9)), (8, 9), (8, 10)], ids=str
)
def test_what_ships_proposes_as_the_program_does(
    problem: CubeProblem, made: terrain.Problem, count: int, number: int
) -> None:
    study = study_of(problem, made, count)
    observations = observe(study.get_trials())
    priors = {name: Prior(value) for name, value in made.default.items()}
    sampler = GaussianProcessSampler(SEED, Knowledge(made.distributions, priors), number=number)
    space = sampler.infer_relative_search_space(study, study.trials[0])
    trial = create_trial(state=TrialState.WAITING)
    trial.number = count
    proposed = sampler.sample_relative(study, trial, space)
    point = propose(CHOICES[SHIPPED], problem, observations, number, SEED)
    assert proposed == problem.cube.decode(point)
    assert count == 2 or Kind.FAILED in {one.kind for one in observations}


def test_choices_differ_in_what_they_propose(problem: CubeProblem, made: terrain.Problem) -> None:
    observations = observe(study_of(problem, made, 8).get_trials())
    points = {
        name: tuple(propose(CHOICES[name], problem, observations, 9, SEED).tolist())
        for name in ("level", "both", "lengthscales", "sum", SHIPPED)
    }
    assert points.pop("level") not in points.values()
    assert len(set(points.values())) == len(points)


@pytest.mark.parametrize("name", ["hills6", "hart6"])
def test_a_search_gives_the_rows_that_are_kept(name: str) -> None:
    kept = {
        row["choice"]: row["at"]["10"]
        for row in read_rows(RESULTS / "choices.json", 300, 301)
        if row["landscape"] == name
    }
    for choice in ("before", "odd wide"):
        found = search(CHOICES[choice], problem_of(name, 300), 300, 10)[-1]
        assert found == pytest.approx(kept[choice], abs=5e-5)


def test_every_kept_row_is_of_a_choice_and_against_its_pair() -> None:
    rows = read_rows(RESULTS / "choices.json", 200, 219)
    assert {row["choice"] for row in rows} < set(CHOICES)
    assert set(LANDSCAPES) < {row["landscape"] for row in rows}
    found = differences(rows, "before", 25)
    assert found["both"]["made up"] == pytest.approx((0.0362, 0.0071), abs=5e-5)


def test_differences_are_of_pairs_and_landscapes_count_alike() -> None:
    def row(choice: str, landscape: str, seed: int, value: float) -> dict[str, object]:
        return {"choice": choice, "landscape": landscape, "seed": seed, "at": {"10": value}}

    rows = [
        *[row("before", "a", seed, 0.1 * seed) for seed in range(3)],
        *[row("after", "a", seed, 0.1 * seed + 0.2) for seed in (1, 2, 9)],
        *[row(choice, "b", 0, value) for choice, value in (("before", 0.5), ("after", 0.1))],
        *[row(choice, "taskset-x", 0, value) for choice, value in (("before", -1), ("after", 9))],
    ]
    found = differences(rows, "before", 10)["after"]
    assert found["a"] == pytest.approx((0.2, 0.0))
    assert found["made up"] == pytest.approx((-0.1, 0.0))
    assert found["TaskSet"] == pytest.approx((10.0, 0.0))
    assert "after                    a                +0.2000 ± 0.0000" in table(rows, "before")


def test_an_unknown_landscape_is_named() -> None:
    with pytest.raises(SystemExit, match="nowhere6 is no landscape"):
        problem_of("nowhere6", 0)
    with pytest.raises(SystemExit, match="--curves"):
        problem_of("taskset-LSTM128", 0)
