"""Printed commands name the folder of studies where it is not the usual one."""

import json
from pathlib import Path

import pytest

from automl.cli.carried import carrying
from automl.cli.main import main
from tests.unit.reports.study_builder import StudyBuilder, Told, config


def test_in_the_usual_folder_nothing_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert carrying("then automl resume goes on", tmp_path / "studies") == (
        "then automl resume goes on"
    )


@pytest.mark.parametrize(
    ("text", "carried"),
    [
        ("then automl resume goes on", "then automl resume --studies-dir 'my runs' goes on"),
        (
            "automl evaluate --deploy and automl best bikes",
            "automl evaluate --studies-dir 'my runs' --deploy and "
            "automl best --studies-dir 'my runs' bikes",
        ),
        ("automl best b --studies-dir x", "automl best b --studies-dir x"),
        ("automl --help, automl data check", "automl --help, automl data check"),
    ],
)
def test_a_command_is_given_the_folder_once(
    text: str, carried: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    once = carrying(text, tmp_path / "my runs")
    assert once == carried
    assert carrying(once, tmp_path / "my runs") == once


def test_an_error_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["best", "absent", "--studies-dir", "runs"]) == 2
    error = capsys.readouterr().err
    assert "automl list --studies-dir runs shows every study" in error


def test_a_reader_says_which_study_and_folder_it_speaks_of(
    studies_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    StudyBuilder(studies_dir, config("bikes")).add(0, Told({}, (0.5, 0.7)))
    monkeypatch.chdir(studies_dir.parent)
    assert main(["best", "--studies-dir", str(studies_dir)]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["study", "studies/bikes"]
    assert main(["best", "--json", "--studies-dir", str(studies_dir)]) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["study"], value["folder"]) == ("bikes", str(studies_dir / "bikes"))
