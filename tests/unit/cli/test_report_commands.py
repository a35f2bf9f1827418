"""``automl report``: formats, a browser, and again while the study runs."""

import json
import webbrowser
from pathlib import Path

import pytest

from automl.cli.main import main
from automl.study.layout import StudyPaths
from automl.study.state import StudyState, StudyStatus, write_state
from tests.unit.reports.study_builder import START, StudyBuilder, Told, params


@pytest.fixture
def study(tmp_path: Path) -> StudyPaths:
    builder = StudyBuilder(tmp_path / "studies")
    builder.add(0, Told(params(), [0.1, 0.2]))
    return builder.paths


def _report(study: StudyPaths, *flags: str) -> int:
    return main(["report", study.folder.name, "--studies-dir", str(study.folder.parent), *flags])


def test_formats_that_were_asked_for_are_written_alone(study: StudyPaths) -> None:
    assert _report(study, "--formats", "md, parquet") == 0
    names = {path.name for path in study.report.iterdir()}
    assert names == {"summary.md", "trials.parquet", "attempts.parquet", "epochs.parquet"}


def test_an_unknown_format_is_refused(
    study: StudyPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _report(study, "--formats", "md,pdf") == 2
    said = capsys.readouterr().err
    assert "must be some of html, md, csv, parquet, json, but got 'pdf'" in " ".join(said.split())
    assert not study.report.exists()


def test_the_page_is_opened(study: StudyPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def show(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", show)
    assert _report(study, "--formats", "html", "--open") == 0
    assert opened == [(study.report / "index.html").resolve().as_uri()]


def test_what_cannot_be_opened_is_said(
    study: StudyPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    assert _report(study, "--formats", "html", "--open") == 0
    assert "no browser could be started here" in capsys.readouterr().err
    assert _report(study, "--formats", "md", "--open") == 0
    assert "--formats leaves html out" in capsys.readouterr().err


def test_it_is_written_again_until_the_study_has_ended(
    study: StudyPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_state(study, _state(StudyStatus.RUNNING))
    monkeypatch.setattr("automl.reports.summary._is_driven", lambda *_: True)
    waited: list[float] = []

    def later(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            write_state(study, _state(StudyStatus.FINISHED))

    monkeypatch.setattr("time.sleep", later)
    assert _report(study, "--formats", "json", "--watch", "5", "--json") == 0
    assert waited == [5.0, 5.0]
    out, said = capsys.readouterr()
    assert json.loads(out)["schema"] == "automl.report-files/1"
    assert "the study is finished" in said
    newest = json.loads((study.report / "report.json").read_text(encoding="utf-8"))
    assert newest["status"] == "finished"


def _state(status: StudyStatus) -> StudyState:
    return StudyState("bike-fan", status, START.isoformat(), 8)
