"""How long a training will take."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from automl.search.cost import expected_length, relative_costs, whole_seconds
from automl.skill.keys import NetworkKeys
from automl.skill.tree import ParamValue
from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.limits import Limits
from automl.study.records import TrialRecord, TrialState

CONFIG = StudyConfig(
    "unit",
    "/skill",
    "on",
    "default",
    Objective("score", Direction.MAXIMIZE),
    keys=NetworkKeys(batch_sizes=("batch",)),
    search=SearchSettings(n_epochs=10),
    limits=Limits(max_wall_s=3600.0),
)


def trial(number: int, seconds: float, **params: ParamValue) -> TrialRecord:
    return TrialRecord(
        number, TrialState.COMPLETE, params, best_epoch=9, best_value=0.5, seconds=seconds
    )


def many(
    seconds_of: Callable[[int, str], float], n: int = 24, noise: float = 0.03
) -> list[TrialRecord]:
    rng = np.random.default_rng(0)
    found = []
    for number in range(n):
        batch, net = int(rng.choice([2, 4, 8, 16])), str(rng.choice(["small", "large"]))
        seconds = seconds_of(batch, net) * float(np.exp(noise * rng.standard_normal()))
        found.append(trial(number, seconds, batch=batch, net=net, lr=float(rng.random())))
    return found


def test_nothing_is_known_before_a_training_has_ended() -> None:
    assert expected_length({}, [], CONFIG) is None
    assert relative_costs([], CONFIG) is None


def test_one_training_is_a_guess_with_room_above() -> None:
    found = expected_length({"batch": 4}, [trial(0, 100.0, batch=4)], CONFIG)
    assert found is not None
    assert found.median_s == pytest.approx(100.0)
    assert 105.0 < found.upper_s < 150.0
    assert found.n == 1


def test_batch_and_backbone_are_learned() -> None:
    records = many(lambda batch, net: 800.0 / batch * (3.0 if net == "large" else 1.0))
    small = expected_length({"batch": 16, "net": "small", "lr": 0.5}, records, CONFIG)
    large = expected_length({"batch": 2, "net": "large", "lr": 0.5}, records, CONFIG)
    assert small is not None
    assert large is not None
    assert small.median_s == pytest.approx(50.0, rel=0.2)
    assert large.median_s == pytest.approx(1200.0, rel=0.2)
    cost = relative_costs(records, CONFIG)
    assert cost is not None
    typical = float(np.mean(np.log([record.seconds for record in records])))
    dear = cost({"batch": 2, "net": "large", "lr": 0.5})
    assert dear == pytest.approx(np.log(large.median_s) - typical)


def test_a_setting_that_costs_nothing_changes_little() -> None:
    records = many(lambda *_: 100.0)
    ends = [expected_length({"batch": 4, "lr": lr}, records, CONFIG) for lr in (0.0, 1.0)]
    assert ends[0] is not None
    assert ends[1] is not None
    assert ends[0].median_s == pytest.approx(ends[1].median_s, rel=0.05)


def test_nine_of_ten_are_shorter_than_the_upper_end() -> None:
    records = many(lambda *_: 100.0, n=120, noise=0.2)
    known, new = records[:40], records[40:]
    uppers = [expected_length(record.params, known, CONFIG) for record in new]
    inside = sum(
        record.seconds <= upper.upper_s
        for record, upper in zip(new, uppers, strict=True)
        if upper is not None
    )
    assert 0.8 <= inside / len(new) <= 0.98


def test_what_was_stopped_early_counts_by_its_epochs() -> None:
    cut = replace(trial(0, 30.0), state=TrialState.PRUNED, values={0: 0.1, 1: 0.1, 2: 0.2})
    assert whole_seconds(cut, CONFIG) == 100.0
    assert whole_seconds(replace(cut, state=TrialState.FAILED), CONFIG) is None
    unknown = replace(CONFIG, search=SearchSettings())
    assert whole_seconds(cut, unknown) is None


def test_where_trials_are_the_budget_a_trial_costs_a_trial() -> None:
    records = many(lambda batch, _: 800.0 / batch)
    by_trials = replace(CONFIG, limits=Limits())
    assert relative_costs(records, by_trials) is None
