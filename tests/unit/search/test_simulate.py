"""A simulated search: the engine's own decisions, and sums that anybody can check by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from automl.search.curves import Curve, Epoch
from automl.search.decision import EndCause
from automl.search.simulate import Costs, Until, simulate
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.study.config import Resources, SearchSettings, StudyConfig
from automl.study.limits import Limits
from automl.study.records import FailureClass, TrialState


@dataclass(frozen=True, slots=True)
class Rising:
    """Better the nearer ``optim.lr`` is to 1e-3; a batch above ``fits`` runs out of memory.

    Attributes:
        n_epochs: Epochs of a training, ten seconds each.
        fits: The largest batch that trains.
        validated: Every so many epochs the objective is reported.
    """

    n_epochs: int = 4
    fits: int = 16
    validated: int = 1

    def train(self, params: Mapping[str, ParamValue], seed: int | None) -> Curve:
        if float(str(params["batch"])) > self.fits:
            return Curve((), FailureClass.OOM, "CUDA out of memory")
        final = (
            1.0 / (1.0 + abs(float(str(params["optim.lr"])) - 1e-3) * 1e3) + (seed or 0) * 1e-12
        )
        epochs = (
            Epoch(10.0, {"val_3DIoU": final * done / self.n_epochs} if self._has(done) else {})
            for done in range(1, self.n_epochs + 1)
        )
        return Curve(tuple(epochs))

    def _has(self, done: int) -> bool:
        return done % self.validated == 0


def test_costs_add_up(space: SearchSpace, config: StudyConfig) -> None:
    done = simulate(space, config, Rising(), Costs(start_s=5.0))
    assert done.trainings == 8.0
    assert done.seconds == 8 * 45.0
    assert [trial.n_epochs for trial in done.trials] == [4] * 8
    assert [trial.seconds for trial in done.trials] == [45.0] * 8
    assert done.gpu_seconds == 0.0
    assert done.end is not None
    assert done.end.reason == "all 8 trials were started"
    ends = [event.trainings for event in done.events if event.what == "ends"]
    assert ends == [float(n) for n in range(1, 9)]


def test_places_train_at_once(space: SearchSpace, config: StudyConfig) -> None:
    wide = replace(config, resources=Resources(max_concurrent=4, gpus_per_trial=1))
    done = simulate(space, wide, Rising())
    assert done.seconds == 2 * 40.0
    assert done.gpu_seconds == 8 * 40.0
    starts = [event.at_s for event in done.events if event.what == "starts"]
    assert starts == [0.0] * 4 + [40.0] * 4


def test_incumbents_are_the_engines(space: SearchSpace, config: StudyConfig) -> None:
    done = simulate(space, config, Rising())
    values = [trial.record.best_value for trial in done.trials]
    assert done.best is not None
    assert done.best.value == max(value for value in values if value is not None)
    assert [one.value for one in done.incumbents] == sorted(one.value for one in done.incumbents)
    assert done.best_at(0.5) is None
    first = done.best_at(1.0)
    assert first is not None
    assert first.number == 0


def test_a_failure_costs_what_it_trained(space: SearchSpace, config: StudyConfig) -> None:
    done = simulate(space, config, Rising(fits=8))
    failed = [trial for trial in done.trials if trial.record.state is TrialState.FAILED]
    assert failed
    assert all(trial.n_epochs == 0 for trial in failed)
    assert {event.reason for event in done.events if event.what == "fails"} == {
        "CUDA out of memory"
    }


def test_epochs_without_validation_are_not_reported(
    space: SearchSpace, config: StudyConfig
) -> None:
    done = simulate(space, config, Rising(validated=2))
    assert all(set(trial.record.values) == {1, 3} for trial in done.trials)


def test_a_rule_that_stops_saves_epochs(space: SearchSpace, config: StudyConfig) -> None:
    rule = replace(config, search=SearchSettings(pruner="median"), limits=Limits(20))
    done = simulate(space, rule, Rising(n_epochs=12))
    stopped = [event for event in done.events if event.what == "stops"]
    assert stopped
    assert all("median rule" in event.reason for event in stopped)
    assert done.trainings == sum(trial.n_epochs for trial in done.trials) / 12
    assert done.trainings < 20


def test_a_pause_frees_the_place_and_going_on_costs(
    space: SearchSpace, config: StudyConfig
) -> None:
    search = SearchSettings(sampler="random", fidelity="asha", rungs=(2,), n_epochs=8)
    asked = replace(config, search=search, limits=Limits(12))
    done = simulate(space, asked, Rising(n_epochs=8), Costs(start_s=5.0, resume_s=3.0))
    paused = [event.number for event in done.events if event.what == "pauses"]
    resumed = [event.number for event in done.events if event.what == "goes on"]
    assert resumed
    assert set(resumed) <= set(paused)
    for trial in done.trials:
        # What was trained before a pause is not trained again.
        assert trial.n_epochs in (2, 8)
        n_resumed = resumed.count(trial.record.number)
        assert trial.seconds == 5.0 + 10.0 * trial.n_epochs + 3.0 * n_resumed
    assert done.trainings == sum(trial.n_epochs for trial in done.trials) / 8
    assert not any(trial.record.state is TrialState.PAUSED for trial in done.trials)


def test_a_budget_cuts_a_search_off(space: SearchSpace, config: StudyConfig) -> None:
    done = simulate(space, config, Rising(), until=Until(2.5))
    assert done.trainings == 2.5
    assert done.end is None
    assert done.trials[-1].record.state is TrialState.RUNNING
    assert done.trials[-1].seconds == 20.0


def test_a_search_that_stopped_itself_is_resumed(space: SearchSpace, config: StudyConfig) -> None:
    asked = replace(config, limits=Limits(20))
    once = simulate(space, asked, Rising(fits=1))
    assert once.end is not None
    assert once.end.cause is EndCause.CIRCUIT_BREAKER
    again = simulate(space, asked, Rising(fits=1), until=Until(resumes=1))
    assert again.trials[: len(once.trials)] == once.trials
    assert len(again.trials) > len(once.trials)
    whole = simulate(space, asked, Rising(fits=1), until=Until(resumes=50))
    assert whole.end is not None
    assert whole.end.reason == "all 20 trials were started"


@pytest.mark.parametrize("places", [1, 3])
def test_the_same_arguments_give_the_same_search(
    space: SearchSpace, config: StudyConfig, places: int
) -> None:
    asked = replace(config, resources=Resources(max_concurrent=places))
    one, other = (simulate(space, asked, Rising()).to_json() for _ in range(2))
    assert one == other


def test_an_epoch_takes_no_negative_time() -> None:
    with pytest.raises(ValueError, match="0 seconds or more"):
        Epoch(-1.0)
