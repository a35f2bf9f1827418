"""What of a study counts as data for a model."""

from typing import Any

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, create_trial
from optuna.trial import TrialState as OptunaState

from automl.search.observations import Kind, Observation, Prediction, observe
from automl.study import attributes
from automl.study.records import FailureClass

X = {"x": FloatDistribution(0.0, 1.0)}


def trial(
    x: float = 0.5,
    value: float | None = None,
    state: OptunaState = OptunaState.COMPLETE,
    seen: dict[int, float] | None = None,
    attrs: dict[str, Any] | None = None,
) -> FrozenTrial:
    return create_trial(
        state=state,
        value=value,
        params={"x": x},
        distributions=dict(X),
        intermediate_values=seen or {},
        user_attrs=attrs or {},
    )


def in_study(*trials: FrozenTrial) -> list[FrozenTrial]:
    study = optuna.create_study()
    study.add_trials(trials)
    return study.get_trials()


def test_a_training_that_ended_well_counts_with_its_value() -> None:
    assert observe([trial(0.25, 0.7)]) == (Observation({"x": 0.25}, 0.7, 0.0, Kind.MEASURED),)


def test_a_stopped_training_counts_with_its_last_value_and_half_the_spread() -> None:
    stopped = trial(0.1, None, OptunaState.PRUNED, {0: 0.3, 2: 0.2})
    seen = observe(in_study(trial(value=0.4), trial(value=0.8), stopped))
    assert (seen[-1].kind, seen[-1].value) == (Kind.STOPPED, 0.2)
    assert seen[-1].sd == pytest.approx(0.1)


@pytest.mark.parametrize("state", [OptunaState.PRUNED, OptunaState.RUNNING, OptunaState.WAITING])
def test_a_prediction_stands_for_the_value_of_what_did_not_run_to_its_end(
    state: OptunaState,
) -> None:
    kind = Kind.STOPPED if state is OptunaState.PRUNED else Kind.OPEN
    seen = observe([trial(0.1, None, state, {0: 0.3})], predict=lambda _: Prediction(0.6, 0.05))
    assert seen == (Observation({"x": 0.1}, 0.6, 0.05, kind),)


def test_what_runs_has_no_value_until_somebody_predicts_one() -> None:
    seen = observe([trial(0.1, None, OptunaState.RUNNING, {0: 0.3})])
    assert seen == (Observation({"x": 0.1}, None, 0.0, Kind.OPEN),)


@pytest.mark.parametrize(
    "attrs",
    [
        {attributes.FAILURE: str(FailureClass.OOM)},
        {attributes.REFUSED: "beyond memory"},
    ],
)
def test_the_value_told_for_a_failure_is_no_measurement(attrs: dict[str, Any]) -> None:
    assert observe([trial(0.9, 0.0, attrs=attrs)]) == (
        Observation({"x": 0.9}, None, 0.0, Kind.FAILED),
    )


@pytest.mark.parametrize(
    "unrelated",
    [
        trial(0.9, None, OptunaState.FAIL, attrs={attributes.FAILURE: str(FailureClass.DISK)}),
        trial(0.9, None, OptunaState.FAIL, attrs={attributes.SUPERSEDED: "goes on"}),
        trial(0.9, 0.5, attrs={attributes.OUTSIDE: "the default is outside"}),
        trial(0.9, None, OptunaState.PRUNED),
        create_trial(state=OptunaState.RUNNING),
    ],
)
def test_what_says_nothing_of_the_space_is_no_observation(unrelated: FrozenTrial) -> None:
    assert observe([unrelated]) == ()


def test_of_several_attempts_the_newest_counts() -> None:
    gone = {attributes.NUMBER: 3, attributes.SUPERSEDED: "-"}
    first = trial(0.2, None, OptunaState.FAIL, attrs=gone)
    second = trial(0.2, 0.8, attrs={attributes.NUMBER: 3, attributes.ATTEMPT: 2})
    assert [one.value for one in observe(in_study(first, second))] == [0.8]


def test_a_refused_proposal_counts_beside_the_one_that_took_its_number() -> None:
    refused = trial(0.9, 0.0, attrs={attributes.NUMBER: 3, attributes.REFUSED: "beyond memory"})
    run = trial(0.2, 0.8, attrs={attributes.NUMBER: 3, attributes.DRAW: 1})
    assert [one.kind for one in observe(in_study(refused, run))] == [Kind.FAILED, Kind.MEASURED]


def test_a_confirmation_is_one_more_observation_of_the_same_params() -> None:
    winner = trial(0.2, 0.8, attrs={attributes.NUMBER: 0})
    again = trial(0.2, 0.7, attrs={attributes.NUMBER: 1, attributes.CONFIRMS: 0})
    assert [one.value for one in observe(in_study(winner, again))] == [0.8, 0.7]


def test_a_queued_attempt_is_known_by_what_was_fixed_for_it() -> None:
    waiting = create_trial(
        state=OptunaState.WAITING, user_attrs={attributes.NUMBER: 1, attributes.FIXED: {"x": 0.4}}
    )
    assert observe([waiting]) == (Observation({"x": 0.4}, None, 0.0, Kind.OPEN),)


def test_a_value_that_is_not_finite_is_a_failure() -> None:
    assert [one.kind for one in observe([trial(0.2, float("inf"))])] == [Kind.FAILED]
