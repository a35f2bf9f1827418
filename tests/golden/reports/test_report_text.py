"""What the terminal and ``summary.md`` say of a study, word for word."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from automl.app.explain import explain_class, explain_trial
from automl.app.listings import listings_of
from automl.cli.explain_commands import class_text, trial_text
from automl.reports.glancing import glance_of
from automl.reports.listing import StudyListing, list_text
from automl.reports.markdown import render_markdown
from automl.reports.model import Summary
from automl.reports.status import status_text
from automl.reports.summary import read_summary
from automl.reports.text import best_text, run_footer
from automl.space.model import SearchSpace
from automl.study.config import DataSources, SearchSettings
from automl.study.limits import Limits
from automl.study.records import FailureClass, OutcomeState
from automl.study.state import StudyState, StudyStatus, read_state, write_state
from tests.unit.reports.evaluations import ap50, evaluate, poses_like
from tests.unit.reports.study_builder import (
    START,
    StudyBuilder,
    Told,
    config,
    confirm,
    fill,
    fill_paused,
    params,
)

Golden = Callable[[str, str], None]

_NOW = START + timedelta(minutes=5)
_HERE = Path("studies")


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies are named as a user names them, relative to the working folder."""
    monkeypatch.chdir(tmp_path)


def _search(name: str = "bike-fan") -> StudyBuilder:
    builder = StudyBuilder(_HERE, config(name))
    fill(builder)
    return builder


def _confirmed() -> StudyBuilder:
    builder = StudyBuilder(
        _HERE, config("sure", limits=Limits(trials=8, confirm=3, confirm_top=1))
    )
    fill(builder)
    confirm(builder, 4)
    return builder


def _failed() -> StudyBuilder:
    builder = StudyBuilder(_HERE, config("broken", limits=Limits(trials=4)))
    for number in range(3):
        evidence = "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB"
        told = Told(params(), (), OutcomeState.FAILED, FailureClass.OOM, evidence)
        builder.add(number, told)
    reason = "3 trials in a row failed with oom"
    state = StudyState("broken", StudyStatus.STOPPED, START.isoformat(), 4, reason=reason)
    write_state(builder.paths, state)
    return builder


def _direct() -> StudyBuilder:
    builder = StudyBuilder(_HERE, config("once", policy="off", trainer="scripted"), SearchSpace())
    builder.add(0, Told({}, [0.1, 0.3, 0.25], source="default"))
    return builder


def _halfway() -> StudyBuilder:
    builder = StudyBuilder(_HERE, config("half"))
    builder.add(0, Told(params(), [0.1, 0.2], source="default"))
    builder.add(1, Told(params(1e-3), [0.1], state=None))
    return builder


def _paused() -> StudyBuilder:
    search = SearchSettings(seed=7, fidelity="asha", rungs=(3,), n_epochs=9)
    builder = StudyBuilder(_HERE, config("rungs", search=search))
    fill_paused(builder)
    return builder


def _tested() -> StudyBuilder:
    """A search whose winner and default were evaluated on test data; one evaluation failed."""
    data = DataSources(train="/data/bike/train", val="/data/bike/val", test="/data/bike/test")
    counted = {"val": {"images": 40}, "test": {"images": 30}}
    builder = StudyBuilder(_HERE, config("tested", data=data), images=counted)
    fill(builder)
    good = 0.4 + 0.3 * np.sin(np.arange(40.0))
    for trial, overlaps in ((4, good), (0, good - 0.15)):
        tested = overlaps[:30]
        evaluate(builder, trial, "/data/bike/test", ap50(tested), poses_like(tested))
    evaluate(builder, 4, "/data/bike/val", ap50(good), poses_like(good))
    evaluate(builder, 0, "/data/bike/val", None, evidence="CUDA out of memory")
    return builder


def _read(make: Callable[[], StudyBuilder]) -> Summary:
    return read_summary(_HERE / make().config.name)


_EVERY = (_search, _confirmed, _failed, _direct, _halfway, _paused, _tested)


@pytest.mark.parametrize("make", _EVERY)
def test_best(golden: Golden, make: Callable[[], StudyBuilder]) -> None:
    summary = _read(make)
    golden(f"reports/best-{summary.name}.txt", best_text(summary) + "\n")


def test_explain_of_a_failed_trial(golden: Golden) -> None:
    account = explain_trial(_read(_search), 2)
    golden("reports/explain-trial.txt", trial_text(account) + "\n")


def test_explain_of_a_paused_trial(golden: Golden) -> None:
    account = explain_trial(_read(_paused), 1)
    golden("reports/explain-paused.txt", trial_text(account) + "\n")


def test_explain_of_a_class(golden: Golden) -> None:
    account = explain_class(FailureClass.OOM, _read(_search))
    golden("reports/explain-class.txt", class_text(account) + "\n")


@pytest.mark.parametrize("make", _EVERY)
def test_footer(golden: Golden, make: Callable[[], StudyBuilder]) -> None:
    summary = _read(make)
    golden(f"reports/footer-{summary.name}.txt", run_footer(summary) + "\n")


@pytest.mark.parametrize("make", [_search, _confirmed, _failed, _direct, _halfway, _paused])
def test_status(golden: Golden, make: Callable[[], StudyBuilder]) -> None:
    builder = make()
    summary = read_summary(_HERE / builder.config.name)
    state = read_state(builder.paths)
    text = status_text(glance_of(summary, state, _NOW), summary.folder, state, _NOW)
    golden(f"reports/status-{summary.name}.txt", text + "\n")
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize("make", _EVERY)
def test_markdown(golden: Golden, make: Callable[[], StudyBuilder]) -> None:
    summary = _read(make)
    golden(f"reports/summary-{summary.name}.md", render_markdown(summary).decode())


def test_list(golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(tmp_path / "cache"))
    for make in (_search, _confirmed, _failed, _direct, _halfway, _paused):
        make()
    (_HERE / "torn").mkdir()
    (_HERE / "torn" / "resolved.json").write_text("{", encoding="utf-8")
    found = sorted(listings_of(_HERE), key=lambda listing: listing.name)
    broken = found[-1]
    assert broken.status == "unreadable"
    assert "resolved.json" in broken.remark
    began = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    dated = [_dated(listing, began) for listing in found[:-1]]
    golden("reports/list.txt", list_text(dated, _NOW) + "\n")
    assert list_text([], _NOW) == "no studies"


def _dated(listing: StudyListing, began: datetime) -> StudyListing:
    fields = {name: getattr(listing, name) for name in listing.__slots__}
    return StudyListing(**fields | {"started": began})
