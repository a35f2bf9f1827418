"""The halving methods under the real engine, over curves that are flat at first."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log10

import pytest

from automl.search.curves import Curve, Epoch
from automl.search.simulate import simulate
from automl.search.simulation import Simulation
from automl.skill.signals import Signal
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.study.config import Resources, SearchSettings, StudyConfig
from automl.study.limits import Limits
from automl.study.records import TrialState

N_EPOCHS = 12
RUNGS = (2, 6)


@dataclass(frozen=True, slots=True)
class LateRisers:
    """Best near a rate of 1e-3; the objective is zero for half of the training, the loss never."""

    n_epochs: int = N_EPOCHS

    def train(self, params: Mapping[str, ParamValue], seed: int | None) -> Curve:
        away = abs(log10(float(str(params["optim.lr"]))) + 3.0) / 2.0
        batch = float(str(params["batch"])) / 1000.0
        final = max(0.0, 1.0 - away) + batch + (seed or 0) * 1e-12
        done = range(1, self.n_epochs + 1)
        return Curve(
            tuple(
                Epoch(
                    10.0,
                    {
                        "val_3DIoU": final * max(0, n - 6) / 6,
                        "train_loss": 20.0 - final * n,
                    },
                )
                for n in done
            )
        )


def searched(
    space: SearchSpace, config: StudyConfig, fidelity: str, trials: int = 16, places: int = 1
) -> Simulation:
    rungs = () if fidelity == "full" else RUNGS
    settings = SearchSettings(
        sampler="random",
        fidelity=fidelity,
        rungs=rungs,
        n_epochs=N_EPOCHS,
        signals=(Signal("train_loss"),),
    )
    asked = replace(
        config,
        search=settings,
        limits=Limits(trials),
        resources=Resources(max_concurrent=places),
    )
    return simulate(space, asked, LateRisers())


@pytest.mark.parametrize("places", [1, 4])
def test_halving_finds_the_same_winner_for_less(
    space: SearchSpace, config: StudyConfig, places: int
) -> None:
    full = searched(space, config, "full")
    halved = searched(space, config, "asha", places=places)
    assert full.best is not None
    assert halved.best is not None
    assert full.best.value == halved.best.value
    assert full.trainings == 16
    assert halved.trainings < 10


def test_no_trial_is_trained_for_longer_than_a_whole_training(
    space: SearchSpace, config: StudyConfig
) -> None:
    for fidelity in ("asha", "hyperband"):
        done = searched(space, config, fidelity, places=3)
        assert {trial.n_epochs for trial in done.trials} <= {*RUNGS, N_EPOCHS}
        whole = [trial for trial in done.trials if trial.record.state is TrialState.COMPLETE]
        assert all(trial.n_epochs == N_EPOCHS for trial in whole)


def test_brackets_cost_more_than_halving_alone(space: SearchSpace, config: StudyConfig) -> None:
    costs = [searched(space, config, name).trainings for name in ("asha", "hyperband", "full")]
    assert costs == sorted(costs)
    assert len(set(costs)) == 3


@pytest.mark.parametrize("trials", [1, 2, 3, 5, 8])
def test_small_studies_end_with_a_winner(
    space: SearchSpace, config: StudyConfig, trials: int
) -> None:
    done = searched(space, config, "asha", trials=trials)
    complete = [trial for trial in done.trials if trial.record.state is TrialState.COMPLETE]
    assert len(complete) >= min(trials, 3)
    assert done.trainings <= trials
    assert done.end is not None
    assert not any(trial.record.state is TrialState.RUNNING for trial in done.trials)


def test_what_was_checked_is_among_the_events(space: SearchSpace, config: StudyConfig) -> None:
    done = searched(space, config, "asha")
    audited = [event for event in done.events if event.what == "audited"]
    assert audited
    records = {trial.record.number: trial.record for trial in done.trials}
    for event in audited:
        assert records[event.number].audited == event.reason
        assert records[event.number].state is TrialState.COMPLETE
