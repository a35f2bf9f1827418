"""What the search came to: random order, P(better), what more would bring, failures by value."""

import itertools
import math
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.reports.failure_rates import failure_rates
from automl.reports.findings import Cost
from automl.reports.prospects import MORE, prospects_of
from automl.reports.random_search import expected_best
from automl.reports.spending import wall_sentence
from automl.reports.summary import read_summary
from automl.study.config import Direction, Objective
from automl.study.limits import Limits
from automl.study.records import FailureClass, OutcomeState
from tests.unit.reports.study_builder import StudyBuilder, Told, config, confirm, fill, params

_HIGH = Objective("m", Direction.MAXIMIZE, worst=0.0)
_LOW = Objective("m", Direction.MINIMIZE, worst=9.0)
_VALUES = st.lists(st.floats(-10, 10), min_size=1, max_size=7)


@given(_VALUES, st.sampled_from([_HIGH, _LOW]))
def test_random_order_is_the_mean_over_all_subsets(
    values: list[float], objective: Objective
) -> None:
    pick = max if objective is _HIGH else min
    for k, mean in enumerate(expected_best(values, objective), 1):
        subsets = [pick(subset) for subset in itertools.combinations(values, k)]
        assert mean == pytest.approx(fmean(subsets), abs=1e-9)


def test_many_trials_do_not_overflow() -> None:
    curve = expected_best([float(i) for i in range(1000)], _HIGH)
    assert curve[0] == pytest.approx(499.5)
    assert curve[-1] == 999.0
    assert all(a <= b + 1e-9 for a, b in itertools.pairwise(curve))


def test_fresh_seeds_say_how_sure_the_gain_is(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config(limits=Limits(trials=8, confirm=3, confirm_top=1)))
    fill(builder)
    confirm(builder, 4)
    found = read_summary(builder.folder).prospects
    assert found is not None
    assert found.by.startswith("by fresh seeds")
    assert found.p_better is not None
    # The 95 % interval of the difference leaves out 0, so a side is improbable by 2.5 % at most.
    assert found.p_better > 0.975
    summary = read_summary(builder.folder)
    assert summary.winner is not None
    turned = prospects_of(
        [t.record for t in summary.trials],
        summary.winner,
        summary.cost,
        replace(summary.objective, direction=Direction.MINIMIZE),
    )
    assert turned.p_better == pytest.approx(1 - found.p_better)
    assert turned.gain_per_hour == pytest.approx(-(found.gain_per_hour or 0.0))


def test_without_seeds_all_trials_say_it_and_more_trials_are_weighed(full_study: Path) -> None:
    summary = read_summary(full_study)
    found = summary.prospects
    assert found is not None
    assert found.by == "by all trials together"
    assert found.p_improve == MORE / (5 + MORE)
    assert summary.winner is not None
    assert summary.winner.weighed is not None
    gain = summary.winner.weighed.gain
    assert gain is not None
    assert found.gain_per_hour == pytest.approx(gain * 3600 / summary.cost.seconds)
    said = list(found.lines())
    assert said[2].endswith("67 % (10 / (5 + 10): any of them may be the best if they are drawn "
                            "like those so far)")  # fmt: skip


def test_a_default_that_stays_the_best_has_no_gain(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.5]))
    builder.add(1, Told(params(1e-3), [0.1]))
    found = read_summary(builder.folder).prospects
    assert found is not None
    assert (found.p_better, found.gain_per_hour) == (None, None)


def test_values_that_break_trainings_are_found(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config(limits=Limits(trials=20)))
    for number in range(20):
        own = params(1e-4 * (1 + number), backbone="nano" if number % 2 else "DLA34")
        if number % 2 == 0 and number:
            builder.add(number, Told(own, (), OutcomeState.FAILED, FailureClass.OOM, "oom"))
        else:
            builder.add(number, Told(own, [0.1 + number / 100]))
    first = failure_rates(read_summary(builder.folder))[0]
    assert (first.key, first.values) == ("model.backbone.model_type", "DLA34")
    assert (first.n, first.n_failed, first.percent) == (10, 9, "90 %")
    assert first.said.startswith("yes")
    # Nine of nine failures among ten of twenty, and nothing else as rare: by counting.
    alone = math.comb(10, 9) / math.comb(20, 9)
    assert alone <= first.p <= 8 * alone


def test_failures_of_the_machine_are_no_rates(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.5]))
    builder.add(1, Told(params(1e-3), (), OutcomeState.FAILED, FailureClass.DISK, "full"))
    assert failure_rates(read_summary(builder.folder)) == []


def test_parts_of_the_wall_time_add_up() -> None:
    assert wall_sentence(Cost(wall_s=51.0, busy_s=36.0)).startswith(
        "51s of wall time: 36s with at least one trial under way, 15s with none"
    )
    assert "for all of it" in wall_sentence(Cost(wall_s=100.0, busy_s=99.0))
