"""Proposals that learn nothing: they cover the space."""

import numpy as np
import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler

from automl.search.cma_es import CmaEsSampler, EvolutionState
from automl.search.encoding import Array
from automl.search.even import GridSampler, SobolSampler
from automl.search.prior import Prior

SPACE: dict[str, BaseDistribution] = {
    "x": FloatDistribution(0, 1),
    "batch": IntDistribution(1, 3),
    "net": CategoricalDistribution(("a", "b")),
}


def drawn(sampler: BaseSampler) -> tuple[object, ...]:
    trial = optuna.create_study(sampler=sampler).ask(SPACE)
    return tuple(trial.params[name] for name in SPACE)


def test_a_grid_has_as_many_cells_as_trials_and_visits_each_once() -> None:
    cells = [drawn(GridSampler(7, SPACE, place, 18)) for place in range(18)]
    assert len(set(cells)) == 18
    assert sorted({float(str(cell[0])) for cell in cells}) == pytest.approx([1 / 6, 0.5, 5 / 6])
    assert {cell[1:] for cell in cells} == {(n, net) for n in (1, 2, 3) for net in "ab"}


def test_half_of_a_grid_covers_the_space_too() -> None:
    cells = [drawn(GridSampler(0, SPACE, place, 18)) for place in range(9)]
    for column in range(3):
        assert len({cell[column] for cell in cells}) == (3, 3, 2)[column]


def test_a_grid_of_few_values_has_no_more_cells_than_values() -> None:
    small: dict[str, BaseDistribution] = {"batch": IntDistribution(1, 3), "net": SPACE["net"]}
    cells = {
        tuple(optuna.create_study(sampler=GridSampler(0, small, at, 50)).ask(small).params.items())
        for at in range(50)
    }
    assert len(cells) == 6


def test_a_sobol_sequence_fills_every_sixteenth() -> None:
    places = [drawn(SobolSampler(3, SPACE, place))[0] for place in range(1, 17)]
    assert sorted(int(16 * float(str(at))) for at in places) == list(range(16))


def bowl(point: Array) -> float:
    """A narrow valley that is turned in its space."""
    along, across = point[0] + point[1] - 1.2, point[0] - point[1] - 0.2
    return float(along**2 + 25 * across**2)


def test_cma_es_finds_the_bottom_of_a_narrow_valley() -> None:
    generator = np.random.default_rng(0)
    state = EvolutionState.start(np.array([0.2, 0.8]), np.array([0.2, 0.2]))
    for _ in range(60):
        points = np.array([state.draw(generator) for _ in range(6)])
        state = state.after(points, np.array([bowl(point) for point in points]))
    assert state.mean == pytest.approx([0.7, 0.5], abs=1e-3)
    assert state.sigma < 0.05


def test_cma_es_improves_on_where_it_started_whatever_it_was_shown() -> None:
    space: dict[str, BaseDistribution] = {
        "x": FloatDistribution(0, 1),
        "y": FloatDistribution(0, 1),
        "net": SPACE["net"],
    }
    study = optuna.create_study()
    study.enqueue_trial({"x": 0.2, "y": 0.8, "net": "a"})
    for number in range(120):
        study.sampler = CmaEsSampler(number, space, {"x": Prior(0.2), "y": Prior(0.8)})
        trial = study.ask(space)
        study.tell(trial, bowl(np.array([trial.params["x"], trial.params["y"]])))
    values = [trial.value for trial in study.get_trials()]
    late = [value for value in values[-20:] if value is not None]
    assert np.median(late) < 0.02 < (values[0] or 0)


def test_cma_es_learns_from_what_failed() -> None:
    state = EvolutionState.start(np.array([0.5, 0.5]), np.array([0.2, 0.2]))
    points = np.random.default_rng(0).random((6, 2))
    losses = np.where(points[:, 0] > 0.5, np.inf, 0.0)
    assert state.after(points, losses).mean[0] < 0.5
