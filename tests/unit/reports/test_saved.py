"""What ending trials early has saved: one estimate, and the same figure wherever it is shown."""

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import automl
from automl.reports import words
from automl.reports.early_ends import sentences
from automl.reports.markdown import render_markdown
from automl.reports.model import TrialReport
from automl.reports.saved import NOTHING, epoch_seconds, saved_of
from automl.reports.spending import budget_figure
from automl.reports.summary import read_summary
from automl.reports.text import run_footer
from automl.reports.write import write_report
from automl.study.config import SearchSettings
from automl.study.records import Measurement, OutcomeState, TrialRecord, TrialState
from tests.unit.reports.study_builder import StudyBuilder, Told, config, params

SEARCH = SearchSettings(n_epochs=9)
REFERENCE = Path(automl.__file__).parents[1] / "studies" / "reference" / "dla34"


def measured(*elapsed: float) -> list[Measurement]:
    return [Measurement(epoch, {}, seconds) for epoch, seconds in enumerate(elapsed)]


def trial(number: int, n_epochs: int, state: TrialState, pace: float | None) -> TrialReport:
    values = dict.fromkeys(range(n_epochs), 0.5)
    record = TrialRecord(number, state, {}, values=values, best_epoch=0, best_value=0.5)
    return TrialReport(record, epoch_s=pace)


@given(st.floats(0.0, 1e4), st.floats(0.01, 1e3), st.integers(2, 30))
def test_a_start_is_no_part_of_the_pace(start: float, pace: float, n: int) -> None:
    entries = measured(*(start + pace * (epoch + 1) for epoch in range(n)))
    assert epoch_seconds(entries) == pytest.approx(pace, rel=1e-6)


@pytest.mark.parametrize(
    ("elapsed", "pace"),
    [
        ((30.0, 32.0, 34.0, 90.0, 92.0), 2.0),  # a pause, and another start after it
        ((30.0, math.nan, 34.0), 2.0),
        ((30.0,), None),
        ((0.0, 0.0, 0.0), None),
        ((math.nan, math.nan), None),
        ((), None),
    ],
)
def test_the_pace_passes_over_what_is_no_epoch(
    elapsed: Sequence[float], pace: float | None
) -> None:
    assert epoch_seconds(measured(*elapsed)) == pace


def test_each_trial_goes_on_at_its_own_pace() -> None:
    whole = trial(0, 9, TrialState.COMPLETE, 10.0)
    early = [trial(1, 3, TrialState.PAUSED, 1.0), trial(2, 6, TrialState.PRUNED, 100.0)]
    saved = saved_of([whole, *early], SEARCH)
    assert (saved.numbers, saved.epochs) == ((1, 2), 9)
    assert saved.share == pytest.approx(9 / 27)
    assert saved.seconds == pytest.approx(6 * 1.0 + 3 * 100.0)


def test_where_no_pace_was_measured_that_of_the_others_stands_for_it() -> None:
    once = trial(1, 1, TrialState.PRUNED, None)
    others = [trial(n, 9, TrialState.COMPLETE, pace) for n, pace in ((0, 1.0), (2, 2.0), (3, 9.0))]
    assert saved_of([*others, once], SEARCH).seconds == pytest.approx(16.0)
    saved = saved_of([once], SEARCH)
    assert (saved.epochs, saved.seconds) == (8, None)


def test_the_length_of_those_that_ran_to_their_end_counts_where_none_is_known() -> None:
    early = trial(1, 2, TrialState.PRUNED, 3.0)
    assert saved_of([early], SearchSettings()) == NOTHING
    whole = trial(0, 5, TrialState.COMPLETE, 3.0)
    assert saved_of([whole, early], SearchSettings()).seconds == pytest.approx(9.0)
    assert saved_of([whole], SEARCH) == NOTHING


def _study(studies: Path) -> StudyBuilder:
    """A start takes 20 s of each training, an epoch 5 s; two of three trials end early."""
    search = SearchSettings(fidelity="asha", rungs=(3,), n_epochs=9)
    builder = StudyBuilder(studies, config(search=search))
    builder.add(0, Told(params(), [0.1] * 9, seconds=65, start_s=20))
    for number, n in ((1, 3), (2, 4)):
        early = Told(params(1e-3), [0.1] * n, OutcomeState.PRUNED, seconds=20 + 5 * n, start_s=20)
        builder.add(number, early)
    return builder


def test_every_text_and_figure_shows_the_same(studies_dir: Path) -> None:
    builder = _study(studies_dir)
    summary = read_summary(builder.folder)
    assert summary.early_ends is not None
    assert summary.spent.saved_s == summary.early_ends.saved_s == pytest.approx(55.0)
    said = "an estimated 55s of training"
    assert next(summary.spent.lines()).startswith(said)
    assert said in next(sentences(summary))
    plain = summary.to_json()
    assert plain["budget"]["saved_s"] == plain["early_ends"]["saved_s"] == pytest.approx(55.0)
    figure = budget_figure(summary)
    assert figure is not None
    assert next(bar.x[0] for bar in figure.plot.data if bar.name == "ended early") == 55.0
    write_report(builder.folder)
    page = (builder.folder / "report" / "index.html").read_text(encoding="utf-8")
    for text in (render_markdown(summary).decode(), run_footer(summary), page):
        assert text.lower().count(said) == 2


def test_the_report_of_the_reference_study_says_what_its_storage_says() -> None:
    summary = read_summary(REFERENCE)
    assert summary.spent.saved_s is not None
    assert summary.early_ends is not None
    assert summary.spent.saved_s == summary.early_ends.saved_s
    said = f"an estimated {words.duration(summary.spent.saved_s)} of training"
    for name in ("summary.md", "index.html"):
        assert said in (REFERENCE / "report" / name).read_text(encoding="utf-8").lower()
