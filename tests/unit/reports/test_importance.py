"""Importance: what depends on a parameter is shown, what chance gives as well is not."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.reports.forest import Column, Forest
from automl.reports.importance import ENOUGH, importance_of
from automl.reports.model import Summary, TrialReport
from automl.skill.tree import ParamValue
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import Direction, Objective, StudyConfig
from automl.study.records import TrialRecord, TrialState
from automl.study.state import StudyStatus

SPACE = SearchSpace(
    (
        Parameter("lr", "float", FloatRange(1e-5, 1e-2, log=True), default=1e-4),
        Parameter("batch", "int", IntRange(1, 16), default=4),
        Parameter("net", "string", Choice(("a", "b", "c")), default="a"),
    )
)
Score = Callable[[dict[str, ParamValue]], float]


def summary_of(
    score: Score, n: int = 60, direction: Direction = Direction.MAXIMIZE, seed: int = 0
) -> Summary:
    """A random search of which every trial has ended with a score."""
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(n):
        params: dict[str, ParamValue] = {
            "lr": float(10 ** rng.uniform(-5, -2)),
            "batch": int(rng.integers(1, 17)),
            "net": str(rng.choice(["a", "b", "c"])),
        }
        value = score(params) + 0.05 * float(rng.normal())
        record = TrialRecord(number, TrialState.COMPLETE, params, best_epoch=0, best_value=value)
        trials.append(TrialReport(record))
    config = StudyConfig("unit", "/skill", "on", "default", Objective("m", direction))
    return Summary(Path("unit"), config, SPACE, StudyStatus.FINISHED, trials=tuple(trials))


def of_lr(params: dict[str, ParamValue]) -> float:
    lr = params["lr"]
    assert isinstance(lr, float)
    return -abs(float(np.log10(lr)) + 3.5)


def shown(summary: Summary) -> list[str]:
    return [share.key for share in importance_of(summary).shares]


def test_the_parameter_that_decides_is_shown_alone() -> None:
    importance = importance_of(summary_of(of_lr))
    (share,) = importance.shares
    assert share.key == "lr"
    assert share.p == pytest.approx(1 / 200)
    assert min(share.mdi, share.fanova, share.ped) > 0.6
    assert "Not separable from chance: batch, net." in importance.note


def test_a_choice_that_decides_is_shown_alone() -> None:
    assert shown(summary_of(lambda params: float(params["net"] == "b"))) == ["net"]


def test_two_that_decide_are_shown() -> None:
    keys = shown(summary_of(lambda params: of_lr(params) + 2 * float(params["net"] == "b"), 120))
    assert keys == ["lr", "net"]


def test_the_direction_does_not_matter_to_what_decides() -> None:
    low = summary_of(lambda params: -of_lr(params), direction=Direction.MINIMIZE)
    assert shown(low) == ["lr"]


@pytest.mark.parametrize("value", [0.0, 0.7])
def test_nothing_is_shown_where_nothing_decides(value: float) -> None:
    importance = importance_of(summary_of(lambda _: value))
    assert importance.shares == ()
    assert "no parameter is separable from chance (n = 60; 199 shuffles" in importance.note


def test_values_that_are_all_the_same_show_nothing() -> None:
    summary = summary_of(of_lr)
    for trial in summary.trials:
        object.__setattr__(trial.record, "best_value", 0.5)
    assert shown(summary) == []


def test_few_trials_show_nothing() -> None:
    note = importance_of(summary_of(of_lr, ENOUGH - 1)).note
    assert note == f"Not shown: {ENOUGH - 1} usable trials, {ENOUGH} are needed."


def test_a_long_study_is_judged_by_a_part_and_counted_whole() -> None:
    importance = importance_of(summary_of(of_lr, 1100))
    assert importance.note.startswith("n = 1100 usable trials")
    assert "lr" in [share.key for share in importance.shares]


def _columns(numbers: Sequence[Sequence[float]], codes: Sequence[int]) -> list[Column]:
    return [*(Column(np.array(column)) for column in numbers), Column(np.array(codes), 4)]


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_shares_of_a_forest_add_up_to_one_for_any_outcome(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    columns = _columns(rng.uniform(size=(2, n)).tolist(), rng.integers(0, 4, size=n).tolist())
    forest = Forest.grown(columns, rng)
    outcome = rng.normal(size=n)
    impurity = forest.impurity_shares(np.column_stack([outcome, 3 * outcome - 7]))
    variance = forest.variance_shares(outcome)
    assert np.all(impurity >= -1e-9)
    assert np.all(variance >= 0)
    # Three trials or fewer cannot be split into two leaves of two.
    total = 1.0 if n >= 4 and np.any(impurity) else 0.0
    assert impurity.sum(axis=0) == pytest.approx([total, total])
    assert impurity[:, 0] == pytest.approx(impurity[:, 1])


def test_a_forest_explains_nothing_of_a_constant() -> None:
    rng = np.random.default_rng(0)
    forest = Forest.grown(_columns(rng.uniform(size=(2, 20)).tolist(), [0, 1, 2, 3] * 5), rng)
    assert forest.impurity_shares(np.full((20, 1), 0.25)).tolist() == [[0.0]] * 3
    assert forest.variance_shares(np.full(20, 0.25)).tolist() == [0.0] * 3
