"""The figures: what they show, what they leave out, and that n is always said."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from automl.reports.curves import learning_figure
from automl.reports.figures import figures_of
from automl.reports.importance import ENOUGH, importance_of
from automl.reports.incumbent import incumbent_figure
from automl.reports.slices import slice_figure
from automl.reports.slots import bars_of
from automl.reports.summary import read_summary
from automl.reports.timeline import timeline_figure
from automl.space.distributions import Choice
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import SearchSettings
from automl.study.limits import Limits
from automl.study.records import FailureClass, OutcomeState
from tests.unit.reports.study_builder import StudyBuilder, Told, config, fill_paused, many, params


def test_a_full_study_has_every_figure_but_importance(full_study: Path) -> None:
    drawn = figures_of(read_summary(full_study))
    assert set(drawn.by_name) == {
        *("incumbent", "learning", "slices", "parallel", "failures", "budget", "timeline"),
        "throughput",
    }
    assert drawn.importance_note == f"Not shown: 5 usable trials, {ENOUGH} are needed."
    for name in ("incumbent", "learning", "timeline"):
        assert "n = " in drawn.by_name[name].caption


def test_an_empty_study_has_none(studies_dir: Path) -> None:
    assert figures_of(read_summary(StudyBuilder(studies_dir).folder)).by_name == {}


def test_a_direct_training_has_its_curve(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config(policy="off"), SearchSpace())
    builder.add(0, Told({}, [0.2, 0.3]))
    assert set(figures_of(read_summary(builder.folder)).by_name) == {
        "incumbent",
        "learning",
        "timeline",
        "throughput",
    }


def test_only_failures_still_draw(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), (), OutcomeState.FAILED, FailureClass.OOM, "oom"))
    assert set(figures_of(read_summary(builder.folder)).by_name) == {"failures", "timeline"}


def test_the_incumbent_never_gets_worse_and_pruned_trials_have_no_point(full_study: Path) -> None:
    figure = incumbent_figure(read_summary(full_study))
    assert figure is not None
    points, best = figure.plot.data[0], figure.plot.data[1]
    assert list(points.customdata) == [0, 1, 4, 6, 7]
    assert list(best.y) == [0.31, 0.43, 0.47, 0.47, 0.47]
    assert figure.plot.layout.shapes[0].y0 == 0.31


def test_lines_of_one_kind_are_one_trace(full_study: Path) -> None:
    figure = learning_figure(read_summary(full_study))
    assert figure is not None
    by_name = {trace.name: trace for trace in figure.plot.data if trace.name}
    assert "winner (trial 4)" in by_name
    assert "default (trial 0)" in by_name
    short = by_name["pruned or failed (n = 2)"]
    assert list(short.x) == [0, 1, None, 0, 1, None]
    assert by_name["winner (trial 4)"].line.width > short.line.width


def test_rungs_and_early_ends_are_marked(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config(search=SearchSettings(rungs=(3, 6), n_epochs=9)))
    fill_paused(builder)
    figure = learning_figure(read_summary(builder.folder))
    assert figure is not None
    by_name = {trace.name: trace for trace in figure.plot.data if trace.name}
    # A rung counts epochs from 1, the axis from 0.
    assert list(by_name["rung"].x) == [2, 2, None, 5, 5, None]
    early = by_name["ended early (n = 3)"]
    assert list(early.x) == [2, 2, 2]
    assert [number for number, _ in early.customdata] == [1, 2, 3]
    assert "after epoch 2, 5" in figure.caption


def test_slices_have_log_axes_and_say_n(full_study: Path) -> None:
    figure = slice_figure(read_summary(full_study))
    assert figure is not None
    layout = figure.plot.layout
    assert layout.xaxis.type == "log"
    assert layout.xaxis.title.text == "lr (n = 5)"
    assert list(layout.xaxis.ticktext) == [
        *("1e-5", "3e-5", "1e-4", "3e-4", "1e-3", "3e-3", "0.01"),
    ]
    assert layout.xaxis2.type == "log"
    assert list(layout.xaxis2.tickvals) == [1, 2, 4, 8, 16]
    assert layout.xaxis3.type == "category"
    assert list(layout.xaxis3.categoryarray) == ["nano", "DLA34"]


def test_a_label_cannot_carry_markup(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    summary = read_summary(builder.folder)
    backbone = summary.space.parameters[2]
    assert isinstance(backbone, Parameter)
    tagged = replace(backbone, distribution=Choice(("<b>x</b>",)))
    builder.add(0, Told(params(backbone="<b>x</b>"), [0.1], evidence="<a href='x'>y</a>"))
    shown = replace(read_summary(builder.folder), space=SearchSpace((tagged,)))
    slices = slice_figure(shown)
    timeline = timeline_figure(shown)
    assert slices is not None
    assert timeline is not None
    assert "<b>" not in str(slices.plot.to_dict())
    assert "<a href" not in str(timeline.plot.to_dict())


def test_attempts_of_one_slot_do_not_overlap(full_study: Path) -> None:
    bars = bars_of(read_summary(full_study))
    assert len(bars) == 9
    assert max(bar.slot for bar in bars) == 1
    for slot in (0, 1):
        row = sorted((bar.begin_s, bar.length_s) for bar in bars if bar.slot == slot)
        assert all(a + length <= b for (a, length), (b, _) in pairwise(row))


@pytest.fixture
def long_study(studies_dir: Path) -> Path:
    builder = StudyBuilder(studies_dir, config(limits=Limits(trials=60)))
    many(builder, 60)
    return builder.folder


def test_importance_shows_what_chance_does_not_give(long_study: Path) -> None:
    importance = importance_of(read_summary(long_study))
    assert "n = 43 usable trials" in importance.note
    # The backbone was the same in every trial: nothing can be said of it.
    assert importance.note.endswith("Not separable from chance: dataset.batch_size.")
    (share,) = importance.shares
    assert share.key == "train.optim.lr"
    assert min(share.mdi, share.fanova, share.ped) > 0.5
    assert importance_of(read_summary(long_study)) == importance
    assert "importance" in figures_of(read_summary(long_study)).by_name
